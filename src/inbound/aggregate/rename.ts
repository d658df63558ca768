/** Putting a server's prefix into what it said: every name, URI and task id by which the client could come back to it, and its voice. */
import type { JsonObject, JsonValue } from '../../lib/strict-json.ts'
import { type Cleared, rewritten } from '../../pipeline/judge.ts'
import { isObject } from '../../protocol/json-rpc.ts'
import type { Names } from './names.ts'
import { type Place, placesOf } from './places.ts'

/** An error names nothing. */
export const renamed = (names: Names, server: string, parcel: Cleared): Cleared =>
  parcel.member === 'error'
    ? parcel
    : rewritten(parcel, { body: prefixed(names, server, logged(server, parcel), placesOf(parcel)) })

/** A line of a log is that of the server that wrote it, whatever it calls itself (2025-11-25, Logging: `logger`). */
function logged(server: string, { method, body }: Cleared): JsonObject {
  if (method !== 'notifications/message') return body
  const { logger } = body
  return { ...body, logger: typeof logger === 'string' && logger !== '' ? `${server}/${logger}` : server }
}

export const prefixed = (names: Names, server: string, body: JsonObject, places: readonly Place[]): JsonObject =>
  places.reduce((changed, [kind, ...path]) => replacedAt(changed, path, (id) => names.shown(kind, server, id)), body)

function replacedAt<Value extends JsonValue>(value: Value, path: readonly string[], replace: (id: string) => string): Value
function replacedAt(value: JsonValue, [step, ...rest]: readonly string[], replace: (id: string) => string): JsonValue {
  if (step === undefined) return typeof value === 'string' ? replace(value) : value
  if (step === '*') return Array.isArray(value) ? value.map((one) => replacedAt(one, rest, replace)) : value
  const member = isObject(value) ? value[step] : undefined
  return member === undefined ? value : { ...(value as JsonObject), [step]: replacedAt(member, rest, replace) }
}
