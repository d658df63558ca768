/** Wrapping and unwrapping one entry: what is left alone, what changes, and that nothing else does, for files however they are written. */
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import fc from 'fast-check'
import { readTree } from './config-file.ts'
import { type Dialect, dialects } from './dialects.ts'
import { entriesOf } from './entries.ts'
import { guardedIn, guardWords } from './guarded.ts'
import { unwrap, wrapLocal, wrapRemote } from './rewrite.ts'
import { changedAt, type Format, isMap, type Path, type Tree, valueAt } from './tree.ts'

const launcher = ['/usr/bin/node', '/opt/a b/"sekisho"/dist/cli/main.js']
const words = guardWords(launcher, 'files')

/** The entry at `path` with Sekisho before it, whichever kind it is. */
function wrapped(tree: Tree, path: Path, dialect: Dialect) {
  const server = entriesOf(tree, dialect).servers.find((one) => JSON.stringify(one.path) === JSON.stringify(path))
  return server?.url === undefined ? wrapLocal(tree, path, dialect, words) : wrapRemote(tree, path, dialect, words)
}

describe('an entry is left alone', () => {
  const cases: readonly (readonly [says: string, Format, Dialect, Path, text: string, why: RegExp])[] = [
    [
      'headers',
      'json',
      dialects.usual,
      ['mcpServers', 'a'],
      '{"mcpServers":{"a":{"url":"https://x/","headers":{}}}}',
      /^has "headers"/,
    ],
    [
      'a token',
      'toml',
      dialects.codex,
      ['mcp_servers', 'a'],
      '[mcp_servers.a]\nurl = "https://x/"\nbearer_token_env_var = "T"\n',
      /^has "bearer_/,
    ],
    [
      'a name twice',
      'json',
      dialects.usual,
      ['mcpServers', 'a'],
      '{"mcpServers":{"a":{"command":"x"},"a":{"command":"y"}}}',
      /one place alone/,
    ],
    [
      'a command twice',
      'json',
      dialects.usual,
      ['mcpServers', 'a'],
      '{"mcpServers":{"a":{"command":"x","command":"y"}}}',
      /one place alone/,
    ],
    ['an empty command', 'json', dialects.opencode, ['mcp', 'a'], '{"mcp":{"a":{"command":[]}}}', /empty command/],
    [
      'arguments that are text',
      'json',
      dialects.usual,
      ['mcpServers', 'a'],
      '{"mcpServers":{"a":{"command":"x","args":"y"}}}',
      /not a list/,
    ],
    ['an alias', 'yaml', dialects.goose, ['extensions', 'b'], 'extensions:\n  a: &a { cmd: x }\n  b: *a\n', /an alias/],
    ['an anchor', 'yaml', dialects.goose, ['extensions', 'a'], 'extensions:\n  a: &a { cmd: x }\n  b: *a\n', /an anchor/],
    [
      'an anchor around it',
      'yaml',
      dialects.goose,
      ['extensions', 'a'],
      'extensions: &e\n  a: { cmd: x }\nother: *e\n',
      /would break/,
    ],
    [
      'an anchor in it',
      'yaml',
      dialects.goose,
      ['extensions', 'a'],
      'extensions:\n  a:\n    cmd: &c x\n    args: [*c]\n',
      /an anchor/,
    ],
    ['text over lines', 'yaml', dialects.goose, ['extensions', 'a'], 'extensions:\n  a:\n    cmd: >\n      x\n', /several lines/],
  ]
  for (const [says, format, dialect, path, text, why] of cases)
    test(says, () => {
      const result = wrapped(readTree(format, text), path, dialect)
      assert.equal(result.kind, 'left')
      assert.match(result.kind === 'left' ? result.why : '', why)
    })
})

const [node, script] = launcher.map((word) => JSON.stringify(word)) as [string, string]
const ours = `${script}, "run", "--id", "files", "--"`

