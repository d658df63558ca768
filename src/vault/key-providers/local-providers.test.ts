import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { existsSync, writeFileSync } from 'node:fs'
import test from 'node:test'
import { cellar, hidden } from '../fixture.test.ts'
import type { RecordKey } from '../record-key.ts'
import { rotate } from '../rotation.ts'
import type { KeyProviderConfig } from '../schema.ts'
import { environmentProvider, keyIn } from './environment.ts'
import { passphraseProvider } from './passphrase.ts'

const alice: RecordKey = { owner: 'key:alice', server: 'crm', kind: 'access-token' }
const newKey = (): string => randomBytes(32).toString('base64url')
const environment = (value: string, name = 'KEY'): KeyProviderConfig => ({
  kind: 'environment',
  secret: hidden(value, `env:${name}`),
})
const passphrase = (value: string, name = 'PASS'): KeyProviderConfig => ({
  kind: 'passphrase',
  passphrase: hidden(value, `env:${name}`),
})
const words = 'correct horse battery staple'

const good = newKey()
const noKeys: readonly [says: string, text: string][] = [
  ['nothing', ''],
  ['31 bytes', randomBytes(31).toString('base64url')],
  ['33 bytes', randomBytes(33).toString('base64url')],
  ['hexadecimal', randomBytes(32).toString('hex')],
  ['the other alphabet', `${'+'.repeat(42)}8`],
  ['a line break', `${good}\n`],
  ['a space', ` ${good}`],
  ['spare bits', `${good.slice(0, -1)}${good.endsWith('B') ? 'C' : 'B'}`],
  ['a word', 'secret'],
]
for (const [says, text] of noKeys)
  test(`environment: ${says} is no key, and is not repeated`, () =>
    assert.throws(() => environmentProvider(hidden(text)), {
      name: 'VaultKeyRefused',
      message: 'env:KEY is not a key',
      fix: 'set it to 32 random bytes in base64url: head -c 32 /dev/urandom | basenc --base64url',
    }))

test('environment: 32 bytes are a key, with or without what basenc puts at the end', () => {
  assert.deepEqual(keyIn(good), keyIn(`${good}=`))
  assert.equal(keyIn(good)?.length, 32)
})

test('environment: another key opens nothing and says which is needed; the old one beside it does', async () => {
  const [one, two] = [newKey(), newKey()]
  const { vault, open, store, clock } = await cellar({ keyProvider: environment(one) })
  await vault.put(alice, 'kept')
  const { vault: stranger } = await open({ keyProvider: environment(two) })
  for (const attempt of [stranger.get(alice), stranger.put(alice, 'x'), stranger.check()])
    await assert.rejects(attempt, {
      name: 'VaultKeyMissing',
      message: /under the key environment:[0-9a-f]{16}.*names no provider/,
    })
  const both = await open({ keyProvider: environment(two, 'NEW'), previousKeyProviders: [environment(one, 'OLD')] })
  assert.equal(await both.vault.get(alice), 'kept')
  const done = await rotate({ records: store.vault, keys: both.keys, clock, by: 'cli:me' })
  assert.equal(done.rewrapped, 1)
  assert.equal(await stranger.get(alice), 'kept')
  await assert.rejects(vault.get(alice), { name: 'VaultKeyMissing' })
})

test('environment: there is no newer key in the same variable', async () => {
  const { vault, keys, store, clock } = await cellar({ keyProvider: environment(good) })
  await vault.put(alice, 'kept')
  await assert.rejects(rotate({ records: store.vault, keys, clock, by: 'cli:me' }), {
    name: 'VaultKeyRefused',
    message: 'the key in env:KEY is in use already, and this provider cannot make another',
    fix: /vault\.previousKeyProviders/,
  })
  assert.equal(await vault.get(alice), 'kept')
})

test('passphrase: the wrong one is recognised, and replaces nothing', async () => {
  const { vault, open, sql } = await cellar({ keyProvider: passphrase(words) })
  await vault.put(alice, 'kept')
  const wrong = await open({ keyProvider: passphrase(`${words}!`) })
  for (const attempt of [wrong.vault.get(alice), wrong.vault.put(alice, 'x')])
    await assert.rejects(attempt, {
      name: 'VaultKeyMissing',
      message: /not a key made from the passphrase in env:PASS: it is another key/,
    })
  assert.equal(sql('SELECT count(*) AS count FROM vault_keys')[0]?.['count'], 1)
  assert.equal(await (await open()).vault.get(alice), 'kept')
})

