/** Files however they are written, also with slips in them: wrapping changes what it should, unwrapping gives every byte back. */
import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { FileRefused, readTree } from './config-file.ts'
import { type Dialect, dialects } from './dialects.ts'
import { entriesOf, type FoundServer } from './entries.ts'
import { guardWords } from './guarded.ts'
import { unwrap, wrapEntry } from './rewrite.ts'
import { changedAt, type Format, isMap, type Tree, valueAt } from './tree.ts'

const launcher = ['/usr/bin/node', '/opt/a b/"sekisho"/dist/cli/main.js']
const words = guardWords(launcher, ['--id', 'files'])
const wrapped = (tree: Tree, { url, path }: FoundServer, dialect: Dialect) =>
  wrapEntry(tree, path, dialect, words, url !== undefined)

interface Model {
  readonly name: string
  readonly program: string
  readonly args: readonly string[] | undefined
  readonly env: Readonly<Record<string, string>> | undefined
  readonly url: boolean
}
const word = fc.oneof(
  fc.constantFrom(
    'npx',
    '-y',
    '--',
    'run',
    '@scope/x@1.2.3',
    'a b',
    "it's",
    'C:\\x',
    `\${input:t}`,
    '#no',
    ': ',
    '- ',
    'é日',
    '{}',
    '"',
    'yes',
    '1',
    'null',
    '&a',
    '*a',
    '',
  ),
  fc.string({ maxLength: 12 }).filter((text) => !/[\u0000-\u001f\u007f-\u009f\ufeff\u2028\u2029\ud800-\udfff]/.test(text)),
)
const program = word.filter((text) => text !== '')
const model: fc.Arbitrary<Model> = fc.record({
  name: fc.constantFrom('files', 'a b', 'x.y', 'größe', 'n-1', '"q"'),
  program,
  args: fc.option(fc.array(word, { maxLength: 4 }), { nil: undefined }),
  env: fc.option(fc.dictionary(fc.constantFrom('A', 'TOKEN', 'X_1'), word, { maxKeys: 2 }), { nil: undefined }),
  url: fc.boolean(),
})
const models = fc.uniqueArray(model, { minLength: 1, maxLength: 4, selector: ({ name }) => name })

