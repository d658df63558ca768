import assert from 'node:assert/strict'
import { generateKeyPairSync, hash, type KeyObject, sign } from 'node:crypto'
import test from 'node:test'
import { calculateJwkThumbprint } from 'jose'
import { Proofs } from './dpop.ts'

const key = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const other = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const jwk = key.publicKey.export({ format: 'jwk' })
const now = 1_800_000_000
const clock = { now: () => now * 1000, monotonic: () => now * 1000 }
const token = 'the.access.token'
const request = { method: 'POST', url: 'https://gw.example/x/mcp' }

const thumbprint = await calculateJwkThumbprint(jwk as never)

const b64 = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
function proof(claims: object = {}, header: object = {}, by: KeyObject = key.privateKey): string {
  const all = { htm: 'POST', htu: request.url, iat: now, jti: 'j', ath: hash('sha256', token, 'base64url'), ...claims }
  const input = `${b64({ typ: 'dpop+jwt', alg: 'ES256', jwk, ...header })}.${b64(all)}`
  return `${input}.${sign('sha256', Buffer.from(input), { key: by, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
}

const wrong: readonly (readonly [name: string, proof: string])[] = [
  ['nothing', ''],
  ['another type', proof({}, { typ: 'JWT' })],
  ['alg none', proof({}, { alg: 'none' })],
  ['a symmetric algorithm', proof({}, { alg: 'HS256' })],
  ['no key', proof({}, { jwk: undefined })],
  ['a private key in the header', proof({}, { jwk: key.privateKey.export({ format: 'jwk' }) })],
  ['a symmetric key in the header', proof({}, { jwk: { kty: 'oct', k: 'AAAA' } })],
  ['the signature of another key', proof({}, {}, other.privateKey)],
  ['another method', proof({ htm: 'GET' })],
  ['the method in small letters', proof({ htm: 'post' })],
  ['another path', proof({ htu: 'https://gw.example/y/mcp' })],
  ['another host', proof({ htu: 'https://evil.example/x/mcp' })],
  ['another scheme', proof({ htu: 'http://gw.example/x/mcp' })],
  ['no URL', proof({ htu: 7 })],
  ['another token', proof({ ath: hash('sha256', 'another', 'base64url') })],
  ['no token', proof({ ath: undefined })],
  ['an old proof', proof({ iat: now - 61 })],
  ['a proof of the future', proof({ iat: now + 61 })],
  ['no time', proof({ iat: undefined })],
  ['no name', proof({ jti: undefined })],
  ['a name of a kilobyte', proof({ jti: 'j'.repeat(1024) })],
  ['an extension', proof({}, { crit: ['x'], x: 1 })],
]
for (const [name, text] of wrong)
  test(`refuses ${name}`, async () => assert.equal(await new Proofs(clock).check(text, token, thumbprint, request), false))

const otherJwk = other.publicKey.export({ format: 'jwk' })
const byOther = (jti: string): string => proof({ jti }, { jwk: otherJwk }, other.privateKey)
const otherThumbprint = await calculateJwkThumbprint(otherJwk as never)

test('refuses a good proof of a key that the token is not bound to, and keeps nothing of it', async () => {
  const proofs = new Proofs(clock)
  const text = byOther('j')
  assert.equal(await proofs.check(text, token, thumbprint, request), false)
  assert.equal(await proofs.check(text, token, otherThumbprint, request), true)
})

test('accepts a proof once', async () => {
  const proofs = new Proofs(clock)
  const text = proof({ htu: `${request.url}?query#fragment` })
  assert.equal(await proofs.check(text, token, thumbprint, request), true)
  assert.equal(await proofs.check(text, token, thumbprint, request), false, 'a replay')
  assert.equal(await proofs.check(proof({ jti: 'k' }), token, thumbprint, request), true)
})

test('two of the same proof at once: one counts', async () => {
  const proofs = new Proofs(clock)
  const text = proof({ jti: 'race' })
  const answers = await Promise.all(Array.from({ length: 20 }, () => proofs.check(text, token, thumbprint, request)))
  assert.equal(answers.filter((answer) => answer).length, 1)
})

test('what was used is remembered for as long as it could be used again, also behind what ends later', async () => {
  let at = now
  const proofs = new Proofs({ now: () => at * 1000, monotonic: () => at * 1000 })
  const late = proof({ iat: now + 60 })
  const early = proof({ iat: now + 20, jti: 'early' })
  for (const text of [late, early]) assert.equal(await proofs.check(text, token, thumbprint, request), true)
  at = now + 80
  for (const text of [late, early]) assert.equal(await proofs.check(text, token, thumbprint, request), false)
  at = now + 119
  assert.equal(await proofs.check(late, token, thumbprint, request), false)
})

test('one key that takes all its room takes none of another, and has room again when its proofs have ended', async () => {
  let at = now
  const proofs = new Proofs({ now: () => at * 1000, monotonic: () => at * 1000 })
  const used = async (jti: string): Promise<boolean> => proofs.check(byOther(jti), token, otherThumbprint, request)
  for (let from = 0; from < 10_000; from += 500)
    await Promise.all(Array.from({ length: 500 }, (_, index) => used(`j${from + index}`)))
  assert.equal(await used('one more'), false)
  assert.equal(await proofs.check(proof(), token, thumbprint, request), true)
  at = now + 62
  const fresh = proof({ iat: at }, { jwk: otherJwk }, other.privateKey)
  assert.equal(await proofs.check(fresh, token, otherThumbprint, request), true)
})
