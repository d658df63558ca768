/**
 * Browsers that are in the middle of a login, or have been through one. Before anyone is known, a consent belongs to the
 * browser in which it was given; afterwards the browser belongs to the person who logged in there. One in which nobody is known leaves nothing
 * in the store, where anybody could pile them up: its secret says by itself that it is ours, and until when.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Clock } from '../../lib/clock.ts'
import { unguessable } from '../../lib/random.ts'
import type { Issued } from '../revocations.ts'
import type { Records } from './records.ts'

export interface Browser {
  /** The secret in the cookie. */
  readonly id: string
  /** Who was verified to sit before it, if anyone. */
  readonly account: string | undefined
  /** Secrets that it had before: pages and logins that were begun with one, in another tab, are still this browser's. */
  readonly was: readonly string[]
}

const kind = 'browser'
const strangerS = 3600
const knownS = 12 * 3600
/** Tabs in which a login is begun before the first of them is through. */
const wasMax = 8
export const browserCookie = 'sekisho_browser'

/** Of those in which this person is known. */
export const browsersOf = (account: string): string => `browsers of ${account}`

export interface BrowsersOptions {
  readonly records: Records
  readonly clock: Clock
  /** 32 bytes, for the secrets of browsers in which nobody is known. */
  readonly key: Buffer
  /** Whether what a person was given up to a moment is no longer good. */
  isRevoked(issued: Issued): boolean
}

export class Browsers {
  readonly #options: BrowsersOptions
  constructor(options: BrowsersOptions) {
    this.#options = options
  }

  /** A login that has been taken back since leaves a browser in which nobody is known. */
  async find(id: string | undefined): Promise<Browser | undefined> {
    const found = id === undefined ? undefined : await this.#options.records.get(kind, id)
    if (id === undefined) return undefined
    if (found === undefined) return this.#isStranger(id) ? { id, account: undefined, was: [] } : undefined
    const { account, issuedAt, was } = found
    const isKnown = typeof account === 'string' && !this.#isTakenBack(account, Number(issuedAt ?? 0))
    return { id, account: isKnown ? account : undefined, was: Array.isArray(was) ? was.map(String) : [] }
  }

  #isTakenBack(account: string, issuedAtMs: number): boolean {
    const given = { user: `user:${account}`, client: undefined, holder: undefined, tokenId: undefined }
    return this.#options.isRevoked({ ...given, issuedAt: issuedAtMs / 1000 })
  }

  /** A new one: every login gets a new secret, so that one which was planted before it is worth nothing (session fixation). */
  async open(account?: string, before?: Browser): Promise<{ readonly browser: Browser; readonly lifetimeS: number }> {
    const { records, clock } = this.#options
    if (account === undefined) return { browser: { id: this.#stranger(), account, was: [] }, lifetimeS: strangerS }
    const id = unguessable()
    const was = before === undefined ? [] : [before.id, ...before.was].slice(0, wasMax)
    await records.put(kind, id, { account, issuedAt: clock.now(), was }, knownS, browsersOf(account))
    return { browser: { id, account, was }, lifetimeS: knownS }
  }

  #stranger(): string {
    const until = Math.round(this.#options.clock.now() / 1000) + strangerS
    const claim = `${until.toString(36)}.${unguessable()}`
    return `${claim}.${this.#proof(claim)}`
  }

  #isStranger(id: string): boolean {
    const [until = '', secret = '', proof = ''] = id.split('.', 3)
    const [expected, given] = [Buffer.from(this.#proof(`${until}.${secret}`)), Buffer.from(proof)]
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return false
    return (
      id.length === until.length + secret.length + proof.length + 2 &&
      Number.parseInt(until, 36) * 1000 > this.#options.clock.now()
    )
  }

  #proof(claim: string): string {
    return createHmac('sha256', this.#options.key).update(claim).digest('base64url')
  }

  close({ id }: Browser): Promise<void> {
    return this.#options.records.delete(kind, id)
  }
}
