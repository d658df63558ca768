/** One subscription to all servers: what each of them is asked for, and what all of them honour. */
import type { JsonObject } from '../../lib/strict-json.ts'
import type { Reply } from '../../pipeline/exchange.ts'
import { type Cleared, rewritten } from '../../pipeline/judge.ts'
import type { Parcel } from '../../pipeline/parcel.ts'
import { isObject } from '../../protocol/json-rpc.ts'
import { united } from './merge.ts'
import type { Names } from './names.ts'
import { type Kind, subscribed } from './places.ts'

/** The `params` of a `subscriptions/listen` for one server. */
export function subscription(names: Names, server: string, params: JsonObject): JsonObject {
  const filter = params['notifications']
  if (!isObject(filter)) return params
  const own = (shown: string): readonly string[] => {
    const found = names.split(shown)
    return found?.server === server ? [found.id] : []
  }
  return { ...params, notifications: withIds(filter, own) }
}

/** A filter with other ids in its lists; what is no id is left out. */
function withIds(filter: JsonObject, change: (id: string, kind: Kind) => readonly string[]): JsonObject {
  const lists = Object.entries(subscribed).flatMap(([key, kind]) => {
    const ids = filter[key]
    if (ids === undefined) return []
    const texts = Array.isArray(ids) ? ids.filter((id) => typeof id === 'string') : []
    return [[key, texts.flatMap((id) => change(id, kind))]]
  })
  return { ...filter, ...Object.fromEntries(lists) }
}

/** How long one server may keep the others' subscriptions waiting. */
const acknowledgeMsMax = 5000

/** One acknowledgement for many: sent when every server has spoken, with the ids as the client knows them. */
export class Acknowledgement {
  #missing: number
  readonly #late: NodeJS.Timeout
  /** Nothing may reach the client before the acknowledgement (2026-07-28, Subscriptions). */
  readonly done: Promise<void>
  sent = false
  #send!: () => void
  readonly #reply: Reply
  readonly #names: Names
  #honoured: JsonObject = {}
  #cleared: Cleared | undefined

  constructor(missing: number, reply: Reply, names: Names) {
    this.#missing = missing
    this.#reply = reply
    this.#names = names
    this.done = new Promise((resolve) => {
      this.#send = resolve
    })
    this.#late = setTimeout(() => {
      this.#missing = 0
      void this.#sendWhenDue()
    }, acknowledgeMsMax)
  }

  close(): void {
    clearTimeout(this.#late)
  }

  /** Once for each server; undefined for one that acknowledges nothing. */
  add(server: string, parcel: Cleared | undefined): Promise<Parcel | undefined> | undefined {
    const honoured = parcel?.body['notifications']
    if (isObject(honoured))
      this.#honoured = united(
        this.#honoured,
        withIds(honoured, (id, kind) => [this.#names.shown(kind, server, id)]),
      )
    this.#cleared ??= parcel
    this.#missing--
    return this.#sendWhenDue()
  }

  #sendWhenDue(): Promise<Parcel | undefined> | undefined {
    if (this.sent || this.#missing > 0 || !this.#cleared) return undefined
    this.sent = true
    queueMicrotask(this.#send)
    return this.#reply.deliver(rewritten(this.#cleared, { body: { ...this.#cleared.body, notifications: this.#honoured } }))
  }
}
