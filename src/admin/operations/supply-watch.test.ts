import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { after } from 'node:test'
import { parseConfig } from '../../config/load.ts'
import { openStore } from '../../storage/embedded.ts'
import { signAttestation } from '../../trust/supply/inventory-attestation.ts'
import { serversEnable } from './servers-enable.ts'
import { supplyCheck } from './supply-check.ts'
import { supplyWatch } from './supply-watch.ts'

const folder = mkdtempSync(join(tmpdir(), 'sekisho-watch-'))
after(() => rmSync(folder, { recursive: true }))
const now = Date.parse('2026-11-20T00:00:00Z')
const clock = { now: () => now, monotonic: () => 0 }

const configOf = (quarantine: string, more = '') =>
  parseConfig(
    `servers:
  files: { command: [npx, -y, server@1.0.0] }
  other: { command: [npx, -y, else@1.0.0] }
supply: { advisories: { path: ./advisories, quarantine: ${quarantine} } }
${more}`,
    folder,
  )
const record = (id: string, name: string, more: object = {}): object => ({
  ...{ id, modified: '2026-11-19T00:00:00Z', summary: 'It runs what it is told', database_specific: { severity: 'HIGH' } },
  affected: [
    { package: { ecosystem: 'npm', name }, ranges: [{ type: 'SEMVER', events: [{ introduced: '0' }, { fixed: '1.0.1' }] }] },
  ],
  ...more,
})
const put = (file: string, value: object): void => {
  mkdirSync(join(folder, 'advisories', 'npm'), { recursive: true })
  writeFileSync(join(folder, 'advisories', 'npm', file), JSON.stringify(value))
}
put('unrelated.json', record('GHSA-0', 'unrelated'))

test('a new advisory names its servers once, disables them once, and is over when it is withdrawn', async () => {
  const store = await openStore('sqlite::memory:', clock)
  const config = configOf('high')
  const look = () => supplyWatch({ config, store, now, lockFiles: [], memory: join(folder, 'once.json'), by: 'cli:me' })
  assert.deepEqual((await look()).fresh, [])
  put('new.json', record('GHSA-1', 'server'))
  const round = await look()
  assert.deepEqual(
    round.fresh.map(({ severity, servers, says }) => [severity, servers, says]),
    [['high', ['files'], 'GHSA-1 (high) in server 1.0.0: It runs what it is told; mended in 1.0.1']],
  )
  assert.deepEqual(round.quarantined, ['files'])
  assert.deepEqual(
    (await store.disabledServers()).map(({ id, by }) => [id, by]),
    [['files', 'cli:me']],
  )
  assert.deepEqual(
    (await store.unrecorded()).map(({ action, server }) => [action, server]),
    [
      ['supply.alert', 'files'],
      ['server.disabled', 'files'],
    ],
  )
  await serversEnable(config, store, 'files', 'cli:me')
  const again = await look()
  assert.deepEqual([again.fresh, again.quarantined], [[], []])
  put('new.json', record('GHSA-1', 'server', { modified: '2026-11-20T00:00:00Z', withdrawn: '2026-11-20T00:00:00Z' }))
  const over = await look()
  assert.match(over.gone[0] ?? '', /GHSA-1$/)
  assert.equal(statSync(join(folder, 'once.json')).mode & 0o777, 0o600)
  await store.close()
})

test('below the severity of the configuration nothing is disabled', async () => {
  const store = await openStore('sqlite::memory:', clock)
  put('low.json', record('GHSA-2', 'else', { database_specific: { severity: 'MODERATE' } }))
  const round = await supplyWatch({
    config: configOf('high'),
    store,
    now,
    lockFiles: [],
    memory: join(folder, 'low'),
    by: 'cli:me',
  })
  assert.deepEqual([round.fresh.length, round.quarantined], [1, []])
  await store.close()
})

test('what cannot be looked at is neither well nor over', async () => {
  const store = await openStore('sqlite::memory:', clock)
  const memory = join(folder, 'gone.json')
  put('low.json', record('GHSA-2', 'else'))
  const look = (path: string, at = now) =>
    supplyWatch({
      config: parseConfig(
        `servers: { other: { command: [npx, else@1.0.0] } }\nsupply: { advisories: { path: ${path} } }`,
        folder,
      ),
      ...{ store, now: at, lockFiles: [], memory, by: 'cli:me' },
    })
  assert.equal((await look('./advisories')).fresh.length, 1)
  const missing = await look('./nowhere')
  assert.deepEqual([missing.report.outcome, missing.fresh, missing.gone], ['not-checked', [], []])
  assert.match(JSON.stringify(missing.report.database), /nowhere cannot be read \(ENOENT\)/)
  writeFileSync(memory, 'not JSON')
  assert.equal((await look('./advisories')).fresh.length, 1)
  const without = parseConfig('servers: {}', folder)
  assert.equal((await supplyCheck({ config: without, lockFiles: [], now })).outcome, 'not-checked')
  await store.close()
})

test('a model, its hash, a signed attestation and a key that changed', async () => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  writeFileSync(join(folder, 'team.pem'), publicKey.export({ type: 'spki', format: 'pem' }))
  writeFileSync(join(folder, 'evil.pkl'), 'cos\nsystem\n(S"id"\ntR.')
  const statement = { by: 'Ann', owner: 'Acme', statement: 'red team set passed', expires: '2027-06-30' }
  writeFileSync(join(folder, 'embedder.jws'), await signAttestation('model:embedder@1', statement, privateKey))
  const pin = (letter: string): string => `sha256/${letter.repeat(43)}=`
  const config = parseConfig(
    `servers: {}
supply: { attestationKeys: [./team.pem], attestations: signed, dataRegions: [EU], licences: { allow: [MIT] } }
components:
  - kind: model
    name: embedder
    version: "1"
    file: ./evil.pkl
    hash: sha256:${'0'.repeat(64)}
    attestations: [${JSON.stringify({ ...statement, signature: './embedder.jws' })}]
  - { kind: api, name: weather, url: "https://weather.example.com", tlsKey: ${pin('A')}, dataRegion: US, owner: Acme }
  - { kind: model, name: lost, version: "1", file: ./lost.bin, licence: GPL-3.0-only }
`,
    folder,
  )
  const report = await supplyCheck({ config, lockFiles: [], now, tlsKey: async () => pin('B') })
  const told = report.components.flatMap(({ name, checks }) => checks.map(({ what, outcome }) => `${name} ${what} ${outcome}`))
  assert.deepEqual(told.sort(), [
    'embedder attestation verified',
    'embedder format failed',
    'embedder hash failed',
    'embedder licence absent',
    'embedder owner absent',
    'embedder pinned verified',
    'lost format not-checked',
    'lost hash absent',
    'lost licence failed',
    'lost owner absent',
    'lost pinned verified',
    'weather data-region failed',
    'weather owner verified',
    'weather pinned absent',
    'weather tls-key failed',
  ])
  assert.equal(report.outcome, 'failed')
  const secret = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' })
  writeFileSync(join(folder, 'team.pem'), secret)
  await assert.rejects(supplyCheck({ config, lockFiles: [], now }), /"supply\.attestationKeys" names, is a private key/)
  writeFileSync(join(folder, 'team.pem'), 'no key')
  await assert.rejects(
    supplyCheck({ config, lockFiles: [], now }),
    /team\.pem, which "supply\.attestationKeys" names, is not an Ed25519 public key/,
  )
})
