/** Which server a message on the door to all servers is for, and the message as that server knows it. */
import type { JsonObject } from '../../lib/strict-json.ts'
import { Refusal } from '../../pipeline/refusal.ts'
import { isObject } from '../../protocol/json-rpc.ts'
import type { Method } from '../../protocol/methods.ts'
import { subjectOf } from '../../protocol/methods.ts'
import type { Names } from './names.ts'

/** For a method that names a subject. Throws INVALID_PARAMS for a name that is none of ours. */
export function addressed(names: Names, row: Method, params: JsonObject): { server: string; params: JsonObject } {
  const shown = subjectOf(row, params)
  const path = row.subjectPath ?? []
  if (shown === undefined) throw new Refusal('INVALID_PARAMS', { detail: `"${path.join('.')}" must be a string` })
  const found = names.split(shown)
  if (!found)
    throw new Refusal('INVALID_PARAMS', { detail: 'the name has no server id before "__"; list again to see the names' })
  return { server: found.server, params: replaced(params, path, shown, found.id) }
}

function replaced(params: JsonObject, path: readonly string[], shown: string, id: string): JsonObject {
  const [key, inner] = path as [string, string?]
  const value = params[key]
  if (inner === undefined) return { ...params, [key]: id }
  if (!isObject(value)) return params
  const member = value['uri'] === shown ? 'uri' : inner
  return { ...params, [key]: { ...value, [member]: id } }
}
