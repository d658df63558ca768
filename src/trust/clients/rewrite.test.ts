/** Wrapping and unwrapping one entry: what is left alone, what changes, and that nothing else does, for files however they are written. */
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { readTree } from './config-file.ts'
import { type Dialect, dialects } from './dialects.ts'
import { entriesOf } from './entries.ts'
import { guardWords } from './guarded.ts'
import { unwrap, wrapEntry } from './rewrite.ts'
import type { Format, Path, Tree } from './tree.ts'

const launcher = ['/usr/bin/node', '/opt/a b/"sekisho"/dist/cli/main.js']
const words = guardWords(launcher, ['--id', 'files'])

/** The entry at `path` with Sekisho before it, whichever kind it is. */
function wrapped(tree: Tree, path: Path, dialect: Dialect) {
  const server = entriesOf(tree, dialect).servers.find((one) => JSON.stringify(one.path) === JSON.stringify(path))
  return wrapEntry(tree, path, dialect, words, server?.url !== undefined)
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
    [
      'an item that is a key alone',
      'yaml',
      dialects.goose,
      ['extensions', 'a'],
      'extensions:\n  a:\n    cmd: x\n    args: [ :]\n',
      /could not be given back exactly/,
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