describe('exactly these bytes change', () => {
  const cases: readonly (readonly [says: string, Format, Dialect, Path, before: string, after: string])[] = [
    [
      'JSON on one line',
      'json',
      dialects.usual,
      ['mcpServers', 'files'],
      '{"mcpServers":{"files":{"command":"npx","args":["-y","x"],"env":{"A":"1"}}}}',
      `{"mcpServers":{"files":{"command":${node},"args":[${ours}, "npx", "-y","x"],"env":{"A":"1"}}}}`,
    ],
    [
      'JSON without args, with CRLF, tabs, comments and a trailing comma',
      'json',
      dialects.usual,
      ['mcpServers', 'files'],
      '{\r\n\t"mcpServers": {\r\n\t\t"files": { // mine\r\n\t\t\t"command": "x", /* y */\r\n\t\t},\r\n\t},\r\n}\r\n',
      `{\r\n\t"mcpServers": {\r\n\t\t"files": { // mine\r\n\t\t\t"args": [${ours}, "x"],\r\n\t\t\t"command": ${node}, /* y */\r\n\t\t},\r\n\t},\r\n}\r\n`,
    ],
    [
      'arguments a line each',
      'json',
      dialects.usual,
      ['mcpServers', 'files'],
      '{\n  "mcpServers": {\n    "files": {\n      "command": "npx",\n      "args": [\n        "-y", // yes\n        "x"\n      ]\n    }\n  }\n}',
      `{\n  "mcpServers": {\n    "files": {\n      "command": ${node},\n      "args": [\n${[script, '"run"', '"--id"', '"files"', '"--"', '"npx"'].map((word) => `        ${word},\n`).join('')}        "-y", // yes\n        "x"\n      ]\n    }\n  }\n}`,
    ],
    [
      'a remote server of VS Code',
      'json',
      dialects.vscode,
      ['servers', 'files'],
      '{ "servers": { "files": { "type": "http", "url": "https://x/mcp" } } }',
      `{ "servers": { "files": { "type": "stdio", "args": [${ours}, "https://x/mcp"], "command": ${node} } } }`,
    ],
    [
      'a local server of opencode',
      'json',
      dialects.opencode,
      ['mcp', 'files'],
      '{ "mcp": { "files": { "type": "local", "command": ["npx", "x"] } } }',
      `{ "mcp": { "files": { "type": "local", "command": [${node}, ${ours}, "npx", "x"] } } }`,
    ],
    [
      'a remote server of opencode',
      'json',
      dialects.opencode,
      ['mcp', 'files'],
      '{ "mcp": { "files": { "type": "remote", "url": "https://x/mcp" } } }',
      `{ "mcp": { "files": { "type": "local", "command": [${node}, ${ours}, "https://x/mcp"] } } }`,
    ],
    [
      'Zed, as it once was',
      'json',
      dialects.zed,
      ['context_servers', 'files'],
      '{ "context_servers": { "files": { "command": { "path": "x", "args": [] } } } }',
      `{ "context_servers": { "files": { "command": { "path": ${node}, "args": [${ours}, "x"] } } } }`,
    ],
    [
      'a table of Codex',
      'toml',
      dialects.codex,
      ['mcp_servers', 'files'],
      "[mcp_servers.files] # mine\n  command = 'npx' # c\n\n[mcp_servers.files.env]\nA = '1'\n",
      `[mcp_servers.files] # mine\n  args = [${ours}, "npx"]\n  command = ${node} # c\n\n[mcp_servers.files.env]\nA = '1'\n`,
    ],
    [
      'dotted keys of Codex',
      'toml',
      dialects.codex,
      ['mcp_servers', 'files'],
      'mcp_servers.files.command = "npx"\nmodel = "o"\n',
      `mcp_servers.files.args = [${ours}, "npx"]\nmcp_servers.files.command = ${node}\nmodel = "o"\n`,
    ],
    [
      'an inline table of Codex',
      'toml',
      dialects.codex,
      ['mcp_servers', 'files'],
      'mcp_servers = { files = { command = "npx", args = [\n  "x", # y\n] } }',
      `mcp_servers = { files = { command = ${node}, args = [\n${[script, '"run"', '"--id"', '"files"', '"--"', '"npx"'].map((word) => `  ${word},\n`).join('')}  "x", # y\n] } }`,
    ],
    [
      'a block of Goose',
      'yaml',
      dialects.goose,
      ['extensions', 'files'],
      'extensions:\n  files:\n    cmd: npx # c\n    args:\n      # first\n      - -y\n',
      `extensions:\n  files:\n    cmd: ${node} # c\n    args:\n      # first\n${[script, '"run"', '"--id"', '"files"', '"--"', '"npx"'].map((word) => `      - ${word}\n`).join('')}      - -y\n`,
    ],
    [
      'the first member of an item of Continue',
      'yaml',
      dialects.continue,
      ['mcpServers', 0],
      'mcpServers:\n- command: x\n  name: files\n',
      `mcpServers:\n- args: [${ours}, "x"]\n  command: ${node}\n  name: files\n`,
    ],
    [
      'a remote server of Goose',
      'yaml',
      dialects.goose,
      ['extensions', 'files'],
      'extensions:\n  files:\n    uri: https://x/mcp\n    type: streamable_http\n',
      `extensions:\n  files:\n    args: [${ours}, "https://x/mcp"]\n    cmd: ${node}\n    type: "stdio"\n`,
    ],
  ]
  for (const [says, format, dialect, path, before, after] of cases)
    test(says, () => {
      const result = wrapped(readTree(format, before), path, dialect)
      assert.ok(result.kind === 'changed', JSON.stringify(result))
      assert.equal(result.tree.text, after)
      const back = unwrap(result.tree, path, dialect, result.undo, launcher)
      assert.equal(back.kind === 'changed' ? back.tree.text : back.why, before)
    })
})

