/** Which commands are the same server in every folder, and which are not. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { after, describe } from 'node:test'
import { serverIdFault } from '../config/starter.ts'
import { dependsOnFolder, guardId, inFull } from './local-command.ts'

const folder = mkdtempSync(join(tmpdir(), 'sekisho-command-'))
after(() => rmSync(folder, { recursive: true, force: true }))
for (const name of ['server.js', 'hook.mjs', 'data.py']) writeFileSync(join(folder, name), '')

describe('another server in another folder', () => {
  const cases = [
    'node server.js',
    'node --import ./hook.mjs /srv/server',
    'python3 -m server',
    './server',
    'bin/server',
    'npm run mcp',
    'uv run server',
    'go run .',
    'npx -y @scope/server-files@1.0.0 .',
    'uvx server --root=./notes',
    'docker run --rm -v ./notes:/notes mcp/files',
  ]
  for (const command of cases)
    test(command, () => {
      const words = command.split(' ')
      assert.equal(dependsOnFolder(words), true)
      assert.notEqual(guardId('files', words, '/one'), guardId('files', words, '/two'))
    })
})

describe('the same server everywhere', () => {
  const cases = [
    'npx -y @scope/server-files@1.0.0 /home/ada/notes',
    'npx -y server --from @scope/other',
    'uvx mcp-server-git',
    'npm exec -y server',
    'docker run -i --rm ghcr.io/acme/server:1',
    'node /srv/server.js',
    'C:\\tools\\server.exe --verbose',
    'https://mcp.example/mcp',
    'server',
  ]
  for (const command of cases)
    test(command, () => {
      const words = command.split(' ')
      assert.equal(dependsOnFolder(words), false)
      assert.equal(guardId('files', words, '/one'), guardId('files', words, '/two'))
      assert.notEqual(guardId('files', words, '/one'), guardId('files', [...words, 'x'], '/one'))
    })
})

test('an id says the name, and is one whatever the name is', () => {
  const cases: readonly (readonly [name: string, start: string])[] = [
    ['github', 'github'],
    ['@Scope/My Server', 'scope-my-server'],
    ['1password', 'password'],
    ['mcp', 'mcp'],
    ['ファイル', 'server'],
    ['', 'server'],
    [`${'a'.repeat(16)}--b`, 'a'.repeat(16)],
    ['b'.repeat(40), 'b'.repeat(17)],
  ]
  for (const [name, start] of cases) {
    const id = guardId(name, ['x'], '/')
    assert.match(id, new RegExp(`^${start}-[0-9a-f]{6}$`), name)
    assert.equal(serverIdFault(id), undefined)
  }
})

test('the files that are run are named in full, and what the server is told stays', () => {
  const at = (name: string): string => join(folder, name)
  const cases: readonly (readonly [given: string, expected: string])[] = [
    ['node server.js notes server.js', `node ${at('server.js')} notes server.js`],
    ['node --import ./hook.mjs server.js data.py', `node --import ${at('hook.mjs')} ${at('server.js')} data.py`],
    ['node --watch server.js', `node --watch ${at('server.js')}`],
    ['node gone.js', 'node gone.js'],
    ['./run server.js', `${at('run')} server.js`],
    ['npx server data.py', 'npx server data.py'],
    ['node /srv/server.js data.py', 'node /srv/server.js data.py'],
  ]
  for (const [given, expected] of cases) assert.equal(inFull(given.split(' '), folder).join(' '), expected)
})
