/** Definitions out of a file: what a server would answer, without the server. */
import { type JsonObject, JsonRefused, type JsonValue, parseStrict } from '../../lib/strict-json.ts'
import { isObject } from '../../protocol/json-rpc.ts'
import { type Definition, type ListedKind, lists } from '../definition.ts'

/** What is wrong with a manifest, and how to mend it. */
export class ManifestRefused extends Error {
  override readonly name = 'ManifestRefused'
}

/**
 * Takes a result of `tools/list` and of the other lists, a JSON-RPC response with one in it, several of them in one object, or
 * a bare list of tools. Throws {@link ManifestRefused}.
 */
export function definitionsIn(text: string): readonly Definition[] {
  const value = answerIn(text)
  if (Array.isArray(value)) return listed('tool', value, 'the list')
  if (!isObject(value))
    throw new ManifestRefused('it is neither an object nor a list; give a result of tools/list, or a list of tools')
  const found = (Object.entries(lists) as [ListedKind, (typeof lists)[ListedKind]][]).flatMap(([kind, { items }]) =>
    value[items] === undefined ? [] : listed(kind, value[items], `"${items}"`),
  )
  const { instructions } = value
  if (typeof instructions === 'string') found.push({ kind: 'instructions', name: '', body: { instructions } })
  if (found.length === 0 && !Object.values(lists).some(({ items }) => value[items] !== undefined))
    throw new ManifestRefused('it has none of "tools", "prompts", "resources", "resourceTemplates" and "instructions"')
  return found
}

/** What a server would answer, not looked at yet. Throws {@link ManifestRefused}. */
export const answerIn = (text: string): JsonValue => unwrapped(parsed(text))

function parsed(text: string): JsonValue {
  try {
    return parseStrict(text.replace(/^\ufeff/, ''))
  } catch (error) {
    if (error instanceof JsonRefused) throw new ManifestRefused(`it is not JSON that can be relied on: ${error.message}`)
    throw error
  }
}

const unwrapped = (value: JsonValue): JsonValue =>
  isObject(value) && value['jsonrpc'] !== undefined && isObject(value['result']) ? value['result'] : value

function listed(kind: ListedKind, entries: unknown, where: string): Definition[] {
  if (!Array.isArray(entries)) throw new ManifestRefused(`${where} is not a list`)
  const { key } = lists[kind]
  return entries.map((body: unknown, at) => {
    const name = isObject(body) ? body[key] : undefined
    if (typeof name !== 'string') throw new ManifestRefused(`entry ${at + 1} of ${where} has no "${key}"`)
    return { kind, name, body: body as JsonObject }
  })
}