describe('an entry that others wrote anew meanwhile', () => {
  const again = (text: string): string => JSON.stringify(JSON.parse(text), undefined, 4)
  const cases: readonly (readonly [says: string, Dialect, Path, before: string])[] = [
    [
      'with arguments',
      dialects.usual,
      ['mcpServers', 'a'],
      '{"mcpServers":{"a":{"command":"npx","args":["-y"],"env":{"A":"1"}}}}',
    ],
    ['without arguments', dialects.usual, ['mcpServers', 'a'], '{"mcpServers":{"a":{"command":"npx"}},"x":1}'],
    ['remote', dialects.usual, ['mcpServers', 'a'], '{"mcpServers":{"a":{"type":"http","url":"https://x/"}}}'],
    ['of opencode', dialects.opencode, ['mcp', 'a'], '{"mcp":{"a":{"type":"remote","url":"https://x/"}}}'],
  ]
  for (const [says, dialect, path, before] of cases)
    test(`${says}: says again what it said`, () => {
      const result = wrapped(readTree('json', before), path, dialect)
      assert.ok(result.kind === 'changed')
      const back = unwrap(readTree('json', again(result.tree.text)), path, dialect, result.undo, launcher)
      assert.deepEqual(JSON.parse(back.kind === 'changed' ? back.tree.text : ''), JSON.parse(before))
    })

  test('without a record, a local one is put together from what it says, and a remote one is not', () => {
    const path = ['mcpServers', 'a']
    for (const [entry, expected] of [
      [
        { command: 'npx', args: ['-y'] },
        { command: 'npx', args: ['-y'] },
      ],
      [{ command: 'npx' }, { command: 'npx', args: [] }],
      [{ url: 'https://x/' }, undefined],
    ] as const) {
      const result = wrapped(readTree('json', JSON.stringify({ mcpServers: { a: entry } })), path, dialects.usual)
      assert.ok(result.kind === 'changed')
      const back = unwrap(result.tree, path, dialects.usual, undefined, launcher)
      const now = back.kind === 'changed' ? JSON.parse(back.tree.text).mcpServers.a : undefined
      assert.deepEqual(now, expected)
    }
  })
})

test('a command is known again whichever copy of Sekisho wrote it', () => {
  const cases: readonly (readonly [string, readonly string[] | undefined])[] = [
    ['npx -y sekisho@0.1.0 run --id x -- npx y', ['npx', 'y']],
    ['sekisho run -- https://x/', ['https://x/']],
    ['C:\\tools\\sekisho.cmd run --id x -- y', ['y']],
    ['/n/node --flag /src/checkout/src/cli/main.ts run --id x -- y -- z', ['y', '--', 'z']],
    ['/n/node /other/dist/cli/main.js run -- y', undefined],
    ['sekisho run', undefined],
    ['sekisho start', undefined],
    ['npx not-sekisho run -- y', undefined],
    ['npm run --id x -- y', undefined],
  ]
  for (const [given, inner] of cases) assert.deepEqual(guardedIn(given.split(' '))?.inner, inner, given)
})

// ---- Whatever a file looks like -----------------------------------------------------------------------------------------

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
          const result = wrapped(now, server.path, dialect)
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
