/**
 * SUP-C2: a lock that somebody without the team's key has changed is worth nothing, until the team signs another entry of it. What
 * stood beside that entry must not be signed with it unseen.
 */
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { serversAdd } from '../../src/admin/operations/servers-add.ts'
import { supplyLock } from '../../src/admin/operations/supply-lock.ts'
import { loadConfig } from '../../src/config/load.ts'
import { mustBeSigned } from '../../src/trust/supply/lock-signature.ts'
import { readLock } from '../../src/trust/supply/lock-text.ts'

const folders: string[] = []
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})
const clock = { now: () => 0, monotonic: () => 0 }
const evil = `sha256:${'e'.repeat(64)}`

/** A signed lock of two servers, in which somebody has put the key of another certificate. */
async function place() {
  const folder = mkdtempSync(join(tmpdir(), 'sekisho-unseen-'))
  folders.push(folder)
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const key = join(folder, 'team.pem')
  writeFileSync(key, privateKey.export({ type: 'pkcs8', format: 'pem' }))
  writeFileSync(join(folder, 'team.pub'), publicKey.export({ type: 'spki', format: 'pem' }))
  const file = join(folder, 'sekisho.yaml')
  const server = (name: string) => ({ url: `https://${name}.example/mcp` })
  const config = {
    ...{ listen: '127.0.0.1:0', admin: { listen: '127.0.0.1:0' }, store: 'sqlite:./s.db', identity: { mode: 'anonymous' } },
    ...{ supply: { lock: 'sekisho.lock', keys: ['team.pub'] }, servers: { bank: server('bank'), wiki: server('wiki') } },
  }
  writeFileSync(file, JSON.stringify(config))
  const lockFile = join(folder, 'sekisho.lock')
  const made = {
    ...{ config: await loadConfig(file), folder, lockFile, store: join(folder, 'store'), variables: {} },
    ...{ enquire: () => assert.fail('there are no packages'), sign: { keyFile: key, validMs: undefined } },
  }
  await supplyLock({ ...made, servers: [] })
  const text = readFileSync(lockFile, 'utf8')
  const url = 'url: https://bank.example/mcp\n'
  assert.ok(text.includes(url))
  const tampered = text.replace(url, `${url}    spki: ${evil}\n`)
  writeFileSync(lockFile, tampered)
  const isSigned = (): boolean => {
    mustBeSigned(readLock(readFileSync(lockFile, 'utf8'), lockFile), [publicKey], clock, lockFile)
    return readFileSync(lockFile, 'utf8').includes(evil)
  }
  assert.throws(isSigned, /was changed after it was signed/)
  return { folder, file, made, isSigned, privateKey }
}

test('by `supply lock` of another server', async () => {
  const { made, isSigned } = await place()
  await supplyLock({ ...made, servers: ['wiki'] }).catch(() => undefined)
  assert.throws(isSigned, /was changed after it was signed/)
})

test('by `servers add` of another server', async () => {
  const { folder, file, isSigned, privateKey } = await place()
  await serversAdd({
    ...{ file, grant: undefined, hold: false, dryRun: false, suppressions: [], by: 'cli:ana', now: 1000 },
    sign: { key: privateKey, validMs: undefined },
    wanted: {
      id: 'notes',
      url: 'http://127.0.0.1:9/mcp',
      cwd: folder,
      env: [],
      isSandboxed: true,
      read: [],
      write: [],
      hosts: [],
    },
    ...{ variables: {}, pinTls: undefined, enquire: () => assert.fail('there are no packages'), said: () => undefined },
    ...{ agrees: async () => true, attempt: async () => ({ reached: [] }) },
  }).catch(() => undefined)
  assert.throws(isSigned, /was changed after it was signed/)
})

test('by `supply lock` of all, which keeps the key of a certificate that it does not ask for', async () => {
  const { made, isSigned } = await place()
  await assert.rejects(supplyLock({ ...made, servers: [] }), /cannot be told who has put it there/)
  assert.throws(isSigned, /was changed after it was signed/)
})
