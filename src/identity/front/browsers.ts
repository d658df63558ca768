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
}

const kind = 'browser'
const strangerS = 3600
const knownS = 12 * 3600
export const browserCookie = 'sekisho_browser'

export class Browsers {
  readonly #records: Records
  constructor(records: Records) {
    this.#records = records
  }

  async find(id: string | undefined): Promise<Browser | undefined> {
    const found = id === undefined ? undefined : await this.#records.get(kind, id)
    if (id === undefined || found === undefined) return undefined
    const { account } = found
    return { id, account: typeof account === 'string' ? account : undefined }
  }

  /** A new one: every login gets a new secret, so that one which was planted before it is worth nothing (session fixation). */
  async open(account?: string): Promise<{ readonly browser: Browser; readonly lifetimeS: number }> {
    const lifetimeS = account === undefined ? strangerS : knownS
    const id = unguessable()
    await this.#records.put(kind, id, account === undefined ? {} : { account }, lifetimeS)
    return { browser: { id, account }, lifetimeS }
  }

  close({ id }: Browser): Promise<void> {
    return this.#records.delete(kind, id)
  }
}
