import assert from 'node:assert/strict'
import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { parseConfig } from '../../config/load.ts'
import { enquiry } from '../../trust/supply/enquiry.ts'
import { removeCopy } from '../../trust/supply/store.ts'
import { type SupplyLockOptions, supplyLock } from './supply-lock.ts'
import { isBad, supplyVerify } from './supply-verify.ts'

const folders: string[] = []
after(() => Promise.all(folders.map(removeCopy)))

const enquire = enquiry({ registry: undefined, cache: undefined, trust: () => assert.fail('nobody is asked') })
const pem = (kind: 'ed25519' | 'rsa'): string => {
  const { privateKey } = kind === 'rsa' ? generateKeyPairSync('rsa', { modulusLength: 2048 }) : generateKeyPairSync('ed25519')
  return privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()
}

const otherKey = (folder: string): string => {
  writeFileSync(join(folder, 'other.key'), pem('ed25519'))
  return join(folder, 'other.key')
}

function house(servers: object): SupplyLockOptions {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'sekisho-locking-')))
  folders.push(folder)
  for (const id of ['a', 'b']) {
    mkdirSync(join(folder, id))
    writeFileSync(join(folder, id, 'package.json'), JSON.stringify({ name: id, version: '1.0.0' }))
    writeFileSync(join(folder, id, 'main.js'), '')
  }
  writeFileSync(join(folder, 'team.key'), pem('ed25519'))
  writeFileSync(join(folder, 'rsa.key'), pem('rsa'))
  const config = parseConfig(JSON.stringify({ servers }), folder)
  const variables = { PATH: process.env['PATH'] ?? '', HOME: folder }
  return { config, folder, lockFile: join(folder, 'sekisho.lock'), store: join(folder, 'store'), servers: [], variables, enquire }
}
const both = { a: { command: ['node', 'a/main.js'] }, b: { command: ['node', 'b/main.js'] } }
const refused = (pattern: RegExp) => (error: unknown) => {
  assert.ok(error instanceof Error)
  assert.match(error.message, pattern)
  return true
}

describe('SUP-C2 locking refuses, and writes nothing', () => {
  const cases: readonly (readonly [string, object, Partial<SupplyLockOptions>, RegExp])[] = [
    ['a server that is not there', both, { servers: ['c'] }, /there is no server "c"/],
    [
      'one of two that cannot be locked',
      { ...both, b: { command: ['npx', '-y', 'gone'] } },
      {},
      /gone: server "b": is not installed here/,
    ],
    [
      'a variable that loads code, and whose value is hidden',
      { a: { command: ['node', 'a/main.js'], inheritEnv: ['NODE_OPTIONS'] } },
      {},
      /server "a": the variable NODE_OPTIONS/,
    ],
    ['a server.json for two servers', both, { serverJson: 'server.json' }, /is about one server; name it/],
  ]
  for (const [name, servers, changes, says] of cases)
    it(name, async () => {
      const options = house(servers)
      await assert.rejects(supplyLock({ ...options, ...changes }), refused(says))
      assert.throws(() => readFileSync(options.lockFile), { code: 'ENOENT' })
    })
  it('a key that is no Ed25519 key, without quoting from it', async () => {
    const options = house(both)
    for (const key of ['rsa.key', 'a/main.js'])
      await assert.rejects(
        supplyLock({ ...options, sign: { keyFile: join(options.folder, key), validMs: undefined } }),
        refused(/is not an Ed25519 private key in PEM/),
      )
  })
  it('one server of a lock that cannot be read', async () => {
    const options = house(both)
    writeFileSync(options.lockFile, '<<<<<<< HEAD\n')
    await assert.rejects(supplyLock({ ...options, servers: ['a'] }), refused(/unresolved merge conflict/))
    assert.equal((await supplyLock(options)).servers.length, 2, 'as a whole it is made anew')
  })
})

