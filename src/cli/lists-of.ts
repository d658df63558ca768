/** What a server says of itself, read whole through a gateway as any client would. Nothing of the server is called. */
import { lists } from '../admin/operations/scan.ts'
import { lookAddress } from '../config/look.ts'
import type { Gateway } from '../gateway.ts'
import type { JsonObject } from '../lib/strict-json.ts'
import { modern } from '../protocol/revisions/index.ts'
import type { Definition, ListedKind } from '../trust/definition.ts'

export interface Lists {
  readonly definitions: readonly Definition[]
  /** Why that is not all of it. */
  readonly problem?: string | undefined
  /** The time was over. */
  readonly isLate?: boolean
}

const pagesMax = 100
const noSuchMethod = -32601

/** What was read until the time was over is kept: a server that hangs in its last list has still said something. */
export async function listsOf(gateway: Gateway, id: string, serverMsMax: number): Promise<Lists> {
  const definitions: Definition[] = []
  const ending = new AbortController()
  const late = new Promise<string>((resolve) => ending.signal.addEventListener('abort', () => resolve(lateText(serverMsMax))))
  const timer = setTimeout(() => ending.abort(), serverMsMax)
  const visited = visit(gateway, id, definitions, ending.signal).catch((error: unknown) => String(error))
  const problem = await Promise.race([visited, late])
  clearTimeout(timer)
  return { definitions: [...definitions], problem, isLate: problem === lateText(serverMsMax) }
}

const lateText = (milliseconds: number): string => `it was not done within ${milliseconds / 1000} seconds`

/** Fills `definitions`, and answers with what kept it from the rest. */
async function visit(gateway: Gateway, id: string, definitions: Definition[], signal: AbortSignal): Promise<string | undefined> {
  const asked = (method: string, params: JsonObject): Promise<Answer> => ask(gateway, id, method, params, signal)
  const introduction = await asked('server/discover', {})
  if ('problem' in introduction) return introduction.problem
  const { instructions } = introduction.result
  if (typeof instructions === 'string') definitions.push({ kind: 'instructions', name: '', body: { instructions } })
  for (const [kind, { method, items, key }] of Object.entries(lists) as [ListedKind, (typeof lists)[ListedKind]][]) {
    let cursor: unknown
    for (let page = 0; page < pagesMax; page++) {
      const answer = await asked(method, cursor === undefined ? {} : { cursor: cursor as string })
      if ('problem' in answer) {
        if (answer.code === noSuchMethod) break
        return answer.problem
      }
      for (const body of (answer.result[items] ?? []) as readonly JsonObject[])
        if (typeof body[key] === 'string') definitions.push({ kind, name: body[key], body })
      cursor = answer.result['nextCursor']
      if (cursor === undefined) break
    }
  }
  return undefined
}

type Answer = { readonly result: JsonObject } | { readonly problem: string; readonly code: number }

async function ask(gateway: Gateway, id: string, method: string, params: JsonObject, signal: AbortSignal): Promise<Answer> {
  const meta = {
    'io.modelcontextprotocol/protocolVersion': modern.version,
    'io.modelcontextprotocol/clientCapabilities': {},
    'io.modelcontextprotocol/clientInfo': { name: 'sekisho-scan', version: '1' },
  }
  const request = new Request(`http://${lookAddress}/${id}/mcp`, {
    method: 'POST',
    signal,
    headers: {
      ...{ 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
      ...{ 'mcp-protocol-version': modern.version, 'mcp-method': method },
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, _meta: meta } }),
  })
  const text = await (await gateway.fetch(request)).text()
  const events = [...text.matchAll(/^data: ?(.*)$/gm)].map(([, data = '']) => data)
  const { result, error } = JSON.parse(events.at(-1) ?? text) as {
    result?: JsonObject
    error?: { code: number; message: string }
  }
  return result === undefined ? { problem: error?.message ?? 'no answer', code: error?.code ?? 0 } : { result }
}
