/**
 * What each caller was last told by a server: by name, the digest of the definition. A server may tell everybody something
 * else, so one caller's list says nothing about another's; and what was told before a change was announced counts no more.
 */
import type { Clock } from '../lib/clock.ts'
import type { DefinitionKind, ListedKind } from './definition.ts'

/** Names and digests that were told together. */
export type Told = ReadonlyMap<string, string>

interface Page {
  readonly told: Told
  /** Monotonic milliseconds. */
  readonly at: number
}
interface ListSeen {
  /** By what tells one page from another. */
  pages: Map<string, Page>
  /** When the whole list was read last; undefined while only parts of it have passed. */
  readAt: number | undefined
}

const holdersMax = 10_000
const pagesMax = 200
/** Of one caller's list, on all pages that are remembered. */
const namesMax = 20_000

export class Sightings {
  readonly #clock: Clock
  /** By server, then by whose list it is and its kind. */
  readonly #lists = new Map<string, Map<string, ListSeen>>()
  readonly #changedAt = new Map<string, number>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** A page on its way to a caller. */
  saw(server: string, holder: string, kind: ListedKind, page: string, told: Told): void {
    const { pages } = this.#listOf(server, holder, kind)
    pages.delete(page)
    let names = told.size
    for (const one of pages.values()) names += one.told.size
    for (const [oldest, { told: some }] of pages) {
      if (pages.size < pagesMax && names <= namesMax) break
      pages.delete(oldest)
      names -= some.size
    }
    pages.set(page, { told, at: this.#clock.monotonic() })
  }

  /** A whole list: what is not on it is not there. `began`: what was announced since then is not in it for certain. */
  read(server: string, holder: string, kind: ListedKind, told: Told, began: number): void {
    const list = this.#listOf(server, holder, kind)
    list.readAt = began
    list.pages = new Map([['', { told, at: began }]])
  }

  /** The server has said that a list is another one now. */
  changed(server: string, kind: DefinitionKind): void {
    this.#changedAt.set(`${server} ${kind}`, this.#clock.monotonic())
  }

  /**
   * What the caller was told under this name: a digest, `absent` when the list was read and it is not on it, or undefined
   * when nobody has looked for `recheckMs`, or since the last change.
   */
  of(server: string, holder: string, kind: ListedKind, name: string, recheckMs: number): string | undefined {
    const list = this.#lists.get(server)?.get(`${kind} ${holder}`)
    if (list === undefined) return undefined
    let last: { readonly digest: string; readonly at: number } | undefined
    for (const { told, at } of list.pages.values()) {
      const digest = told.get(name)
      if (digest !== undefined && (last === undefined || at >= last.at)) last = { digest, at }
    }
    const at = last?.at ?? list.readAt
    if (at === undefined || this.#clock.monotonic() - at > recheckMs) return undefined
    const changedAt = this.#changedAt.get(`${server} ${kind}`)
    if (changedAt !== undefined && changedAt >= at) return undefined
    return last?.digest ?? 'absent'
  }

  #listOf(server: string, holder: string, kind: ListedKind): ListSeen {
    const lists = this.#lists.get(server) ?? new Map<string, ListSeen>()
    this.#lists.set(server, lists)
    const key = `${kind} ${holder}`
    const list = lists.get(key) ?? { pages: new Map<string, Page>(), readAt: undefined }
    if (!lists.has(key)) {
      const [oldest] = lists.keys()
      if (lists.size >= holdersMax && oldest !== undefined) lists.delete(oldest)
      lists.set(key, list)
    }
    return list
  }
}
