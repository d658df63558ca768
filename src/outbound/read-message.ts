import { JsonRefused, parseStrict } from '../lib/strict-json.ts'
import { Refusal } from '../pipeline/refusal.ts'
import { EnvelopeRefused, type Message, readMessage } from '../protocol/json-rpc.ts'

/** One message of a server, from text. Throws UPSTREAM_INVALID: what cannot be read in one way is not relayed. */
export function readUpstream(text: string, depthMax: number): Message {
  try {
    return readMessage(parseStrict(text, depthMax))
  } catch (error) {
    if (error instanceof JsonRefused || error instanceof EnvelopeRefused)
      throw new Refusal('UPSTREAM_INVALID', { detail: error.message })
    throw error
  }
}
