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
  test(`refuses ${name}`, async () => assert.equal(await new Proofs(clock).check(text, token, request), undefined))

test('accepts a proof once, and says whose key it is', async () => {
  const proofs = new Proofs(clock)
  const text = proof({ htu: `${request.url}?query#fragment` })
  assert.equal(await proofs.check(text, token, request), await calculateJwkThumbprint(jwk as never))
  assert.equal(await proofs.check(text, token, request), undefined, 'a replay')
  assert.notEqual(await proofs.check(proof({ jti: 'k' }), token, request), undefined)
})

test('two of the same proof at once: one counts', async () => {
  const proofs = new Proofs(clock)
  const answers = await Promise.all(Array.from({ length: 20 }, () => proofs.check(proof({ jti: 'race' }), token, request)))
  assert.equal(answers.filter((answer) => answer !== undefined).length, 1)
})

test('what was used is remembered for as long as it could be used again', async () => {
  let at = now
  const proofs = new Proofs({ now: () => at * 1000, monotonic: () => at * 1000 })
  assert.notEqual(await proofs.check(proof({ iat: now + 60 }), token, request), undefined)
  at = now + 119
  assert.equal(await proofs.check(proof({ iat: now + 60 }), token, request), undefined)
})
