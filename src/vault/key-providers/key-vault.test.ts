import assert from 'node:assert/strict'
import { constants, generateKeyPairSync, type KeyObject, privateDecrypt, publicEncrypt } from 'node:crypto'
import test from 'node:test'
import { inspect } from 'node:util'
import { cellar } from '../fixture.test.ts'
import { VaultKeys } from '../keys.ts'
import type { RecordKey } from '../record-key.ts'
import { rotate } from '../rotation.ts'
import { Vault } from '../vault.ts'
import { verifyVault } from '../verification.ts'
import { keyVaultProvider } from './key-vault.ts'

const url = 'https://house.vault.azure.net/keys/tokens'
const alice: RecordKey = { owner: 'key:alice', server: 'crm', kind: 'access-token' }
const padding = constants.RSA_PKCS1_OAEP_PADDING
const pairs = [1, 2].map(() => generateKeyPairSync('rsa', { modulusLength: 2048 }))
const versionOf = (at: number): string => String(at + 1).repeat(32)

interface Call {
  readonly url: string
  readonly init: RequestInit
}

/** A Key Vault of two versions of one key, that answers as it is told. */
class FakeKeyVault {
  readonly calls: Call[] = []
  readonly scopes: string[] = []
  readonly waits: number[] = []
  versions = 1
  /** What to answer first, instead of what was asked for. */
  readonly instead: (() => Response)[] = []
  always: (() => Response) | undefined
  key: object = {}
  clock = { at: 1_700_000_000_000, now: () => this.clock.at, monotonic: () => this.clock.at }

  readonly access = {
    token: async (scope: string): Promise<string> => {
      this.scopes.push(scope)
      return 'a-token-for-azure'
    },
    fetch: async (asked: string, init: RequestInit): Promise<Response> => {
      this.calls.push({ url: asked, init })
      const answer = this.always ?? this.instead.shift()
      return answer?.() ?? this.#answer(new URL(asked), init)
    },
  }

  provider(cacheMs = 3_600_000) {
    const wait = async (ms: number): Promise<void> => void this.waits.push(ms)
    return keyVaultProvider({ key: url, cacheMs, access: this.access, clock: this.clock, wait })
  }

  async vault(cacheMs?: number) {
    const { store } = await cellar()
    const keys = new VaultKeys(store.vault, [this.provider(cacheMs)], this.clock)
    return { vault: new Vault(store.vault, keys, this.clock), keys, records: store.vault }
  }

  #answer({ pathname }: URL, init: RequestInit): Response {
    const [, version, verb] = /^\/keys\/tokens(?:\/(\w+))?(?:\/(\w+))?$/.exec(pathname) ?? []
    const at = version === undefined ? this.versions - 1 : Number(version[0]) - 1
    const kid = `${url}/${versionOf(at)}`
    if (verb === undefined)
      return json({ key: { kid, kty: 'RSA', key_ops: ['wrapKey', 'unwrapKey'], ...this.key }, attributes: { enabled: true } })
    const { alg, value } = JSON.parse(String(init.body)) as { alg: string; value: string }
    assert.equal(alg, 'RSA-OAEP-256')
    const { publicKey, privateKey } = pairs[at] as { publicKey: KeyObject; privateKey: KeyObject }
    const bytes = Buffer.from(value, 'base64url')
    try {
      const done =
        verb === 'wrapkey'
          ? publicEncrypt({ key: publicKey, padding, oaepHash: 'sha256' }, bytes)
          : privateDecrypt({ key: privateKey, padding, oaepHash: 'sha256' }, bytes)
      return json({ kid, value: done.toString('base64url') })
    } catch {
      return failure(400, 'BadParameter')
    }
  }
}

const json = (value: unknown, status = 200, headers = {}): Response => new Response(JSON.stringify(value), { status, headers })
const failure = (status: number, code: string, headers = {}): Response =>
  json({ error: { code: 'Forbidden', message: 'quotes a-token-for-azure', innererror: { code } } }, status, headers)

