/** Files that are not what they should be, and entries that are not. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import test, { after, describe } from 'node:test'
import { fileBytesMax } from './config-file.ts'
import { discover } from './discover.ts'
import { entriesMax } from './entries.ts'
import { type Node, nodeAt } from './tree.ts'

const top = mkdtempSync(join(tmpdir(), 'sekisho-discover-'))
after(() => rmSync(top, { recursive: true, force: true }))
let count = 0
const newHome = (): string => {
  const home = join(top, `home-${++count}`)
  mkdirSync(home)
  return home
}
const put = (home: string, path: string, content: string | Buffer): string => {
  const file = join(home, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, content)
  return file
}
const look = (home: string, ...projects: string[]) => discover({ platform: 'linux', home }, projects)
const server = '{"mcpServers":{"a":{"command":"x"}}}'

describe('a file that cannot be used is named, with what is wrong, and the others are read', () => {
  const cases: readonly (readonly [says: string, make: (file: string) => void, message: RegExp])[] = [
    [
      'a link out of the home',
      (file) => symlinkSync(put(top, 'outside.json', server), file),
      /leads out of .*, and is not followed/,
    ],
    ['a link to a device', (file) => symlinkSync('/dev/zero', file), /leads out of/],
    ['a pipe that nobody writes to', (file) => execFileSync('mkfifo', [file]), /not a file/],
    ['a folder', (file) => mkdirSync(file), /not a file/],
    [
      'more than anybody writes',
      (file) => (writeFileSync(file, ''), truncateSync(file, fileBytesMax + 1)),
      /has 33554433 bytes, and at most 33554432/,
    ],
    ['not UTF-8', (file) => writeFileSync(file, Buffer.from([0x7b, 0xff, 0x7d])), /not in UTF-8/],
    ['UTF-16', (file) => writeFileSync(file, Buffer.from('\uFEFF{}', 'utf16le')), /not in UTF-8/],
    ['a link to itself', (file) => symlinkSync(file, file), /cannot be read \(ELOOP\)/],
    ['not JSON', (file) => writeFileSync(file, '{\n "a": nope }'), /it is not JSON: invalid symbol/],
    ...(process.getuid?.() === 0
      ? []
      : [['closed', (file: string) => (writeFileSync(file, '{}'), chmodSync(file, 0)), /cannot be read \(EACCES\)/] as const]),
  ]
  for (const [says, make, message] of cases)
    test(says, () => {
      const home = newHome()
      put(home, '.lmstudio/mcp.json', server)
      mkdirSync(join(home, '.cursor'))
      make(join(home, '.cursor/mcp.json'))
      const [broken, good] = look(home)
      assert.equal(broken?.client, 'cursor')
      assert.deepEqual(broken.servers, [])
      assert.match(broken.problems[0]?.message ?? '', message)
      assert.equal(good?.servers.length, 1)
    })
})

test('what is not there is not mentioned, nor is a link that leads nowhere', () => {
  const home = newHome()
  symlinkSync(join(home, 'gone'), join(home, '.claude.json'))
  assert.deepEqual(look(home, join(home, 'no-such-project')), [])
})

test('a link within the home is followed, and the file says where it really is', () => {
  const home = newHome()
  const real = put(home, 'dotfiles/cursor.json', `\uFEFF${server}`)
  mkdirSync(join(home, '.cursor'))
  symlinkSync(real, join(home, '.cursor/mcp.json'))
  const [found] = look(home)
  assert.deepEqual([found?.file, found?.source?.real, found?.servers[0]?.name], [join(home, '.cursor/mcp.json'), real, 'a'])
})

test('a project may not lead out of itself, even into the home', () => {
  const home = newHome()
  const real = put(home, 'secret.json', server)
  const project = join(home, 'project')
  mkdirSync(project)
  symlinkSync(real, join(project, '.mcp.json'))
  assert.match(look(home, project)[0]?.problems[0]?.message ?? '', /leads out of/)
})

test('the order is that of the table, then of names; a project that is the home counts once', () => {
  const home = newHome()
  for (const name of ['b', 'a', 'c']) put(home, `.aws/amazonq/agents/${name}.json`, server)
  put(home, '.vscode/mcp.json', '{"servers":{}}')
  put(home, '.claude.json', '{}')
  const expected = ['.claude.json', '.vscode/mcp.json', ...['a', 'b', 'c'].map((name) => `.aws/amazonq/agents/${name}.json`)]
  assert.deepEqual(
    look(home, home).map(({ file }) => file),
    expected.map((path) => join(home, path)),
  )
})

describe('entries', () => {
  const cases: readonly (readonly [
    says: string,
    text: string,
    servers: readonly string[],
    problems: readonly [number, string][],
  ])[] = [
    [
      'that are none',
      '{"mcpServers":{\n"a":1,\n"b":{},\n"c":{"command":5},\n"d":{"command":""}}}',
      ['d'],
      [
        [2, 'the server "a" is not a set of settings'],
        [3, 'the server "b" has neither a command nor a URL'],
        [4, 'the server "c" has neither a command nor a URL'],
      ],
    ],
    [
      'with a name twice: the later one counts, as clients have it',
      '{"mcpServers":{"a":{"command":"x"},\n"a":{"command":"y"}}}',
      ['a y'],
      [[2, 'the name "a" stands twice; the later one counts']],
    ],
    ['whose servers are no map', '{"mcpServers":[{"command":"x"}]}', [], []],
    [
      'called like a part of every object',
      '{"mcpServers":{"__proto__":{"command":"x"},"constructor":{"command":"y"}}}',
      ['__proto__', 'constructor'],
      [],
    ],
    [
      'with arguments and variables that are no text',
      '{"mcpServers":{"a":{"command":"x","args":[{"y":null},null],"env":{"A":{},"B":[1]}}}}',
      ['a x {"y":null} null'],
      [],
    ],
    ['with arguments that are numbers', '{"mcpServers":{"a":{"command":"x","args":[1,true]}}}', ['a x 1 true'], []],
  ]
  for (const [says, text, servers, problems] of cases)
    test(says, () => {
      const home = newHome()
      put(home, '.cursor/mcp.json', text)
      const [found] = look(home)
      assert.deepEqual(
        found?.problems.map(({ line, message }) => [line, message]),
        problems,
      )
      const shown = found.servers.map(({ name, command, args }) => [name, command, ...args].join(' '))
      assert.ok(
        servers.every((expected, at) => shown[at]?.startsWith(expected)),
        String(shown),
      )
      assert.equal(shown.length, servers.length)
    })
})

describe('of a file with more servers than anybody has', () => {
  const ids = Array.from({ length: entriesMax + 1 }, (_, at) => `s${at}`)
  const texts: readonly (readonly [path: string, text: string])[] = [
    ['.cursor/mcp.json', JSON.stringify({ mcpServers: Object.fromEntries(ids.map((id) => [id, { command: id }])) })],
    ['.codex/config.toml', ids.map((id) => `[mcp_servers.${id}]\ncommand = "${id}"\n`).join('')],
    ['.config/goose/config.yaml', `extensions:\n${ids.map((id) => `  ${id}: { cmd: ${id} }\n`).join('')}`],
  ]
  for (const [path, text] of texts)
    test(`the first are looked at, and it says so: ${path}`, () => {
      const home = newHome()
      put(home, path, text)
      const [found] = look(home)
      assert.deepEqual(
        found?.servers.map(({ command }) => command),
        ids.slice(0, entriesMax),
      )
      assert.match(found?.problems[0]?.message ?? '', /it has 1001 servers, and only the first 1000 are looked at/)
    })

  test('each is found without a look at all the others', () => {
    let reads = 0
    const value: Node = { kind: 'scalar', start: 0, end: 0, value: 1 }
    const members = ids.map((key) => ({ key, start: 0, prefix: '', value }))
    const root = {
      kind: 'map',
      block: false,
      start: 0,
      end: 0,
      get members() {
        reads++
        return members
      },
    } as const
    for (const id of ids) assert.equal(nodeAt(root, [id]), value)
    assert.equal(reads, 1)
  })
})

test('an entry knows its lines, and shows no value of a variable', () => {
  const home = newHome()
  put(home, '.codex/config.toml', 'model = "o"\n\n[mcp_servers.a]\ncommand = "x"\n[mcp_servers.a.env]\nTOKEN = "s3cret"\n')
  put(
    home,
    '.cursor/mcp.json',
    '{\n  "mcpServers": {\n    "b": {\n      "url": "https://x/",\n      "headers": { "H": "s3cret" }\n    }\n  }\n}\n',
  )
  const files = look(home)
  assert.deepEqual(
    files.flatMap(({ servers }) => servers.map(({ at }) => at)),
    [
      { line: 3, column: 5, endLine: 6 },
      { line: 3, column: 1, endLine: 6 },
    ],
  )
  const [, codex] = files
  const env = codex?.servers[0]?.env
  assert.deepEqual(env?.reveal(), [['TOKEN', 's3cret']])
  for (const shown of [JSON.stringify(env), String(env?.names), `${JSON.stringify(codex?.servers)}`])
    assert.doesNotMatch(shown, /s3cret/)
})
