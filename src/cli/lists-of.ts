/** What a server says of itself, read whole through a gateway as any client would. Nothing of the server is called. */
import { lookAddress } from '../config/look.ts'
import type { Gateway } from '../gateway.ts'
import type { JsonObject } from '../lib/strict-json.ts'
import { modern } from '../protocol/revisions/index.ts'
import type { Definition } from '../trust/definition.ts'

export interface Lists {
  readonly definitions: readonly Definition[]
  /** Why that is not all of it. */
  readonly problem?: string | undefined
}

const lists = [
  ['tool', 'tools/list', 'tools', 'name'],
  ['prompt', 'prompts/list', 'prompts', 'name'],
  ['resource', 'resources/list', 'resources', 'uri'],
  ['template', 'resources/templates/list', 'resourceTemplates', 'uriTemplate'],
] as const
const pagesMax = 100
const noSuchMethod = -32601

export async function listsOf(gateway: Gateway, id: string): Promise<Lists> {
  const definitions: Definition[] = []
  const introduction = await ask(gateway, id, 'server/discover', {})
  if ('problem' in introduction) return { definitions, problem: introduction.problem }
  const { instructions } = introduction.result
  if (typeof instructions === 'string') definitions.push({ kind: 'instructions', name: '', body: { instructions } })
  for (const [kind, method, items, key] of lists) {
    let cursor: unknown
    for (let page = 0; page < pagesMax; page++) {
      const answer = await ask(gateway, id, method, cursor === undefined ? {} : { cursor: cursor as string })
      if ('problem' in answer) {
        if (answer.code === noSuchMethod) break
        return { definitions, problem: answer.problem }
      }
      for (const body of (answer.result[items] ?? []) as readonly JsonObject[])
        if (typeof body[key] === 'string') definitions.push({ kind, name: body[key], body })
      cursor = answer.result['nextCursor']
      if (cursor === undefined) break
    }
  }
  return { definitions }
}

type Answer = { readonly result: JsonObject } | { readonly problem: string; readonly code: number }

async function ask(gateway: Gateway, id: string, method: string, params: JsonObject): Promise<Answer> {
  const meta = {
    'io.modelcontextprotocol/protocolVersion': modern.version,
    'io.modelcontextprotocol/clientCapabilities': {},
    'io.modelcontextprotocol/clientInfo': { name: 'sekisho-scan', version: '1' },
  }
  const request = new Request(`http://${lookAddress}/${id}/mcp`, {
    method: 'POST',
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