const refusals: readonly [says: string, answer: () => Response, name: string, message: RegExp][] = [
  ['a disabled key', () => failure(403, 'KeyDisabled'), 'VaultKeyRefused', /is disabled in Azure Key Vault$/],
  ['no permission', () => failure(403, 'ForbiddenByRbac'), 'VaultKeyRefused', /refuses the use of .* \(403 ForbiddenByRbac\)$/],
  ['a token that it does not take', () => failure(401, 'Unauthorized'), 'VaultKeyRefused', /does not know us \(Unauthorized\)$/],
  ['no such key', () => failure(404, 'KeyNotFound'), 'VaultKeyMissing', /has no key .* \(KeyNotFound\)$/],
  ['an outage', () => failure(503, 'x'), 'VaultUnavailable', /does not answer for .*: status 503$/],
  ['throttling without end', () => failure(429, 'Throttled'), 'VaultUnavailable', /status 429$/],
  ['a page of a proxy', () => new Response('<html>'), 'VaultUnavailable', /an answer that is no JSON$/],
  ['something else', () => json({ kid: 1 }), 'VaultUnavailable', /answers what we do not understand$/],
  ['a very long answer', () => new Response('x'.repeat(70_000)), 'VaultUnavailable', /an answer that is too long$/],
  [
    'a redirect or no network',
    () => {
      throw Object.assign(new TypeError('fetch failed for a-token-for-azure'), { cause: { code: 'ECONNREFUSED' } })
    },
    'VaultUnavailable',
    /ECONNREFUSED$/,
  ],
]
for (const [says, answer, name, message] of refusals)
  test(`${says}: a clear error with what to do, and no token in it`, async () => {
    const fake = new FakeKeyVault()
    const { vault, records } = await fake.vault()
    await vault.put(alice, 'kept')
    fake.always = answer
    const fresh = new Vault(records, new VaultKeys(records, [fake.provider()], fake.clock), fake.clock)
    await assert.rejects(fresh.get(alice), (error: Error & { fix?: string }) => {
      assert.equal(error.name, name)
      assert.match(error.message, message)
      assert.ok(error.fix)
      assert.doesNotMatch(inspect(error, { depth: 10 }), /a-token-for-azure/)
      return true
    })
    if (name === 'VaultUnavailable') await fresh.check()
    else await assert.rejects(fresh.check(), { name })
    assert.equal((await records.keys()).length, 1)
  })

for (const [says, key, message] of [
  ['an elliptic curve', { kty: 'EC' }, /is a key of type EC$/],
  ['a key for signing', { key_ops: ['sign'] }, /may not wrap and unwrap$/],
  ['a key of another vault', { kid: 'https://evil.example/keys/tokens/1' }, /is called https:\/\/evil\.example/],
] as const)
  test(`refuses ${says} before anything is kept with it`, async () => {
    const fake = new FakeKeyVault()
    fake.key = key
    const { vault, records } = await fake.vault()
    await assert.rejects(vault.put(alice, 'kept'), { name: 'VaultKeyRefused', message })
    assert.deepEqual(await records.keys(), [])
  })

test('what is sent: RSA-OAEP-256 to this version of the key, with a bearer token, and no redirect is followed', async () => {
  const fake = new FakeKeyVault()
  const { vault } = await fake.vault()
  await vault.put(alice, 'kept')
  assert.deepEqual(
    fake.calls.map(({ url: to, init }) => `${init.method} ${to}`),
    [
      `GET ${url}?api-version=2025-07-01`,
      `POST ${url}/${versionOf(0)}/wrapkey?api-version=2025-07-01`,
      `POST ${url}/${versionOf(0)}/wrapkey?api-version=2025-07-01`,
    ],
  )
  assert.deepEqual([...new Set(fake.scopes)], ['https://vault.azure.net/.default'])
  for (const { init } of fake.calls) {
    assert.equal(init.redirect, 'error')
    assert.equal((init.headers as Record<string, string>)['authorization'], 'Bearer a-token-for-azure')
    assert.ok(init.signal)
    assert.doesNotMatch(String(init.body), /kept/)
  }
})

