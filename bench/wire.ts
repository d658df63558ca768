/**
 * The MCP client's half of the wire, as the load generator speaks it: what a call looks like in each era, and whether an
 * answer is the right one. Text in, text out; load.ts owns the sockets.
 */
import { type Era, legacyVersion, modernVersion } from './cases.ts'

export interface Call {
  headers: Record<string, string>
  /** The JSON-RPC body for this id. */
  body: (id: number) => string
}

const clientInfo = { name: 'sekisho-bench', version: '1.0.0' }
const base = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }

export const initializeHeaders = base
export const initializeBody = (id: number): string =>
  JSON.stringify({
    jsonrpc: '2.0',
    id,
    method: 'initialize',
    params: { protocolVersion: legacyVersion, capabilities: {}, clientInfo },
  })
export const initializedBody = '{"jsonrpc":"2.0","method":"notifications/initialized"}'

export const sessionHeaders = (session: string | null): Record<string, string> => ({
  ...base,
  'mcp-protocol-version': legacyVersion,
  ...(session === null ? {} : { 'mcp-session-id': session }),
})

const modernHeaders = { ...base, 'mcp-protocol-version': modernVersion, 'mcp-method': 'tools/call', 'mcp-name': 'echo' }
const envelope = {
  'io.modelcontextprotocol/protocolVersion': modernVersion,
  'io.modelcontextprotocol/clientInfo': clientInfo,
  'io.modelcontextprotocol/clientCapabilities': {},
}

export function echoCall(era: Era, bytes: number, session: string | null): Call {
  const meta = era === 'modern' ? { _meta: envelope } : {}
  const params = JSON.stringify({ name: 'echo', arguments: { size: bytes }, ...meta })
  return {
    headers: era === 'modern' ? modernHeaders : sessionHeaders(session),
    body: (id) => `{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":${params}}`,
  }
}

/** The JSON-RPC messages in a body of either content type; events without data (priming, comments) carry none. */
export function messagesIn(contentType: string, text: string): unknown[] {
  if (!contentType.includes('text/event-stream')) return [JSON.parse(text)]
  return text
    .split(/\r?\n\r?\n/)
    .map((event) =>
      event
        .split(/\r?\n/)
        .filter((line) => line.startsWith('data:'))
        .map((line) => line.slice(5).trim())
        .join('\n'),
    )
    .filter((data) => data !== '')
    .map((data) => JSON.parse(data))
}

interface Reply {
  id?: unknown
  error?: { code?: unknown; message?: unknown }
  result?: { isError?: boolean; content?: { text?: unknown }[] }
}

/** What is wrong with this answer to call `id`, or null where it is right. */
export function fault(status: number, contentType: string, text: string, id: number, bytes: number): string | null {
  if (status !== 200) return `HTTP ${status} ${text.slice(0, 160)}`
  let messages: Reply[]
  try {
    messages = messagesIn(contentType, text) as Reply[]
  } catch {
    return `not JSON: ${text.slice(0, 80)}`
  }
  const reply = messages.find((message) => message.id === id)
  if (!reply) return `no message with id ${id}`
  if (reply.error) return `error ${String(reply.error.code)}: ${String(reply.error.message)}`
  const got = reply.result?.content?.[0]?.text
  if (reply.result?.isError) return `tool error: ${String(got).slice(0, 160)}`
  if (typeof got !== 'string' || got.length !== bytes) return `text of ${String(got).length} characters, not ${bytes}`
  return null
}