describe('SUP-C2 locking', () => {
  it('changes what was asked for, and removes what has left the configuration only when all are locked', async () => {
    const options = house(both)
    const first = await supplyLock(options)
    assert.deepEqual(
      first.servers.map(({ id, changed }) => [id, changed]),
      [
        ['a', true],
        ['b', true],
      ],
    )
    writeFileSync(join(options.folder, 'b/main.js'), 'changed')
    const onlyA = { ...options, config: parseConfig(JSON.stringify({ servers: { a: both.a } }), options.folder) }
    const one = await supplyLock({ ...onlyA, servers: ['a'] })
    assert.deepEqual([one.servers.map(({ changed }) => changed), one.removed], [[false], []])
    assert.deepEqual((await supplyLock(onlyA)).removed, ['b'])
  })
  it('keeps a signature over the same, loses it over something else and says so, and gets it back', async () => {
    const options = house(both)
    const sign = { keyFile: join(options.folder, 'team.key'), validMs: 86_400_000 }
    const { signed } = await supplyLock({ ...options, sign })
    assert.match(signed ?? '', /^[0-9a-f]{16}$/)
    assert.deepEqual(await supplyLock(options).then((again) => [again.signed, again.lostSignature]), [signed, false])
    writeFileSync(join(options.folder, 'a/main.js'), 'changed')
    assert.deepEqual(await supplyLock(options).then((again) => [again.signed, again.lostSignature]), [undefined, true])
    assert.equal((await supplyLock({ ...options, sign })).signed, signed)
  })
  it('signs with one entry what the team has signed before, later than that, and nothing else', async () => {
    const options = house(both)
    const sign = { keyFile: join(options.folder, 'team.key'), validMs: undefined }
    const text = (): string => readFileSync(options.lockFile, 'utf8')
    const made = (): string => /made: (.*)/.exec(text())?.[1] ?? ''
    await supplyLock({ ...options, sign })
    const first = made()
    await supplyLock({ ...options, servers: ['a'], sign })
    assert.ok(made() > first)
    const signed = text()
    const again = refused(/cannot be signed with the rest/)
    for (const change of [
      (was: string) => was.replace('contents: not compared', 'contents: as in the tarball'),
      (was: string) => was.slice(0, was.indexOf('\nsignature:') + 1),
    ]) {
      writeFileSync(options.lockFile, change(signed))
      const changed = text()
      assert.notEqual(changed, signed)
      await assert.rejects(supplyLock({ ...options, servers: ['a'], sign }), again)
      assert.equal(text(), changed)
    }
    writeFileSync(options.lockFile, signed)
    await assert.rejects(supplyLock({ ...options, servers: ['a'], sign: { ...sign, keyFile: otherKey(options.folder) } }), again)
    assert.equal((await supplyLock({ ...options, sign })).servers.length, 2)
  })
  it('takes the word of whoever is in "supply.keys" for what they have signed', async () => {
    const options = house(both)
    await supplyLock({ ...options, sign: { keyFile: join(options.folder, 'team.key'), validMs: undefined } })
    const team = createPublicKey(readFileSync(join(options.folder, 'team.key')))
    writeFileSync(join(options.folder, 'team.pem'), team.export({ format: 'pem', type: 'spki' }))
    const config = parseConfig(JSON.stringify({ servers: both, supply: { keys: ['team.pem'] } }), options.folder)
    const sign = { keyFile: otherKey(options.folder), validMs: undefined }
    assert.ok((await supplyLock({ ...options, config, servers: ['a'], sign })).signed)
  })
  it('loses nothing of what another one writes at the same time', async () => {
    const options = house(both)
    await supplyLock(options)
    writeFileSync(join(options.folder, 'a/main.js'), 'changed')
    writeFileSync(join(options.folder, 'b/main.js'), 'changed')
    const done = await Promise.allSettled(['a', 'b'].map((id) => supplyLock({ ...options, servers: [id] })))
    const failed = done.filter((one) => one.status === 'rejected')
    for (const { reason } of failed)
      assert.match(String(reason), /sekisho\.lock (has been changed meanwhile|is being written by another)/)
    const asked = { ...options, registry: undefined }
    const held = (await supplyVerify(['a', 'b'], asked)).filter(({ checks }) => checks.lock?.status === 'verified')
    assert.equal(held.length, 2 - failed.length)
    await supplyLock({ ...options, servers: ['a'] })
    await supplyLock({ ...options, servers: ['b'] })
    assert.equal((await supplyVerify(['a', 'b'], asked)).filter(({ checks }) => checks.lock?.status === 'verified').length, 2)
  })
  it('is found to hold, and not to hold', async () => {
    const options = house({ ...both, far: { url: 'https://mcp.example.com/mcp' } })
    const asked = { ...options, registry: undefined }
    const before = await supplyVerify(['a'], asked)
    assert.deepEqual(before[0]?.checks, { lock: { status: 'absent', detail: 'there is no lock' } })
    assert.equal(isBad(before[0]!, []), false)
    assert.equal(isBad(before[0]!, ['lock']), true)
    await supplyLock(options)
    const held = await supplyVerify(['a', 'far'], asked)
    assert.deepEqual(
      held.map(({ subject, checks }) => [subject, checks.lock?.status]),
      [
        ['a', 'verified'],
        ['a@1.0.0', undefined],
        ['far', 'verified'],
      ],
    )
    writeFileSync(join(options.folder, 'a/main.js'), 'changed')
    const [broken] = await supplyVerify(['a'], asked)
    assert.match(broken?.checks.lock?.detail ?? '', /^a@1\.0\.0: main\.js: has changed since it was locked; /)
    assert.ok(isBad(broken!, []))
  })
})
