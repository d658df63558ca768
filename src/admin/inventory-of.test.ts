/** A machine with a client of each kind, a lock and a log: all of it is in the inventory, and no secret is (SUP-R1). */
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import test, { after, describe } from 'node:test'
import { makeLog } from '../audit/fixture.test.ts'
import { parseConfig } from '../config/load.ts'
import { systemClock } from '../lib/clock.ts'
import { lockVersion } from '../trust/supply/lock.ts'
import { signLock } from '../trust/supply/lock-signature.ts'
import { writeLock } from '../trust/supply/lock-text.ts'
import { type Besides, inventoryOf } from './inventory-of.ts'

const folder = mkdtempSync(join(tmpdir(), 'sekisho-inventory-'))
after(() => rmSync(folder, { recursive: true }))
const put = (path: string, text: string): string => {
  const file = join(folder, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
  return file
}
const config = (more: object = {}) =>
  parseConfig(JSON.stringify({ servers: { files: { command: ['npx', 'server'] } }, ...more }), folder)
const clients = (home: string): Besides['clients'] => ({
  ...{ places: { platform: 'linux' as const, home: join(folder, home) }, projects: [], launcher: [] },
})
const token = `ghp_${'x1Y2z3A4b5C6'.repeat(3)}`

test('every client is looked at, and no secret comes along', async () => {
  const one = (name: string) => ({ mcpServers: { [name]: { command: 'npx', args: [`${name}@1.0.0`, '--token', token] } } })
  put('full/.cursor/mcp.json', JSON.stringify(one('of-cursor')))
  put('full/.codeium/windsurf/mcp_config.json', JSON.stringify(one('of-windsurf')))
  put('full/.lmstudio/mcp.json', JSON.stringify(one('of-lm-studio')))
  put('full/.codex/config.toml', '[mcp_servers.of-codex]\ncommand = "uvx"\nargs = ["of-codex==1.0"]\n')
  put('full/.config/goose/config.yaml', 'extensions:\n  of-goose:\n    type: stdio\n    cmd: uvx\n    args: [of-goose==1.0]\n')
  const remote = { url: `https://u:${token}@remote.example/mcp/${token}?key=${token}` }
  put('full/.junie/mcp/mcp.json', JSON.stringify({ mcpServers: { remote, ours: { url: 'http://127.0.0.1:4180/mcp' } } }))
  const inventory = await inventoryOf(config(), { clients: clients('full') })
  const seen = inventory.filter((component) => component.seen.includes('client') && component.kind === 'server')
  assert.deepEqual(
    seen.map(({ name, clients: by = [] }) => `${name} ${by.join()}`),
    ['of-codex codex', 'of-cursor cursor', 'of-goose goose', 'of-lm-studio lm-studio', 'of-windsurf windsurf', 'remote junie'],
  )
  assert.ok(!JSON.stringify(inventory).includes(token))
})

test('a file of a client that cannot be read: an inventory without it would look whole', async () => {
  put('torn/.cursor/mcp.json', '{')
  await assert.rejects(inventoryOf(config(), { clients: clients('torn') }), {
    message: /mcp\.json: it is not JSON/,
    fix: /looks as if/,
  })
})

describe('the lock', () => {
  const [team, stranger] = [generateKeyPairSync('ed25519'), generateKeyPairSync('ed25519')]
  const sha256 = `sha256:${'a'.repeat(64)}`
  const locked = {
    ...{
      kind: 'npm' as const,
      command: ['npx', 'server'],
      package: 'pkg:npm/server@1.0.0',
      entry: 'x.js',
      interpreter: 'own' as const,
    },
    ...{ tree: sha256, packages: { 'node_modules/server': { package: 'pkg:npm/server@1.0.0', files: sha256 } } },
  }
  const lock = { lock: lockVersion, servers: { files: locked } } as const
  put('team.pem', team.publicKey.export({ type: 'spki', format: 'pem' }) as string)
  const signed = (key: typeof team) => writeLock(signLock(lock, key.privateKey, systemClock))
  const versionOf = async (text: string | undefined, supply: object, command = ['npx', 'server']) => {
    const file = join(folder, 'sekisho.lock')
    rmSync(file, { force: true })
    if (text !== undefined) put('sekisho.lock', text)
    const loaded = config({ supply: { lock: './sekisho.lock', ...supply }, servers: { files: { command } } })
    return (await inventoryOf(loaded)).find(({ name }) => name === 'files')?.version
  }

  test('of nobody whom the team knows, or torn, is refused', async () => {
    await assert.rejects(versionOf(signed(stranger), { keys: ['./team.pem'] }), /not in "supply.keys"/)
    await assert.rejects(versionOf(writeLock(lock), { keys: ['./team.pem'] }), /is not signed/)
    await assert.rejects(versionOf('lock: 2\nservers: {}\n', {}), /is not a lock/)
  })
  test('knows the version, where it is of the command of now', async () => {
    assert.equal(await versionOf(signed(team), { keys: ['./team.pem'] }), '1.0.0')
    assert.equal(await versionOf(writeLock(lock), {}), '1.0.0')
    assert.equal(await versionOf(writeLock(lock), {}, ['npx', 'other']), undefined)
    assert.equal(await versionOf(undefined, {}), undefined)
  })
})

test('traffic: what the log has of refused connections, and nothing that only looks like it', async () => {
  const log = makeLog()
  after(() => log.remove())
  const loaded = config({ audit: { path: log.path } })
  await assert.rejects(inventoryOf(loaded, { traffic: true }), { message: /there is no log/, fix: /--traffic/ })
  const audit = await log.open()
  const refused = { action: 'server.egress.refused', principal: 'gateway', server: 'files', detail: 'not-allowed' }
  await audit.event({ ...refused, subject: 'evil.example:443' })
  await audit.event({ ...refused, subject: 'GET:0' })
  await audit.event({ ...refused, action: 'server.disabled', subject: 'no.example:443', detail: 'server.egress.refused' })
  await audit.close()
  const inventory = await inventoryOf(loaded, { traffic: true })
  assert.deepEqual(
    inventory.filter(({ seen }) => seen.includes('traffic')).map(({ name, usedBy }) => [name, usedBy]),
    [['evil.example', ['files']]],
  )
  assert.equal(
    (await inventoryOf(loaded)).some(({ seen }) => seen.includes('traffic')),
    false,
  )
})
