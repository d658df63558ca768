/**
 * `Mcp-Param-*` of a modern HTTP request against its arguments (2026-07-28, Server Validation). Whoever reads the body is a
 * validating server, whatever stands behind it, so this is asked of every call, not only of those that go on over HTTP.
 */

import type { Parcel } from '../pipeline/parcel.ts'
import { Refusal } from '../pipeline/refusal.ts'
import { isObject } from '../protocol/json-rpc.ts'
import { paramMismatch } from '../protocol/revisions/2026-07-28/headers.ts'
import type { Declaration } from '../protocol/revisions/2026-07-28/param-headers.ts'

type Declarations = readonly Declaration[]
/** The headers that the called tool declares; `fresh` asks the server again. */
type Ask = (fresh: boolean) => Declarations | Promise<Declarations>

export const isMirrored = ({ origin, concerns }: Parcel): boolean =>
  origin.era === 'modern' && origin.door !== 'stdio' && concerns === 'tool'

/** Throws HEADER_MISMATCH. A schema that may be old is asked for again before anything is refused. */
export function checkParams(call: Parcel, ask: Ask): Promise<void> | undefined {
  const declared = ask(false)
  if (!(declared instanceof Promise) && faultOf(call, declared) === undefined) return undefined
  return checkAgain(call, ask, declared)
}

async function checkAgain(call: Parcel, ask: Ask, declared: Declarations | Promise<Declarations>): Promise<void> {
  if (faultOf(call, await declared) === undefined) return
  const fault = faultOf(call, await ask(true))
  if (fault !== undefined) throw new Refusal('HEADER_MISMATCH', { detail: fault })
}

function faultOf(call: Parcel, declared: Declarations): string | undefined {
  if (declared.length === 0) return undefined
  const args = call.body['arguments']
  return paramMismatch(call.paramHeaders, declared, isObject(args) ? args : {})
}
