/** The headers that a server's tools declare, as one principal was told. Never a source of permission. */
import type { JsonObject } from '../lib/strict-json.ts'
import { isObject } from '../protocol/json-rpc.ts'
import { type Declaration, paramHeaders } from '../protocol/revisions/2026-07-28/param-headers.ts'

/** All that is kept of a server's tools; what does not fit declares nothing. */
const toolsMax = 10_000
const charsMax = 262_144
const unknownTool: readonly Declaration[] = Object.freeze([])

export class ToolCatalog {
  readonly #tools = new Map<string, readonly Declaration[]>()
  #chars = 0
  /** True once a whole list was read, so that an unknown tool is unknown to the server too. */
  complete = false

  learn(result: JsonObject): void {
    if (!Array.isArray(result['tools'])) return
    for (const tool of result['tools']) {
      if (!isObject(tool) || typeof tool['name'] !== 'string' || !this.#hasRoom(tool['name'])) continue
      const declared = paramHeaders(tool['inputSchema'])
      this.#tools.set(tool['name'], typeof declared === 'string' ? [] : declared)
    }
  }

  #hasRoom(name: string): boolean {
    if (this.#tools.has(name)) return true
    if (this.#tools.size >= toolsMax || this.#chars + name.length > charsMax) return false
    this.#chars += name.length
    return true
  }

  /** Undefined: not known, and the server has to be asked. */
  get(name: string): readonly Declaration[] | undefined {
    return this.#tools.get(name) ?? (this.complete ? unknownTool : undefined)
  }
}

/** A tools list without the tools whose `x-mcp-header` is invalid (2026-07-28: such a tool must be left out), each told to `log`. */
export function withoutInvalidTools(result: JsonObject, log: (line: string) => void): JsonObject {
  const { tools } = result
  if (!Array.isArray(tools)) return result
  const kept = tools.filter((tool) => {
    const fault = isObject(tool) ? paramHeaders(tool['inputSchema']) : []
    if (typeof fault === 'string')
      log(`the tool ${JSON.stringify((tool as JsonObject)['name'])} was left out of the list: ${fault}`)
    return typeof fault !== 'string'
  })
  return kept.length === tools.length ? result : { ...result, tools: kept }
}
