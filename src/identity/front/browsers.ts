/**
 * Browsers that are in the middle of a login, or have been through one. Before anyone is known, a consent belongs to the
 * browser in which it was given; afterwards the browser belongs to the person who logged in there.
 */
import { unguessable } from '../../lib/random.ts'
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

export class Browsers {
  readonly #records: Records
  constructor(records: Records) {
    this.#records = records
  }

  async find(id: string | undefined): Promise<Browser | undefined> {
    const found = id === undefined ? undefined : await this.#records.get(kind, id)
    if (id === undefined || found === undefined) return undefined
    const { account, was } = found
    return { id, account: typeof account === 'string' ? account : undefined, was: Array.isArray(was) ? was.map(String) : [] }
  }

  /** A new one: every login gets a new secret, so that one which was planted before it is worth nothing (session fixation). */
  async open(account?: string, before?: Browser): Promise<{ readonly browser: Browser; readonly lifetimeS: number }> {
    const lifetimeS = account === undefined ? strangerS : knownS
    const id = unguessable()
    const was = before === undefined ? [] : [before.id, ...before.was].slice(0, wasMax)
    await this.#records.put(kind, id, { ...(account !== undefined && { account }), was }, lifetimeS)
    return { browser: { id, account, was }, lifetimeS }
  }

  close({ id }: Browser): Promise<void> {
    return this.#records.delete(kind, id)
  }
}
