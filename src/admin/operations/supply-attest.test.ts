import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { after } from 'node:test'
import { parseConfig } from '../../config/load.ts'
import { supplyAttest } from './supply-attest.ts'
import { supplyCheck } from './supply-check.ts'

const folder = mkdtempSync(join(tmpdir(), 'sekisho-attest-'))
after(() => rmSync(folder, { recursive: true }))
const { publicKey, privateKey } = generateKeyPairSync('ed25519')
writeFileSync(join(folder, 'pub.pem'), publicKey.export({ type: 'spki', format: 'pem' }))
const keyFile = join(folder, 'key.pem')
writeFileSync(keyFile, privateKey.export({ type: 'pkcs8', format: 'pem' }))
const configOf = (statement: string, signature = ', signature: ./a.jws') =>
  parseConfig(
    `supply: { attestationKeys: [./pub.pem], attestations: signed }
components: [{ kind: model, name: m, version: "1", attestations: [{ by: Ann, owner: A, statement: ${statement}, expires: "2030-01-01"${signature} }] }]`,
    folder,
  )
const now = Date.parse('2026-11-20T00:00:00Z')
const outcomeOf = async (config: ReturnType<typeof configOf>) =>
  (await supplyCheck({ config, lockFiles: [], now })).components[0]?.checks.find(({ what }) => what === 'attestation')?.outcome

test('refused: a component, a signature or a key that is not there', async () => {
  await assert.rejects(supplyAttest(configOf('fine'), 'n', keyFile), /no component is called "n"/)
  await assert.rejects(supplyAttest(configOf('fine', ''), 'm', keyFile), /names a file/)
  await assert.rejects(supplyAttest(configOf('fine'), 'm', join(folder, 'pub.pem')), /not an Ed25519 private key/)
})

test('what is signed counts, until one word of it changes', async () => {
  assert.equal(await outcomeOf(configOf('fine')), 'failed')
  assert.equal((await supplyAttest(configOf('fine'), 'm', keyFile)).length, 1)
  assert.equal(await outcomeOf(configOf('fine')), 'verified')
  assert.equal(await outcomeOf(configOf('finer')), 'failed')
})
