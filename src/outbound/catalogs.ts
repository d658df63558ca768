/** What each principal's tools declare: learned from the lists that pass, and read from the server where none has. */
import type { JsonObject } from '../lib/strict-json.ts'
import type { Flow } from '../pipeline/exchange.ts'
import type { Cleared } from '../pipeline/judge.ts'
import { alongside, type Parcel } from '../pipeline/parcel.ts'
import { Refusal } from '../pipeline/refusal.ts'
import { isObject } from '../protocol/json-rpc.ts'
import type { Declaration } from '../protocol/revisions/2026-07-28/param-headers.ts'
import { ToolCatalog } from './tool-catalog.ts'

export interface CatalogsOptions {
  /** Writes down, before it happens, that we ask the server for a list on a principal's behalf, unasked. */
  reading(principal: string, why: Reading): Promise<void>
  forward(call: Cleared): Flow
}

/** For the headers that tools declare, or for what a list says of what was approved. */
export type Reading = 'headers' | 'pins'

const principalsMax = 1000
/** What a server answers that has no such list (JSON-RPC 2.0, method not found). */
const noSuchMethod = -32601
const pagesMax = 100
const entriesMax = 50_000

export class Catalogs {
  readonly #options: CatalogsOptions
  readonly #catalogs = new Map<string, ToolCatalog>()

  constructor(options: CatalogsOptions) {
    this.#options = options
  }

  /** A list as the server sent it to this principal. */
  learn(principal: string, result: JsonObject): void {
    const catalog = this.#catalogs.get(principal) ?? this.#keep(principal, new ToolCatalog())
    catalog.learn(result)
  }

  /** The headers that a tool declares, from the list this principal may see; a promise when the server has to be asked. */
  declarations(call: Parcel, fresh: boolean): readonly Declaration[] | Promise<readonly Declaration[]> {
    const name = call.subject ?? ''
    const known = fresh ? undefined : this.#catalogs.get(call.principal.holder)?.get(name)
    return known ?? this.#read(call).then((catalog) => catalog.get(name) ?? [])
  }

  /** The tools list, all pages, for what it says of headers. It is shown to nobody. */
  async #read(call: Parcel): Promise<ToolCatalog> {
    await this.#options.reading(call.principal.id, 'headers')
    const catalog = this.#keep(call.principal.holder, new ToolCatalog())
    for await (const answer of this.#pages(call, 'tools/list')) if (answer.member !== 'result') return catalog
    catalog.complete = true
    return catalog
  }

  /** Every entry of a list, as this caller is answered; none where the server has no such list. Rejects with a Refusal. */
  async entries(call: Parcel, method: string, items: string): Promise<readonly JsonObject[]> {
    await this.#options.reading(call.principal.id, 'pins')
    const entries: JsonObject[] = []
    let isOpen = false
    for await (const { member, body } of this.#pages(call, method)) {
      if (member === 'error' && body['code'] === noSuchMethod) return entries
      const page = body[items]
      if (member !== 'result' || !Array.isArray(page)) throw new Refusal('UPSTREAM_INVALID', { detail: `${method} has no list` })
      for (const entry of page) if (isObject(entry)) entries.push(entry)
      isOpen = body['nextCursor'] !== undefined
      if (entries.length > entriesMax) break
    }
    // Of resources a part will do; a tool that comes behind the end would be taken for one that is not there.
    if ((isOpen || entries.length > entriesMax) && !method.startsWith('resources/'))
      throw new Refusal('UPSTREAM_INVALID', { detail: `${method} does not end` })
    return entries
  }

  /** What the server says of itself first. Rejects with a Refusal. */
  async introduction(call: Parcel): Promise<JsonObject> {
    await this.#options.reading(call.principal.id, 'pins')
    const { member, body } = await this.#answerTo(askedFor(call, 'server/discover'))
    if (member !== 'result') throw new Refusal('UPSTREAM_INVALID', { detail: 'server/discover was not answered' })
    return body
  }

  /** The answers to a list and to its cursors, one after the other. They are shown to nobody. */
  async *#pages(call: Parcel, method: string): AsyncGenerator<Parcel> {
    let cursor: unknown
    for (let page = 0; page < pagesMax; page++) {
      const answer = await this.#answerTo(askedFor(call, method, cursor === undefined ? {} : { cursor: cursor as string }))
      yield answer
      cursor = answer.body['nextCursor']
      if (answer.member !== 'result' || cursor === undefined) return
    }
  }

  /** Past whatever notices come before it. */
  async #answerTo(list: Parcel): Promise<Parcel> {
    const flow = this.#options.forward(list as Cleared)
    try {
      for (let step = await flow.next(); !step.done; step = await flow.next())
        if (step.value.member !== 'params') return step.value
      throw new Refusal('UPSTREAM_INVALID', { detail: `${list.method} was not answered` })
    } finally {
      await flow.return()
    }
  }

  #keep(principal: string, catalog: ToolCatalog): ToolCatalog {
    this.#catalogs.delete(principal)
    const [oldest] = this.#catalogs.keys()
    if (this.#catalogs.size >= principalsMax && oldest !== undefined) this.#catalogs.delete(oldest)
    this.#catalogs.set(principal, catalog)
    return catalog
  }
}

/** A request of our own, on behalf of whoever called. */
const askedFor = (call: Parcel, method: string, body: JsonObject = {}): Parcel =>
  alongside(call, { leg: 'call', method, concerns: 'server', subject: undefined, member: 'params', body })
