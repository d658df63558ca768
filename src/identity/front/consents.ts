/**
 * Who agreed to what: one record for each person, client and resource (CD-C1). It holds for exactly the client that was
 * shown: another name, another redirect URI, another key, and the person is asked again. What was given to a client before all
 * that it has was taken back is none any more.
 */
import { hash } from 'node:crypto'
import type { Act } from '../../lib/act.ts'
import { canonicalJson } from '../../lib/canonical-json.ts'
import type { Clock } from '../../lib/clock.ts'
import type { JsonObject } from '../../lib/strict-json.ts'
import type { Issued } from '../revocations.ts'
import type { Records } from './records.ts'
import { withoutLoopbackPort } from './redirect-uris.ts'

/** What a person is asked to agree to. */
export interface Wish {
  readonly clientId: string
  readonly clientName: string
  readonly redirectUri: string
  readonly resources: readonly string[]
  readonly scopes: readonly string[]
  /** Of all that the client says of itself. */
  readonly clientDigest: string
}

export interface Consent extends Wish {
  readonly account: string
  readonly givenAt: number
}

const kind = 'consent'
const keptS = 180 * 86_400

export class Consents {
  readonly #records: Records
  readonly #clock: Clock
  readonly #isRevoked: (issued: Issued) => boolean
  constructor(records: Records, clock: Clock, isRevoked: (issued: Issued) => boolean) {
    this.#records = records
    this.#clock = clock
    this.#isRevoked = isRevoked
  }

  /** Whether all of the wish was agreed to before, for the client as it is now. */
  async covers(account: string, wish: Wish): Promise<boolean> {
    const given = await this.held(account, wish)
    return (
      given !== undefined &&
      wish.resources.every((resource) => given.resources.includes(resource)) &&
      wish.scopes.every((scope) => given.scopes.includes(scope))
    )
  }

  /** What was agreed to before, with this client as it is now. */
  async held(account: string, wish: Wish): Promise<Consent | undefined> {
    const given = await this.#find(account, wish.clientId)
    return given?.clientDigest === wish.clientDigest && isSamePlace(given, wish) ? given : undefined
  }

  /** Adds to what was agreed to before with the same client; a changed client begins anew. */
  async give(account: string, wish: Wish): Promise<Consent> {
    const before = await this.held(account, wish)
    const union = (one: readonly string[], other: readonly string[] = []): string[] => [...new Set([...other, ...one])].sort()
    const consent: Consent = {
      ...wish,
      resources: union(wish.resources, before?.resources),
      scopes: union(wish.scopes, before?.scopes),
      account,
      givenAt: this.#clock.now(),
    }
    await this.#records.put(kind, nameOf(account, wish.clientId), consent as unknown as JsonObject, keptS, groupOf(account))
    return consent
  }

  async of(account: string): Promise<readonly Consent[]> {
    return this.#good((await this.#records.list(kind, groupOf(account))) as unknown as readonly Consent[])
  }

  async all(): Promise<readonly Consent[]> {
    return this.#good((await this.#records.list(kind)) as unknown as readonly Consent[])
  }

  /** `act`: for the audit log. */
  revoke(account: string, clientId: string, act: Act): Promise<void> {
    return this.#records.delete(kind, nameOf(account, clientId), act)
  }

  async #find(account: string, clientId: string): Promise<Consent | undefined> {
    const found = (await this.#records.get(kind, nameOf(account, clientId))) as unknown as Consent | undefined
    return this.#good(found === undefined ? [] : [found])[0]
  }

  #good(given: readonly Consent[]): readonly Consent[] {
    const everyone = { user: undefined, holder: undefined, tokenId: undefined }
    return given.filter(({ clientId, givenAt }) => !this.#isRevoked({ ...everyone, client: clientId, issuedAt: givenAt / 1000 }))
  }
}

const isSamePlace = (one: Wish, other: Wish): boolean =>
  withoutLoopbackPort(one.redirectUri) === withoutLoopbackPort(other.redirectUri)

const nameOf = (account: string, clientId: string): string => JSON.stringify([account, clientId])
const groupOf = (account: string): string => `consents of ${account}`

/** Of a client's metadata, whatever the order of its members. */
export const digestOf = (metadata: JsonObject): string => hash('sha256', canonicalJson(metadata), 'base64url')