/** Draws from a list, the same for the same seed. */
class Draws {
  readonly #choices: readonly number[]
  #at = 0
  constructor(choices: readonly number[]) {
    this.#choices = choices
  }
  of<Value>(values: readonly Value[]): Value {
    return values[(this.#choices[this.#at++ % this.#choices.length] ?? 0) % values.length] as Value
  }
}
const draws = fc.array(fc.nat(1000), { minLength: 40, maxLength: 80 }).map((choices) => new Draws(choices))

const url = 'https://mcp.example/mcp?x=1'
const members = ({ program, args, env, url: isRemote }: Model): (readonly [string, unknown])[] =>
  isRemote
    ? [
        ['url', url],
        ['disabled', false],
      ]
    : [['command', program], ...(args ? [['args', args] as const] : []), ...(env ? [['env', env] as const] : [])]

function jsonText(value: unknown, draw: Draws): string {
  const gap = (): string => draw.of(['', '', ' ', '\n  ', '\r\n', '\t', ' /* , ] } */ ', ' // "x": [\n'])
  const comma = (count: number, at: number): string => (at < count - 1 ? ',' : draw.of(['', '', ',']))
  if (Array.isArray(value))
    return `[${gap()}${value.map((item, at) => `${jsonText(item, draw)}${gap()}${comma(value.length, at)}${gap()}`).join('')}]`
  if (!isMap(value)) return JSON.stringify(value)
  const entries = Object.entries(value)
  return `{${gap()}${entries.map(([key, member], at) => `${JSON.stringify(key)}${gap()}:${gap()}${jsonText(member, draw)}${gap()}${comma(entries.length, at)}${gap()}`).join('')}}`
}

function tomlText(servers: readonly Model[], draw: Draws): string {
  const text = (value: string): string => {
    const basic = JSON.stringify(value).replace(/\u007f/g, '\\u007f')
    return draw.of([basic, value.includes("'") ? basic : `'${value}'`, `"""${basic.slice(1, -1)}"""`])
  }
  const key = (name: string): string => (/^[\w-]+$/.test(name) ? draw.of([name, `"${name}"`]) : JSON.stringify(name))
  const gap = (): string => draw.of(['', ' ', '\n  ', ' # ] "\n', '\t'])
  const list = (items: readonly string[]): string =>
    `[${gap()}${items.map((item, at) => `${text(item)}${gap()}${at < items.length - 1 ? ',' : draw.of(['', ','])}${gap()}`).join('')}]`
  const inline = (value: unknown): string =>
    Array.isArray(value)
      ? list(value as string[])
      : isMap(value)
        ? `{ ${Object.entries(value)
            .map(([name, member]) => `${key(name)} = ${inline(member)}`)
            .join(', ')} }`
        : typeof value === 'string'
          ? text(value)
          : String(value)
  const end = (): string => draw.of(['\n', ' # [x]\n', '\n\n', '\r\n'])
  const server = (one: Model): string => {
    const path = `mcp_servers.${key(one.name)}`
    const given = members(one)
    switch (draw.of(['table', 'dotted', 'sub'])) {
      case 'dotted':
        return given.map(([name, value]) => `${path} . ${name} = ${inline(value)}${end()}`).join('')
      case 'sub':
        return `[ ${path} ]${end()}${given
          .filter(([, value]) => !isMap(value))
          .map(([name, value]) => `\t${name}=${inline(value)}${end()}`)
          .join('')}${given
          .filter(([, value]) => isMap(value))
          .map(
            ([name, value]) =>
              `[${path}.${name}]\n${Object.entries(value as object)
                .map(([at, of]) => `${at} = ${text(String(of))}${end()}`)
                .join('')}`,
          )
          .join('')}`
      default:
        return `[${path}]${end()}${given.map(([name, value]) => `${name} = ${inline(value)}${end()}`).join('')}`
    }
  }
  // Dotted keys belong to the table before them, so they come first.
  const written = servers.map(server).sort((one, other) => Number(one.startsWith('[')) - Number(other.startsWith('[')))
  return `model = "o3" # [mcp_servers.x]\nat = 1979-05-27T07:32:00Z\n${written.join('')}\n[[rules]]\nx = 0x1F\n[[rules]]\nx = 1e3\n`
}

function yamlText(servers: readonly Model[], draw: Draws): string {
  const text = (value: string): string =>
    draw.of([
      JSON.stringify(value),
      `'${value.replaceAll("'", "''")}'`,
      /^[a-z][a-z0-9]*$/.test(value) && !/^(y|n|yes|no|null|true|false)$/.test(value) ? value : JSON.stringify(value),
    ])
  const end = (): string => draw.of(['\n', ' # x: [\n', '\n\n', '\n# y\n'])
  const flow = (value: unknown): string =>
    Array.isArray(value)
      ? `[${draw.of(['', ' '])}${value.map((item) => text(String(item))).join(draw.of([', ', ',\n        ']))}]`
      : isMap(value)
        ? `{ ${Object.entries(value)
            .map(([key, member]) => `${key}: ${flow(member)}`)
            .join(', ')} }`
        : typeof value === 'string'
          ? text(value)
          : String(value)
  const block = (value: unknown, indent: string): string => {
    const items = Array.isArray(value) ? (value as string[]) : []
    if (items.length === 0 || draw.of([true, false])) return ` ${flow(value)}${end()}`
    const own = draw.of([indent, `${indent}  `, `${indent}   `])
    return `${draw.of(['', ' # items'])}\n${items.map((item) => `${own}-${draw.of([' ', '   '])}${text(item)}${draw.of(['\n', ' # x\n', `\n${own}# y\n`])}`).join('')}`
  }
  return `name: x\nmcpServers:\n${servers
    .map((one) => {
      const given = [['name', one.name] as const, ...members(one)]
      if (draw.of([true, false, false]))
        return `  - ${flow(Object.assign(Object.create(null), Object.fromEntries(given)))}${end()}`
      return given.map(([key, value], at) => `${at === 0 ? '  - ' : '    '}${key}:${block(value, '    ')}`).join('')
    })
    .join('')}other: [1, 2]\n`
}

const written: readonly (readonly [Format, Dialect, (servers: readonly Model[], draw: Draws) => string])[] = [
  [
    'json',
    dialects.usual,
    (servers, draw) =>
      jsonText(
        Object.assign(Object.create(null), {
          a: 1,
          mcpServers: Object.assign(
            Object.create(null),
            Object.fromEntries(
              servers.map((one) => [one.name, Object.assign(Object.create(null), Object.fromEntries(members(one)))]),
            ),
          ),
          z: [true, null, -1.5e3],
        }),
        draw,
      ),
  ],
  ['toml', dialects.codex, tomlText],
  ['yaml', dialects.continue, yamlText],
]

/** An entry without what wrapping is about. */
const spared = (value: unknown): unknown =>
  Object.fromEntries(Object.entries(value as object).filter(([key]) => !['command', 'args', 'url'].includes(key)))

for (const [format, dialect, write] of written)
  test(`${format}: whatever it looks like, wrapping changes what it should, and unwrapping gives every byte back`, () => {
    let wrappings = 0
    fc.assert(
      fc.property(models, draws, fc.boolean(), (servers, draw, isBackwards) => {
        const text = write(servers, draw)
        const tree = readTree(format, text)
        const found = entriesOf(tree, dialect).servers
        assert.deepEqual(found.map(({ name }) => name).sort(), servers.map(({ name }) => name).sort(), text)
        let now = tree
        const undos = found.flatMap((server) => {
          const result = wrapped(now, server, dialect)
          // Its own text may be such that nobody can tell it from Sekisho's.
          if (result.kind === 'left') return assert.fail(`${result.why}\n${text}`)
          now = result.tree
          wrappings++
          return [{ server, undo: result.undo }]
        })
        for (const { server, undo } of undos) {
          const entry = valueAt(now.plain, server.path) as Record<string, unknown>
          const own = server.command === undefined ? [url] : [server.command, ...server.args]
          assert.deepEqual([entry['command'], ...(entry['args'] as string[])], [...words, ...own])
          assert.ok(undo)
        }
        const others = (one: Tree) => found.reduce((value, { path }) => changedAt(value, path, spared), one.plain)
        assert.deepEqual(others(now), others(tree))
        for (const { server, undo } of isBackwards ? undos.toReversed() : undos) {
          const back = unwrap(now, server.path, dialect, undo, launcher)
          if (back.kind === 'left') return assert.fail(`${back.why}\n${now.text}`)
          now = back.tree
        }
        assert.equal(now.text, text)
      }),
      { numRuns: 300 },
    )
    assert.ok(wrappings > 300)
  })

for (const [format, dialect, write] of written)
  test(`${format}: with slips in it, it is refused, an entry is left alone, or every byte comes back`, () => {
    const slips = fc.array(
      fc.tuple(
        fc.nat(),
        fc.nat(12),
        fc.constantFrom(
          '',
          '"',
          "'",
          '{',
          '}',
          '[',
          ']',
          ',',
          ':',
          '\n',
          '  ',
          '- ',
          '#',
          '&a ',
          '*a',
          'args',
          '"args":[],',
          '=',
        ),
      ),
      {
        minLength: 1,
        maxLength: 3,
      },
    )
    const seen = { refused: 0, left: 0, undone: 0 }
    fc.assert(
      fc.property(models, draws, slips, (servers, draw, cuts) => {
        const text = cuts.reduce(
          (before, [at, length, piece]) => {
            const from = at % (before.length + 1)
            return before.slice(0, from) + piece + before.slice(from + (length % 4 === 0 ? length : 0))
          },
          write(servers, draw),
        )
        const tree = treeOf(format, text)
        if (tree === undefined) return void seen.refused++
        for (const server of entriesOf(tree, dialect).servers) {
          const result = wrapped(tree, server, dialect)
          if (result.kind === 'left') {
            seen.left++
            continue
          }
          const back = unwrap(result.tree, server.path, dialect, result.undo, launcher)
          if (back.kind === 'left') return assert.fail(`${back.why}\n${result.tree.text}`)
          assert.equal(back.tree.text, text)
          seen.undone++
        }
      }),
      { numRuns: 200 },
    )
    assert.ok(seen.refused > 5 && seen.undone > 5, JSON.stringify(seen))
  })

function treeOf(format: Format, text: string): Tree | undefined {
  try {
    return readTree(format, text)
  } catch (error) {
    if (error instanceof FileRefused) return undefined
    throw error
  }
}
