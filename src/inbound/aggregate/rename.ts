/** Putting a server's prefix into what it said: every name and URI by which the client could come back to it. */
import type { JsonObject, JsonValue } from '../../lib/strict-json.ts'
import { isObject } from '../../protocol/json-rpc.ts'
import type { Method } from '../../protocol/methods.ts'
import { type Names, templateFor, uriFor } from './names.ts'

type List = NonNullable<Method['list']>

/** An entry of a catalog as it is shown. */
export function renamedEntry(names: Names, server: string, list: List, entry: JsonObject): JsonObject {
  const name = entry[list.key]
  if (typeof name !== 'string') return entry
  const shown =
    list.key === 'uri'
      ? uriFor(server, name)
      : list.key === 'uriTemplate'
        ? templateFor(server, name)
        : names.prefixed(server, name)
  return withUiUri(server, { ...entry, [list.key]: shown })
}

/** MCP Apps: a tool names the resource that shows it, which has moved with the tool. */
function withUiUri(server: string, entry: JsonObject): JsonObject {
  const meta = entry['_meta']
  const ui = isObject(meta) ? meta['ui'] : undefined
  if (!isObject(meta) || !isObject(ui) || typeof ui['resourceUri'] !== 'string') return entry
  return { ...entry, _meta: { ...meta, ui: { ...ui, resourceUri: uriFor(server, ui['resourceUri']) } } }
}

/** A result, with the URIs in `contents`, `content` and prompt messages made reachable from here. */
export function renamedResult(server: string, body: JsonObject): JsonObject {
  const { contents, content, messages } = body
  return {
    ...body,
    ...(Array.isArray(contents) && { contents: contents.map((part) => withUri(server, part)) }),
    ...(Array.isArray(content) && { content: content.map((part) => block(server, part)) }),
    ...(Array.isArray(messages) && {
      messages: messages.map((one) => (isObject(one) ? { ...one, content: block(server, one['content'] ?? null) } : one)),
    }),
    ...(typeof body['taskId'] === 'string' && { taskId: `${server}__${body['taskId']}` }),
  }
}

function block(server: string, part: JsonValue): JsonValue {
  if (!isObject(part)) return part
  if (part['type'] === 'resource_link') return withUri(server, part)
  if (part['type'] === 'resource' && part['resource'] !== undefined)
    return { ...part, resource: withUri(server, part['resource']) }
  return part
}

function withUri(server: string, part: JsonValue): JsonValue {
  return isObject(part) && typeof part['uri'] === 'string' ? { ...part, uri: uriFor(server, part['uri']) } : part
}

/** A notice; only the ones that name a resource or a task change. */
export function renamedNotice(server: string, method: string, body: JsonObject): JsonObject {
  if (method === 'notifications/resources/updated') return withUri(server, body) as JsonObject
  if (method === 'notifications/tasks' && typeof body['taskId'] === 'string')
    return { ...body, taskId: `${server}__${body['taskId']}` }
  return body
}
