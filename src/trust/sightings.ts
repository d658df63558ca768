/**
 * What each caller was last told by a server: by name, the digest of the definition. A server may tell everybody something
 * else, so one caller's list says nothing about another's; and what was told before a change was announced counts no more.
 */
import type { Clock } from '../lib/clock.ts'
import type { DefinitionKind, ListedKind } from './definition.ts'

export interface Sighting {
  readonly digest: string
  /** Monotonic milliseconds. */
  readonly at: number
}

interface ListSeen {
  names: Map<string, Sighting>
  /** When the whole list was read last; undefined while only parts of it have passed. */
  readAt: number | undefined
}

const holdersMax = 10_000
const namesMax = 20_000

export class Sightings {
  readonly #clock: Clock
  /** By server, then by whose list it is and its kind. */
  readonly #lists = new Map<string, Map<string, ListSeen>>()
  readonly #changedAt = new Map<string, number>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** What passes on its way to a caller. */
  saw(server: string, holder: string, kind: ListedKind, name: string, digest: string): void {
    const { names } = this.#listOf(server, holder, kind)
    if (names.size < namesMax || names.has(name)) names.set(name, { digest, at: this.#clock.monotonic() })
  }

  /** A whole list: what is not on it is not there. */
  read(server: string, holder: string, kind: ListedKind, digests: ReadonlyMap<string, string>): void {
    const list = this.#listOf(server, holder, kind)
    const at = this.#clock.monotonic()
    list.names = new Map([...digests].slice(0, namesMax).map(([name, digest]) => [name, { digest, at }]))
    list.readAt = at
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
    const sighting = list.names.get(name)
    const at = sighting?.at ?? list.readAt
    if (at === undefined || this.#clock.monotonic() - at > recheckMs) return undefined
    const changedAt = this.#changedAt.get(`${server} ${kind}`)
    if (changedAt !== undefined && changedAt >= at) return undefined
    return sighting?.digest ?? 'absent'
  }

  /** Of servers that are no longer served as they were. */
  forget(server: string): void {
    this.#lists.delete(server)
  }

  #listOf(server: string, holder: string, kind: ListedKind): ListSeen {
    const lists = this.#lists.get(server) ?? new Map<string, ListSeen>()
    this.#lists.set(server, lists)
    const key = `${kind} ${holder}`
    const list = lists.get(key) ?? { names: new Map<string, Sighting>(), readAt: undefined }
    if (!lists.has(key)) {
      const [oldest] = lists.keys()
      if (lists.size >= holdersMax && oldest !== undefined) lists.delete(oldest)
      lists.set(key, list)
    }
    return list
  }
}