test('passphrase: mistyped in the middle of a rotation, it does not become the next key', async () => {
  const { vault, open, sql } = await cellar()
  await vault.put(alice, 'kept')
  await (await open({ keyProvider: passphrase(words) })).vault.put({ ...alice, client: 'c' }, 'kept')
  const keys = sql('SELECT id FROM vault_keys')
  assert.equal(keys.length, 2)
  const wrong = await open({ keyProvider: passphrase(`${words}!`) })
  for (const attempt of [wrong.vault.check(), wrong.vault.put(alice, 'x')])
    await assert.rejects(attempt, { name: 'VaultKeyMissing' })
  assert.deepEqual(sql('SELECT id FROM vault_keys'), keys)
})

for (const [says, parameters] of [
  ['a cost below ours', '{"salt":"AAAAAAAAAAAAAAAAAAAAAA","N":16384,"r":8,"p":1}'],
  ['a cost that fills the memory', '{"salt":"AAAAAAAAAAAAAAAAAAAAAA","N":1073741824,"r":8,"p":1}'],
  ['no salt', '{"N":131072,"r":8,"p":1}'],
  ['no JSON', 'x'],
] as const)
  test(`passphrase: a description with ${says} is refused before it costs anything`, async () => {
    const { vault, open, sql } = await cellar({ keyProvider: passphrase(words) })
    await vault.put(alice, 'kept')
    sql('UPDATE vault_keys SET parameters = ?', parameters)
    await assert.rejects((await open()).vault.get(alice), {
      name: 'VaultKeyMissing',
      message: /description of the key passphrase:1 was changed/,
    })
  })

test('passphrase: at least 2^17, a new salt for every key, and one key for one passphrase however it is typed', async () => {
  const provider = passphraseProvider(hidden('caf\u00e9 caf\u00e9 caf\u00e9 caf\u00e9'))
  const [one, two] = [await provider.make([]), await provider.make([])]
  const { salt, ...costs } = JSON.parse(one.parameters) as { salt: string }
  assert.deepEqual(costs, { N: 131_072, r: 8, p: 1 })
  assert.equal(Buffer.from(salt, 'base64url').length, 16)
  assert.notEqual(one.parameters, two.parameters)
  const wrapped = await provider.wrap(one, Buffer.from('secret'), 'b')
  const decomposed = passphraseProvider(hidden('cafe\u0301 cafe\u0301 cafe\u0301 cafe\u0301'))
  assert.equal((await decomposed.unwrap(one, wrapped, 'b'))?.toString(), 'secret')
  assert.equal(await provider.unwrap(two, wrapped, 'b'), undefined)
  assert.equal(await provider.unwrap(one, wrapped, 'another binding'), undefined)
})

test('passphrase: a rotation makes a key of the same words and a new salt', async () => {
  const { vault, keys, store, clock, open } = await cellar({ keyProvider: passphrase(words) })
  await vault.put(alice, 'kept')
  assert.deepEqual(await rotate({ records: store.vault, keys, clock, by: 'cli:me' }), {
    key: 'passphrase:2',
    resumed: false,
    rewrapped: 1,
    removed: ['passphrase:1'],
    broken: [],
  })
  assert.equal(await (await open()).vault.get(alice), 'kept')
})

test('file: a rotation makes a file of its own, and removes the one that nothing needs', async () => {
  const { vault, keys, store, clock, keyFile, open } = await cellar()
  await vault.put(alice, 'kept')
  const again = () => rotate({ records: store.vault, keys, clock, by: 'cli:me' })
  assert.deepEqual((await again()).removed, ['file:1'])
  assert.deepEqual((await again()).removed, ['file:2'])
  assert.deepEqual(
    [2, 3].map((version) => existsSync(`${keyFile}.vault-${version}`)),
    [false, true],
  )
  assert.ok(existsSync(keyFile), 'the gateway’s own key seals more than the vault')
  assert.equal(await (await open()).vault.get(alice), 'kept')
  writeFileSync(`${keyFile}.vault-3`, Buffer.alloc(32, 1))
  await assert.rejects((await open()).vault.get(alice), { message: /is not the key file .*\.vault-3: it is another key/ })
})

test('from one provider to another: what was kept with the key file moves with the next rotation', async () => {
  const { vault, store, clock, open } = await cellar()
  await vault.put(alice, 'kept')
  const moved = await open({ keyProvider: environment(good) })
  assert.equal(await moved.vault.get(alice), 'kept')
  const done = await rotate({ records: store.vault, keys: moved.keys, clock, by: 'cli:me' })
  assert.deepEqual([done.rewrapped, done.removed], [1, ['file:1']])
  assert.equal(await moved.vault.get(alice), 'kept')
})
