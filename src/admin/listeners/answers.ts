/** What an answer to a first MCP message says of who gave it. Read leniently: whoever answers badly is a server all the same. */
import { refusalKey } from '../../inbound/refuse.ts'
import { implementation } from '../../lib/version.ts'
import { isObject, printable, textOf } from '../../protocol/json-rpc.ts'
import { metaKeys } from '../../protocol/revisions/2026-07-28/meta.ts'

/** The beginning of an HTTP answer, as far as it was read. */
export interface Answer {
  readonly status: number
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly body: string
}

export interface Speaker {
  /** As it calls itself, which proves nothing. */
  readonly name: string | undefined
  readonly version: string | undefined
  /** It answers as Sekisho does. */
  readonly isSekisho: boolean
  /** It wants to know who calls before it says anything. */
  readonly wantsLogin: boolean
}

/** Of a POST of JSON-RPC; undefined where nothing tells MCP. */
export function speakerOf({ status, headers, body }: Answer): Speaker | undefined {
  const challenge = String(headers['www-authenticate'] ?? '')
  const message = messagesIn(body, String(headers['content-type'] ?? '')).find(isReply)
  const wantsLogin = status === 401 || status === 403
  if (message !== undefined) {
    const { name, version } = infoOf(message['result'])
    return { name, version, isSekisho: isOurs(message, name), wantsLogin }
  }
  // 2025-06-18 authorization, Authorization Server Location (RFC 9728, section 5.1).
  const isChallenge = wantsLogin && /^bearer\b.*\bresource_metadata=/i.test(challenge)
  return isChallenge ? { name: undefined, version: undefined, isSekisho: false, wantsLogin } : undefined
}

/** Of a GET for a stream (2024-11-05 transports, HTTP with SSE): the first event says where messages go. */
export function isSseEndpoint({ status, headers, body }: Answer): boolean {
  return (
    status === 200 &&
    /^text\/event-stream\b/i.test(String(headers['content-type'] ?? '')) &&
    /^event: ?endpoint\r?$/m.test(body) &&
    /^data: ?\S/m.test(body)
  )
}

type Message = Readonly<Record<string, unknown>>

function messagesIn(body: string, type: string): readonly Message[] {
  const texts = /^text\/event-stream\b/i.test(type) ? [...body.matchAll(/^data: ?(.*)$/gm)].map(([, data = '']) => data) : [body]
  return texts.flatMap((text) => {
    try {
      const read: unknown = JSON.parse(text)
      return (Array.isArray(read) ? read : [read]).filter(isObject)
    } catch {
      return []
    }
  })
}

/** JSON-RPC 2.0, section 5.1: what every other service that speaks JSON-RPC answers to our methods. */
const methodNotFound = -32601

/** An answer to `initialize` or `server/discover`, or an error of somebody who knows these methods. */
function isReply({ jsonrpc, result, error }: Message): boolean {
  if (jsonrpc !== '2.0') return false
  if (isObject(error)) return typeof error['code'] === 'number' && error['code'] !== methodNotFound
  return isObject(result) && (typeof result['protocolVersion'] === 'string' || Array.isArray(result['supportedVersions']))
}

function infoOf(result: unknown): { name: string | undefined; version: string | undefined } {
  const meta = isObject(result) && isObject(result['_meta']) ? result['_meta'][metaKeys.serverInfo] : undefined
  const info = isObject(result) && isObject(result['serverInfo']) ? result['serverInfo'] : meta
  const said = (key: string) => (isObject(info) ? printable(textOf(info[key])) || undefined : undefined)
  return { name: said('name'), version: said('version') }
}

const isOurs = ({ error }: Message, name: string | undefined): boolean =>
  name === implementation.name || (isObject(error) && isObject(error['data']) && isObject(error['data'][refusalKey]))
