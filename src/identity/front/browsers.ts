/**
 * Browsers that are in the middle of a login, or have been through one. Before anyone is known, a consent belongs to the
 * browser in which it was given; afterwards the browser belongs to the person who logged in there.
 */
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
    if (id === undefined || found === undefined) return undefined
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
    const lifetimeS = account === undefined ? strangerS : knownS
    const id = unguessable()
    const was = before === undefined ? [] : [before.id, ...before.was].slice(0, wasMax)
    const known = account === undefined ? {} : { account, issuedAt: clock.now() }
    await records.put(kind, id, { ...known, was }, lifetimeS, account && browsersOf(account))
    return { browser: { id, account, was }, lifetimeS }
  }

  close({ id }: Browser): Promise<void> {
    return this.#options.records.delete(kind, id)
  }
}
