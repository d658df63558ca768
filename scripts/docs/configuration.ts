/** YAML blocks that are configurations are accepted ones, and the reference has every key there is. */

import { parse } from 'yaml'
import { z } from 'zod'
import { parseConfig } from '../../src/config/load.ts'
import { ConfigRefused } from '../../src/config/problem.ts'
import { configSchema } from '../../src/config/schema.ts'
import type { Document } from './documents.ts'

const topKeys = Object.keys(configSchema.shape)

/** What a part of a configuration may lack: the servers, roles and keys that it names. */
const isOfTheWhole = (message: string): boolean => /^names the (server|role|key) /.test(message)

/** A block is a configuration when it begins with one of its keys. A part of one is checked but for what stands elsewhere. */
export function refusedConfigurations(documents: readonly Document[]): string[] {
  return documents.flatMap(({ file, blocks }) =>
    blocks
      .filter(
        ({ language, text }) => /^ya?ml$/.test(language) && topKeys.includes(/^(?:#.*\n|\s*\n)*(\w+):/.exec(text)?.[1] ?? ''),
      )
      .flatMap(({ line, text }) => problemsOf(text).map((problem) => `${file}:${line + problem.line - 1}: ${problem.said}`)),
  )
}

function problemsOf(text: string): { line: number; said: string }[] {
  try {
    parseConfig(text, '/docs')
    return []
  } catch (error) {
    if (!(error instanceof ConfigRefused)) throw error
    const isWhole = Object.hasOwn((parse(text) ?? {}) as object, 'servers')
    return error.problems
      .filter(({ message }) => isWhole || !isOfTheWhole(message))
      .map(({ line, path, message }) => ({ line, said: `the configuration is refused: ${path} ${message}` }))
  }
}

const reference = 'docs/reference/configuration.md'

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>
  readonly items?: Schema
  readonly additionalProperties?: Schema | boolean
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
}

/** Every key of the schema stands in the reference as code, alone or at the end of a path. */
export function unwrittenKeys(documents: readonly Document[]): string[] {
  const page = documents.find(({ file }) => file === reference)
  if (page === undefined) return [`${reference}:1: is missing`]
  const written = new Set(page.spans.flatMap(({ text }) => text.split(/[.[\]<>\s:]+/)))
  const schema = z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' }) as Schema
  return [...keysOf(schema)].filter((key) => !written.has(key)).map((key) => `${reference}:1: the key "${key}" is missing`)
}

function* keysOf({ properties = {}, items, additionalProperties, anyOf = [], oneOf = [] }: Schema): Generator<string> {
  for (const [key, value] of Object.entries(properties)) {
    yield key
    yield* keysOf(value)
  }
  for (const inner of [items, additionalProperties, ...anyOf, ...oneOf]) if (typeof inner === 'object') yield* keysOf(inner)
}
