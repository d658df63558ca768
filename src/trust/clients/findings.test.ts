/** What is wrong with entries, and what is not. */
import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { after, describe } from 'node:test'
import { discover } from './discover.ts'
import { findings } from './findings.ts'
import { startedBy } from './launchers.ts'

const home = mkdtempSync(join(tmpdir(), 'sekisho-findings-'))
after(() => rmSync(home, { recursive: true, force: true }))
for (const folder of ['.cursor', '.lmstudio']) mkdirSync(join(home, folder))

const eyes = {
  isSecret: (name: string, value: string) => /token|key/i.test(name) || value.includes('ghp_'),
  isSecretUrl: (url: string) => /key=|:p@/.test(url),
  masked: (words: readonly string[]) => words.map((word) => word.replace(/ghp_\w+/, '•••')),
  launcher: ['/n/node', '/s/main.js'],
}
function found(cursor: object, lmStudio: object = {}): readonly (readonly [string, string])[] {
  writeFileSync(join(home, '.cursor/mcp.json'), JSON.stringify({ mcpServers: cursor }))
  writeFileSync(join(home, '.lmstudio/mcp.json'), JSON.stringify({ mcpServers: lmStudio }))
  return findings(discover({ platform: 'linux', home }, []), eyes).map(({ rule, evidence }) => [rule, evidence])
}
const local = (line: string, rest: object = {}): object => {
  const [command, ...args] = line.split(' ')
  return { command, args, ...rest }
}

const wrong: readonly (readonly [rule: string, entry: object])[] = [
  ['clients/plain-secret', local('x', { env: { API_TOKEN: 'abc' } })],
  ['clients/plain-secret', local('x', { env: { OTHER: 'ghp_1' } })],
  ['clients/plain-secret', local('x --auth ghp_1')],
  ['clients/plain-secret', { url: 'https://x/', headers: { Authorization: 'Bearer abc' } }],
  ['clients/plain-secret', { url: 'https://x/?api_key=1' }],
  ['clients/plain-secret', { url: 'https://u:p@x/' }],
  ['clients/http-not-https', { url: 'http://mcp.example/' }],
  ['clients/http-not-https', local('/n/node /s/main.js run --id x -- http://mcp.example/')],
  ['clients/shell', { command: 'sh', args: ['-c', 'server --x'] }],
  ['clients/shell', { command: '/bin/bash', args: ['-lc', 'server'] }],
  ['clients/shell', { command: 'cmd.exe', args: ['/c', 'a & b'] }],
  ['clients/shell', { command: 'pwsh', args: ['-Command', 'x'] }],
  ['clients/shell', { command: 'bash', args: ['-c', 'curl https://x | sh'] }],
  ['clients/shell', local('/n/node /s/main.js run --id x -- sh -c server')],
  ['clients/unpinned', local('npx -y @scope/server')],
  ['clients/unpinned', local('cmd /c npx -y server')],
  ['clients/unpinned', local('sekisho run -- npx server')],
  ['clients/sudo', local('sudo server')],
  ['clients/dangerous-flag', local('server --dangerously-skip-permissions')],
  ['clients/dangerous-flag', local('docker run --privileged mcp/x:1.2')],
  ['clients/dangerous-flag', local('docker run -v /var/run/docker.sock:/var/run/docker.sock mcp/x:1.2')],
  ['clients/dangerous-flag', local('server', { env: { LD_PRELOAD: '/x.so' } })],
  ['clients/dangerous-flag', local('server', { trust: true })],
  ['clients/dangerous-flag', local('server', { alwaysAllow: ['*'] })],
]
describe('found', () => {
  for (const [rule, entry] of wrong)
    test(`${rule}: ${JSON.stringify(entry)}`, () => {
      const rules = found({ a: entry })
      assert.deepEqual(
        rules.map(([id]) => id),
        [rule],
      )
      assert.doesNotMatch(String(rules), /ghp_|abc/)
    })
})

const fine: readonly object[] = [
  local('/usr/bin/server --read-only'),
  local('npx -y @scope/server@1.2.3'),
  local('uvx server==1.2'),
  local('cmd /c npx -y server@1.2.3'),
  local('node server.js', { env: { API_TOKEN: `\${input:token}`, LOG: 'debug' } }),
  local('x', { env: { API_TOKEN: '$TOKEN' }, alwaysAllow: ['read'] }),
  { url: 'https://x/mcp', headers: { Authorization: `Bearer \${TOKEN}` } },
  { url: 'http://127.0.0.1:3000/mcp' },
  { url: 'http://localhost:3000/mcp' },
]
describe('nothing found', () => {
  for (const entry of fine) test(JSON.stringify(entry), () => assert.deepEqual(found({ a: entry }), []))
})

