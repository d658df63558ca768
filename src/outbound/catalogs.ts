/** What each principal's tools declare: learned from the lists that pass, and read from the server where none has. */
import type { JsonObject } from '../lib/strict-json.ts'
import type { Flow } from '../pipeline/exchange.ts'
import type { Cleared } from '../pipeline/judge.ts'
import { alongside, type Parcel } from '../pipeline/parcel.ts'
import type { Declaration } from '../protocol/revisions/2026-07-28/param-headers.ts'
import { ToolCatalog } from './tool-catalog.ts'

export interface CatalogsOptions {
  /** Writes down, before it happens, that we ask the server for its tools on a principal's behalf, unasked. */
  reading(principal: string): Promise<void>
  forward(call: Cleared): Flow
}

const principalsMax = 1000
const pagesMax = 100

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
    await this.#options.reading(call.principal.id)
    const catalog = this.#keep(call.principal.holder, new ToolCatalog())
    let cursor: unknown
    for (let page = 0; page < pagesMax; page++) {
      const body = cursor === undefined ? {} : { cursor: cursor as string }
      const whole = { leg: 'call', method: 'tools/list', concerns: 'server', subject: undefined, member: 'params', body } as const
      const result = await this.#resultOf(alongside(call, whole))
      if (result === undefined) return catalog
      cursor = result['nextCursor']
      if (cursor === undefined) break
    }
    catalog.complete = true
    return catalog
  }

  /** Past whatever notices come before it; undefined for an error. */
  async #resultOf(list: Parcel): Promise<JsonObject | undefined> {
    const flow = this.#options.forward(list as Cleared)
    try {
      for (let step = await flow.next(); !step.done; step = await flow.next())
        if (step.value.member !== 'params') return step.value.member === 'result' ? step.value.body : undefined
      return undefined
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
