/** JSON as servers in other languages read it. Each function gives one reading of a text that has several. */
import type { Json } from './echo.ts'

type Pair = readonly [key: string, value: unknown]
export type Reading = (text: string) => Json

/** The first of two equal keys counts (as in some C and Rust readers). */
export const firstWins: Reading = (text) => build(text, (pairs) => [...pairs].reverse())

/** Keys match whatever their case, and the last counts (encoding/json of Go; GHSA-4gph-2hhr-5mwg). */
export const caseBlind: Reading = (text) =>
  build(text, (pairs) => pairs.map(([key, value]) => [key.toUpperCase().toLowerCase(), value]))

/** What a merge over a default object makes of it (CWE-1321): from now on every object has that name. We put the world right again. */
export const merged: Reading = (text) => {
  const read = merge({}, JSON.parse(text) as Json)
  const { name } = {} as Json
  delete (Object.prototype as unknown as Json)['name']
  return { ...read, params: { ...(read['params'] as Json), name } }
}

function merge(target: Json, source: Json): Json {
  for (const key of Object.keys(source)) {
    const value = source[key]
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) merge((target[key] ??= {}) as Json, value as Json)
    else target[key] = value
  }
  return target
}

/** A reader that sees every pair, duplicates included: each key is numbered before JSON.parse meets it. */
function build(text: string, order: (pairs: Pair[]) => Pair[]): Json {
  let count = 0
  const numbered = text.replace(/"((?:[^"\\]|\\.)*)"(\s*:)/g, (_, key: string, colon: string) => `"${count++} ${key}"${colon}`)
  const read = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(read)
    if (typeof value !== 'object' || value === null) return value
    const pairs = Object.entries(value).map(([key, member]): Pair => [key.slice(key.indexOf(' ') + 1), read(member)])
    return Object.fromEntries(order(pairs))
  }
  return read(JSON.parse(numbered)) as Json
}