test('throttled: waits as long as it is told, in seconds or by a date, and at most ten seconds', async () => {
  const fake = new FakeKeyVault()
  const { vault } = await fake.vault()
  const date = new Date(fake.clock.at + 3000).toUTCString()
  for (const after of ['2', date, '3600']) fake.instead.push(() => failure(429, 'Throttled', { 'retry-after': after }))
  await vault.put(alice, 'kept')
  assert.deepEqual(fake.waits, [2000, 3000, 10_000])
  fake.waits.length = 0
  fake.instead.push(...[1, 2, 3].map(() => () => failure(500, 'x')))
  await vault.put(alice, 'kept')
  assert.deepEqual(fake.waits, [500, 1000, 2000])
})

test('an outage does not stop reads of what was opened before, for as long as cacheMs; a disabled key does at once it is known', async () => {
  const fake = new FakeKeyVault()
  const { vault } = await fake.vault(3_600_000)
  await vault.put(alice, 'kept')
  const before = fake.calls.length
  assert.equal(await vault.get(alice), 'kept')
  assert.equal(fake.calls.length, before, 'asked once in five minutes')
  fake.always = () => failure(503, 'x')
  fake.clock.at += 1_800_000
  fake.waits.length = 0
  assert.equal(await vault.get(alice), 'kept')
  assert.deepEqual(fake.waits, [], 'nobody waits for what is here')
  await assert.rejects(vault.put(alice, 'new'), { name: 'VaultUnavailable' })
  fake.clock.at += 1_800_001
  await assert.rejects(vault.get(alice), { name: 'VaultUnavailable' })
  fake.always = undefined
  assert.equal(await vault.get(alice), 'kept')
  fake.always = () => failure(403, 'KeyDisabled')
  fake.clock.at += 300_001
  await assert.rejects(vault.get(alice), { name: 'VaultKeyRefused' })
  fake.always = () => failure(503, 'x')
  await assert.rejects(vault.get(alice), { name: 'VaultUnavailable' }, 'what was refused is not remembered')
})

test('cacheMs 0 remembers nothing', async () => {
  const fake = new FakeKeyVault()
  const { vault } = await fake.vault(0)
  await vault.put(alice, 'kept')
  fake.always = () => failure(503, 'x')
  await assert.rejects(vault.get(alice), { name: 'VaultUnavailable' })
})

test('many who read one record at once ask once', async () => {
  const fake = new FakeKeyVault()
  const { vault } = await fake.vault()
  await vault.put(alice, 'kept')
  fake.clock.at += 300_001
  const before = fake.calls.length
  assert.deepEqual(new Set(await Promise.all(Array.from({ length: 20 }, () => vault.get(alice)))), new Set(['kept']))
  assert.equal(fake.calls.length - before, 1)
})

test('a wrapped key that was changed, or is of another record, does not open', async () => {
  const provider = new FakeKeyVault().provider()
  const key = await provider.make([])
  const wrapped = await provider.wrap(key, Buffer.alloc(32, 5), 'binding')
  assert.deepEqual(await provider.unwrap(key, wrapped, 'binding'), Buffer.alloc(32, 5))
  assert.equal(await provider.unwrap(key, wrapped, 'another binding'), undefined)
  assert.equal(await provider.unwrap(key, Buffer.alloc(256), 'binding'), undefined)
  assert.equal(await provider.unwrap(key, wrapped.subarray(1), 'binding'), undefined)
})

test('rotation: moves to the newest version, and says how to make one where there is none', async () => {
  const fake = new FakeKeyVault()
  const { vault, keys, records } = await fake.vault()
  for (let at = 0; at < 5; at++) await vault.put({ ...alice, client: `c${at}` }, `value ${at}`)
  const again = () => rotate({ records, keys, clock: fake.clock, by: 'cli:me' })
  await assert.rejects(again(), {
    name: 'VaultKeyRefused',
    fix: `make one, then rotate again: az keyvault key rotate --id ${url}`,
  })
  fake.versions = 2
  assert.deepEqual(await again(), {
    key: `key-vault:${url}/${versionOf(1)}`,
    resumed: false,
    rewrapped: 5,
    removed: [`key-vault:${url}/${versionOf(0)}`],
    broken: [],
  })
  const { records: seen, broken, closed } = await verifyVault({ records, keys })
  assert.deepEqual([seen, broken, closed], [5, [], []])
  assert.equal(await vault.get({ ...alice, client: 'c3' }), 'value 3')
})
