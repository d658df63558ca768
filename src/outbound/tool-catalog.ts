/** What a server last said of its tools, per principal: header declarations and annotations. Never a source of permission. */
import type { JsonObject } from '../lib/strict-json.ts'
import { isObject } from '../protocol/json-rpc.ts'
import { type Declaration, paramHeaders } from '../protocol/revisions/2026-07-28/param-headers.ts'

export interface ToolFacts {
  readonly declared: readonly Declaration[]
  readonly annotations: JsonObject | undefined
}

const toolsMax = 10_000
const unknownTool: ToolFacts = Object.freeze({ declared: [], annotations: undefined })

export class ToolCatalog {
  readonly #tools = new Map<string, ToolFacts>()
  /** True once a whole list was read, so that an unknown tool is unknown to the server too. */
  complete = false

  learn(result: JsonObject): void {
    if (!Array.isArray(result['tools'])) return
    for (const tool of result['tools']) {
      if (!isObject(tool) || typeof tool['name'] !== 'string' || this.#tools.size >= toolsMax) continue
      const declared = paramHeaders(tool['inputSchema'])
      const annotations = isObject(tool['annotations']) ? tool['annotations'] : undefined
      this.#tools.set(tool['name'], { declared: typeof declared === 'string' ? [] : declared, annotations })
    }
  }

  /** Undefined: not known, and the server has to be asked. */
  get(name: string): ToolFacts | undefined {
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
