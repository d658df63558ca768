import { hash } from 'node:crypto'
import { canonicalJson } from './canonical-json.ts'

const known = new WeakMap<object, string>()

/** The SHA-256 of the canonical JSON of a value that does not change, in hex. Made once, however many ask. */
export function jsonDigest(value: object): string {
  let digest = known.get(value)
  if (digest === undefined) known.set(value, (digest = hash('sha256', canonicalJson(value), 'hex')))
  return digest
}