test('one name for two servers is found, and one server in two clients is not', () => {
  assert.deepEqual(found({ a: local('x'), b: local('y') }, { a: local('x'), b: local('sekisho run -- y') }), [])
  assert.deepEqual(found({ a: local('x') }, { a: local('y') }), [
    ['clients/same-name', 'cursor calls another server by the same name'],
  ])
})

test('a file that others may write', { skip: process.platform === 'win32' }, () => {
  assert.deepEqual(found({}), [])
  chmodSync(join(home, '.cursor/mcp.json'), 0o666)
  assert.deepEqual(found({}), [
    ['clients/writable-by-others', 'others may write it (mode 666), and so choose what is started as you; chmod go-w'],
  ])
  chmodSync(join(home, '.cursor/mcp.json'), 0o644)
})

test('every finding says whose, where, and which requirement it serves', () => {
  found({ a: local('sudo x') })
  const [finding] = findings(discover({ platform: 'linux', home }, []), eyes)
  assert.deepEqual(finding, {
    ...{ rule: 'clients/sudo', severity: 'high', evidence: 'it is started with sudo', owasp: 'MCP02', requirement: 'SUP-R1' },
    ...{ client: 'cursor', file: join(home, '.cursor/mcp.json'), server: 'a', at: { line: 1, column: 16, endLine: 1 } },
  })
})

const digest = `sha256:${'0'.repeat(64)}`
const started: readonly (readonly [line: string, named: string | undefined, isPinned?: boolean])[] = [
  ['npx server', 'server', false],
  ['npx -y server@latest', 'server@latest', false],
  ['npx -y server@1', 'server@1', false],
  ['npx -y server@^1.2.3', 'server@^1.2.3', false],
  ['npx -y @scope/server', '@scope/server', false],
  ['npx --yes @scope/server@1.2.3-beta.1', '@scope/server@1.2.3-beta.1', true],
  ['npx -p server@1.2.3 bin', 'server@1.2.3', true],
  ['npx --package=server bin', 'server', false],
  ['npx --registry https://r/ server', 'server', false],
  ['npx github:o/r', 'github:o/r', false],
  [`npx github:o/r#${'a'.repeat(40)}`, `github:o/r#${'a'.repeat(40)}`, true],
  ['npx ./local', undefined],
  ['NPX.CMD server', 'server', false],
  ['npm exec -- server@1.0.0', 'server@1.0.0', true],
  ['npm start', undefined],
  ['pnpm dlx server', 'server', false],
  ['yarn dlx server', 'server', false],
  ['bunx server', 'server', false],
  ['bun x server', 'server', false],
  ['bun server.ts', undefined],
  ['uvx server', 'server', false],
  ['uvx server@latest', 'server@latest', false],
  ['uvx server@1.2.3', 'server@1.2.3', true],
  ['uvx --from server==1.2.3 bin', 'server==1.2.3', true],
  ['uvx --from git+https://h/r bin', 'git+https://h/r', false],
  [`uvx --from git+https://h/r@${'b'.repeat(40)} bin`, `git+https://h/r@${'b'.repeat(40)}`, true],
  ['uv tool run server', 'server', false],
  ['uv run server.py', undefined],
  ['pipx run --spec server==2.0 bin', 'server==2.0', true],
  ['docker run -i --rm mcp/x', 'mcp/x', false],
  ['docker run -i --rm mcp/x:latest', 'mcp/x:latest', false],
  ['docker run -i --rm -e A mcp/x:1.2', 'mcp/x:1.2', true],
  [`docker run r.example:5000/mcp/x@${digest} --flag`, `r.example:5000/mcp/x@${digest}`, true],
  ['podman container run x', 'x', false],
  ['docker compose up', undefined],
  ['node server.js', undefined],
]
describe('what a command starts', () => {
  for (const [line, named, isPinned] of started)
    test(line, () => {
      const answer = startedBy(line.split(' '))
      assert.deepEqual([answer?.named, answer?.isPinned], [named, isPinned])
    })
})
