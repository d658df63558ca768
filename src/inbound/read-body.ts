/** Bytes of a body to messages. What cannot be read in exactly one way is refused here, before anything is decided on it. */
import { isUtf8 } from 'node:buffer'
import { JsonRefused, type JsonValue, parseStrict } from '../lib/strict-json.ts'
import { Refusal } from '../pipeline/refusal.ts'
import { EnvelopeRefused, type Message, readMessage } from '../protocol/json-rpc.ts'

/** Throws PARSE. */
export function parseBody(bytes: Buffer, depthMax: number): JsonValue {
  if (!isUtf8(bytes)) throw new Refusal('PARSE', { detail: 'it is not UTF-8' })
  try {
    return parseStrict(bytes.toString('utf8'), depthMax)
  } catch (error) {
    throw new Refusal('PARSE', { detail: error instanceof JsonRefused ? error.message : 'unreadable' })
  }
}

/** Throws INVALID_REQUEST, with the id of the request where one could still be read. */
export function readOrRefuse(value: JsonValue): Message {
  try {
    return readMessage(value)
  } catch (error) {
    if (!(error instanceof EnvelopeRefused)) throw error
    throw new Refusal('INVALID_REQUEST', { detail: error.message, ...(error.id !== undefined && { id: error.id }) })
  }
}
