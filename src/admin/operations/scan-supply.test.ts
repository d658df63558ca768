/** The supply chain of scanned servers: held against nothing, against a policy, a copy of the advisories, and a lock. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, describe, it } from 'node:test'
import { parseConfig } from '../../config/load.ts'
import { policyWith } from '../../trust/supply/inventory-policy.ts'
import { type LocalTarget, type SupplyRules, scanSupply, type TargetSupply } from './scan-supply.ts'

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'sekisho-scan-supply-')))
after(() => rmSync(folder, { recursive: true }))
const now = Date.parse('2026-11-20T00:00:00Z')
const put = (path: string, content: object | string | Buffer): void => {
  mkdirSync(dirname(join(folder, path)), { recursive: true })
  writeFileSync(join(folder, path), typeof content === 'string' || Buffer.isBuffer(content) ? content : JSON.stringify(content))
}
const record = (id: string, name: string, modified = '2026-11-18T00:00:00Z'): object => ({
  ...{ id, modified, summary: 'It runs what it is told', database_specific: { severity: 'HIGH' } },
  affected: [
    { package: { ecosystem: 'npm', name }, ranges: [{ type: 'SEMVER', events: [{ introduced: '0' }, { fixed: '1.0.1' }] }] },
  ],
})
put('node_modules/server/package.json', {
  ...{ name: 'server', version: '1.0.0', license: 'MIT', bin: 'main.js', dependencies: { below: '1' } },
})
put('node_modules/server/main.js', '')
put('node_modules/below/package.json', { name: 'below', version: '1.0.0', license: 'GPL-3.0-only' })
put('fresh/GHSA-1.json', record('GHSA-1', 'below'))
put('old/GHSA-1.json', record('GHSA-1', 'unrelated', '2026-01-01T00:00:00Z'))
put('evil.pkl', Buffer.from("cposix\nsystem\n(S'id'\ntR."))
put('fine.safetensors', Buffer.concat([Buffer.from([19, 0, 0, 0, 0, 0, 0, 0]), Buffer.from('{"__metadata__":{}}')]))

const target = (command: readonly string[], isConfigured = false): LocalTarget => ({
  ...{ name: 'files', command, cwd: folder, isConfigured },
  env: { PATH: '/usr/bin:/bin', HOME: join(folder, 'home') },
})
const nothing: SupplyRules = { policy: policyWith(), lockFile: undefined, declared: [], now }
async function look(command: readonly string[], rules: Partial<SupplyRules> = {}, isConfigured = false): Promise<TargetSupply> {
  const { targets } = await scanSupply([target(command, isConfigured)], { ...nothing, ...rules })
  return targets.get('files') as TargetSupply
}
const rulesIn = ({ findings }: TargetSupply): readonly string[] => findings.map(({ rule }) => rule)
const open = ({ unchecked }: TargetSupply): readonly string[] => unchecked.map(({ what, why }) => `${what}: ${why}`)

describe('not checked is never a yes', () => {
  it('with nothing to hold it against, every question is open, with the reason', async () => {
    assert.deepEqual(open(await look(['npx', 'server@1.0.0'])), [
      'known vulnerabilities: supply.advisories names no copy of the advisories; name one with --advisories',
      'licences: no policy says which are allowed (supply.licences)',
      'lock and provenance: only servers of a gateway are locked; see: sekisho supply verify',
    ])
  })

  it('what is not installed leaves its packages open, and its secret words unsaid', async () => {
    const found = await look(['npx', 'https://u:hunter2hunter2@host/x.tgz'], { policy: policyWith(join(folder, 'fresh')) })
    assert.match(open(found).join('\n'), /^its packages: ••• is not installed here/)
    assert.ok(!JSON.stringify(found).includes('hunter2'))
    assert.deepEqual(rulesIn(found), ['supply/unpinned'])
  })

  it('an old copy of the advisories says only what is bad', async () => {
    const found = await look(['npx', 'server@1.0.0'], { policy: policyWith(join(folder, 'old')) })
    assert.match(open(found).join('\n'), /known vulnerabilities: of 2 packages: the database is 323 days old/)
  })

  it('a copy that is not there, and a lock that is not there', async () => {
    const rules = { policy: policyWith(join(folder, 'gone')), lockFile: join(folder, 'sekisho.lock') }
    const text = open(await look(['npx', 'server@1.0.0'], rules, true)).join('\n')
    assert.match(text, /known vulnerabilities: .*gone cannot be read \(ENOENT\)/)
    assert.match(text, /lock and provenance: .*sekisho\.lock cannot be read \(ENOENT\)/)
  })

  it('a model that cannot be read, a folder, a pipe that would never open', async () => {
    execFileSync('mkfifo', [join(folder, 'pipe.bin')])
    mkdirSync(join(folder, 'folder.pt'))
    const found = await look(['node', 'x.js', '--a=gone.gguf', 'pipe.bin', 'folder.pt'])
    assert.deepEqual(
      open(found).filter((line) => line.startsWith('the model')),
      ['the model gone.gguf: ENOENT', 'the model pipe.bin: it is not a file', 'the model folder.pt: it is not a file'],
    )
  })
})

describe('found', () => {
  it('a known vulnerability below it, and no question of vulnerabilities is open then', async () => {
    const found = await look(['npx', 'server@1.0.0'], { policy: policyWith(join(folder, 'fresh')) })
    assert.deepEqual(rulesIn(found), ['supply/vulnerability-high'])
    assert.equal(found.findings[0]?.evidence, 'below 1.0.0 has GHSA-1: It runs what it is told; mended in 1.0.1.')
    assert.ok(open(found).every((line) => !line.startsWith('known vulnerabilities')))
  })

  it('of what is not installed, by the version that the command names', async () => {
    const found = await look(['npx', '-y', 'below@1.0.0', 'x', '--y'], { policy: policyWith(join(folder, 'fresh')) })
    assert.deepEqual(rulesIn(found), ['supply/vulnerability-high'])
  })

  it('a licence below it that the policy refuses', async () => {
    const { supply } = parseConfig('servers: { x: { command: [x] } }\nsupply: { licences: { allow: [MIT] } }', folder)
    const found = await look(['npx', 'server@1.0.0'], { policy: supply })
    assert.deepEqual(
      found.findings.map(({ rule, name }) => [rule, name]),
      [['supply/licence', 'below']],
    )
  })

  it('a name that is nearly another', async () => {
    assert.deepEqual(rulesIn(await look(['npx', '-y', 'mcp-remot@1.0.0'])), ['supply/lookalike-name'])
  })

  it('a model that runs a program, and one that cannot', async () => {
    const found = await look(['node', 'x.js', '--model=evil.pkl', 'fine.safetensors'])
    assert.deepEqual(
      found.findings.map(({ rule, severity, name }) => [rule, severity, name]),
      [['model/harmful-call', 'critical', 'evil.pkl']],
    )
    assert.ok(open(found).every((line) => !line.startsWith('the model')))
  })

  it('a model that the configuration names for this server, and not for another', async () => {
    const { components } = parseConfig(
      `servers: { files: { command: [x] }, other: { command: [x] } }
components:
  - { kind: model, name: embedder, file: evil.pkl, owner: me, usedBy: [files] }
  - { kind: model, name: second, file: evil.pkl, owner: me, usedBy: [other] }`,
      folder,
    )
    const found = await look(['node', 'x.js'], { declared: components }, true)
    assert.deepEqual(rulesIn(found), ['model/harmful-call'])
    assert.deepEqual(rulesIn(await look(['node', 'x.js'], { declared: components })), [])
  })

  it('a server of the configuration that its lock does not have', async () => {
    put('empty.lock', 'lock: 1\nservers: {}\n')
    const found = await look(['npx', 'server'], { lockFile: join(folder, 'empty.lock') }, true)
    assert.deepEqual(rulesIn(found), ['supply/unpinned', 'supply/not-locked'])
  })
})

it('two servers of one package are both told', async () => {
  const rules = { ...nothing, policy: policyWith(join(folder, 'fresh')) }
  const both = [target(['npx', 'server@1.0.0']), { ...target(['npx', 'server@1.0.0', '--x']), name: 'second' }]
  const { targets, database } = await scanSupply(both, rules)
  assert.deepEqual(
    [...targets].map(([name, found]) => [name, rulesIn(found), found.part]),
    ['files', 'second'].map((name) => [
      name,
      ['supply/vulnerability-high'],
      { name: 'server', version: '1.0.0', licence: 'MIT', packages: 2 },
    ]),
  )
  assert.deepEqual(database, { records: 1, ageDays: 2, unreadable: 0 })
})
