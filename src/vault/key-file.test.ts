import assert from 'node:assert/strict'
import { createPublicKey, sign, verify } from 'node:crypto'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { keyRing, openKeyFile } from './key-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'sekisho-vault-'))
const isPosix = process.platform !== 'win32'

for (const mode of [0o640, 0o604, 0o660, 0o644])
  test(`refuses a key that others may read (mode ${mode.toString(8)})`, { skip: !isPosix }, async () => {
    const path = join(folder, `loose-${mode}`)
    writeFileSync(path, Buffer.alloc(32, 1))
    chmodSync(path, mode)
    await assert.rejects(openKeyFile(path), {
      name: 'KeyFileRefused',
      message: /others may read the key file/,
      fix: `chmod 600 ${path}`,
    })
  })

for (const size of [0, 31, 33])
  test(`refuses a key of ${size} bytes, and leaves it alone`, async () => {
    const path = join(folder, `short-${size}`)
    writeFileSync(path, Buffer.alloc(size, 1), { mode: 0o600 })
    await assert.rejects(openKeyFile(path), { name: 'KeyFileRefused', message: new RegExp(`has ${size} bytes and needs 32`) })
    assert.equal(statSync(path).size, size)
  })

test('refuses a folder in the place of the key, and a place where nothing can be made', async () => {
  mkdirSync(join(folder, 'dir'), { mode: 0o700 })
  await assert.rejects(openKeyFile(join(folder, 'dir')), { name: 'KeyFileRefused' })
  writeFileSync(join(folder, 'file'), '')
  await assert.rejects(openKeyFile(join(folder, 'file', 'key')), { name: 'KeyFileRefused' })
})

test('makes no key in the place of one that something is sealed with', async () => {
  const path = join(folder, 'lost', 'sekisho.key')
  await assert.rejects(openKeyFile(path, { needed: true }), {
    name: 'KeyFileRefused',
    message: `the key file ${path} is not there, and what the vault keeps is sealed with it`,
    fix: /^restore it from a copy/,
  })
  assert.throws(() => statSync(path), { code: 'ENOENT' })
})

test('makes a key on the first start: 32 bytes for us alone, and nothing beside it', async () => {
  const path = join(folder, 'new', 'sekisho.key')
  const first = await openKeyFile(path)
  assert.equal(readFileSync(path).length, 32)
  if (isPosix) assert.equal(statSync(path).mode & 0o777, 0o600)
  assert.deepEqual(readdirSync(join(folder, 'new')), ['sekisho.key'])
  assert.deepEqual((await openKeyFile(path)).derive('x'), first.derive('x'))
})

test('of many processes that start at once, all get the same key', async () => {
  const path = join(folder, 'race', 'sekisho.key')
  const rings = await Promise.all(Array.from({ length: 20 }, () => openKeyFile(path)))
  assert.equal(new Set(rings.map((ring) => ring.derive('x').toString('hex'))).size, 1)
})

const ring = keyRing(Buffer.alloc(32, 7))
const sealed = ring.seal('cursor', 'page 2', 'key:ci')
const bytes = Buffer.from(sealed.slice(3), 'base64url')
const flipped = (at: number): string => {
  const copy = Buffer.from(bytes)
  copy[at] = (copy[at] as number) ^ 1
  return `v1.${copy.toString('base64url')}`
}
const forgeries: readonly [name: string, purpose: string, sealed: string, data: string][] = [
  ['another purpose', 'state', sealed, 'key:ci'],
  ['other data', 'cursor', sealed, 'key:cj'],
  ['no data', 'cursor', sealed, ''],
  ['another version', 'cursor', sealed.replace('v1.', 'v2.'), 'key:ci'],
  ['no version', 'cursor', sealed.slice(3), 'key:ci'],
  ['a changed nonce', 'cursor', flipped(0), 'key:ci'],
  ['a changed text', 'cursor', flipped(12), 'key:ci'],
  ['a changed tag', 'cursor', flipped(bytes.length - 1), 'key:ci'],
  ['a shorter tag', 'cursor', `v1.${bytes.subarray(0, -1).toString('base64url')}`, 'key:ci'],
  ['nothing but a tag', 'cursor', `v1.${bytes.subarray(-28).toString('base64url')}`, 'key:ci'],
  ['padding', 'cursor', `${sealed}=`, 'key:ci'],
  ['white space', 'cursor', `${sealed}\n`, 'key:ci'],
  ['an empty text', 'cursor', '', 'key:ci'],
  ['nothing after the version', 'cursor', 'v1.', 'key:ci'],
]
for (const [name, purpose, text, data] of forgeries)
  test(`opens nothing with ${name}`, () => assert.equal(ring.open(purpose, text, data), undefined))

test('a seal has one spelling: spare bits of its last letter may not differ', () => {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const text = ring.seal('cursor', 'page 22', '') // a length whose last letter has spare bits
  const spellings = [...letters]
    .map((letter) => text.slice(0, -1) + letter)
    .filter((other) => ring.open('cursor', other, '') !== undefined)
  assert.deepEqual(spellings, [text])
})

test('another key opens nothing', () => assert.equal(keyRing(Buffer.alloc(32, 8)).open('cursor', sealed, 'key:ci'), undefined))

test('opens what it sealed, any text, and never seals twice alike', () => {
  for (const text of ['', 'page 2', 'ü\u0000\n😀', 'x'.repeat(100_000)])
    assert.equal(ring.open('cursor', ring.seal('cursor', text, 'd'), 'd'), text)
  assert.equal(new Set(Array.from({ length: 100 }, () => ring.seal('cursor', 'page 2', 'd'))).size, 100)
  assert.match(sealed, /^v1\.[A-Za-z0-9_-]+$/)
})

test('derived keys depend on the purpose, cannot be changed from outside, and are pinned', () => {
  assert.notDeepEqual(ring.derive('a'), ring.derive('b'))
  ring.derive('a').fill(0)
  assert.notDeepEqual(ring.derive('a'), Buffer.alloc(32))
  assert.equal(ring.derive('a').toString('hex'), '54d06aef06586c1c440b07c6cbdafc4353fbc9c3f0ba5ed4d620b3423d9bb5ad')
})

test('the signing key is Ed25519, and the same after a restart', () => {
  const signature = sign(null, Buffer.from('checkpoint'), ring.signingKey())
  const publicKey = createPublicKey(keyRing(Buffer.alloc(32, 7)).signingKey())
  assert.equal(publicKey.asymmetricKeyType, 'ed25519')
  assert.ok(verify(null, Buffer.from('checkpoint'), publicKey, signature))
})
