/** K-7: what a manifest must not be believed, and why; and that one which is as it should be is. */
import assert from 'node:assert/strict'
import { createHmac, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import test, { describe } from 'node:test'
import { flattenedVerify } from 'jose'
import { type JsonObject, parseStrict } from '../../lib/strict-json.ts'
import type { Definition } from '../definition.ts'
import { approvalsText, refused, signedReason, standingAt, unsignedReason, verified } from './approvals.ts'
import { entriesOf, type Manifest, manifestBytesMax, manifestText, payloadOf, readManifest } from './manifest.ts'
import { ApprovalsRefused } from './refused.ts'
import { keyIdOf, signManifest, verifyManifest } from './signature.ts'

const team = generateKeyPairSync('ed25519')
const stranger = generateKeyPairSync('ed25519')
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const day = 86_400_000
const now = Date.UTC(2026, 10, 21)
const clock = { now: () => now, monotonic: () => 0 }
const identity = 'https://crm.example.com/mcp'
type Json = Record<string, unknown>

const tool = (name: string, description = 'Reads.'): Definition => ({
  kind: 'tool',
  name,
  body: { name, description, inputSchema: { type: 'object' } },
})
const definitions = [tool('read'), tool('list'), { kind: 'prompt', name: 'read', body: { name: 'read' } } as const]
const manifest: Manifest = { pins: 1, server: 'crm', identity, definitions: [...entriesOf(definitions)] }
const kid = await keyIdOf(team.publicKey)
const good = manifestText(await signManifest(manifest, team.privateKey, clock, 90 * day))

const expected = { keys: [team.publicKey], identity, clock }
const believed = async (text: string, more: Partial<typeof expected> = {}): Promise<string> =>
  verifyManifest(readManifest(text), { ...expected, ...more })
/** The file with something else in it. */
const changed = (change: (file: { manifest: Json; protected: string; signature: string }) => void): string => {
  const file = JSON.parse(good) as Parameters<typeof change>[0]
  change(file)
  return JSON.stringify(file)
}
const base64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
/** Signed as a forger would who has all but the key, or by the team with another header. */
const withHeader = (
  header: Json,
  signer: (input: Buffer) => Buffer,
  about: Manifest = { ...manifest, iat: now / 1000 },
): string => {
  const input = `${base64(header)}.${Buffer.from(payloadOf(about)).toString('base64url')}`
  return JSON.stringify({
    manifest: about,
    protected: base64(header),
    signature: signer(Buffer.from(input)).toString('base64url'),
  })
}
const byTeam = (input: Buffer): Buffer => sign(null, input, team.privateKey)
const typ = 'sekisho-pins+jws'
const pem = team.publicKey.export({ type: 'spki', format: 'pem' })
const firstOf = (file: { manifest: Json }): Json => (file.manifest['definitions'] as Json[])[0] as Json

type Case = readonly [what: string, text: string | Promise<string>, why: RegExp, more?: Partial<typeof expected>]
const cases: readonly Case[] = [
  ['nobody has signed', manifestText({ manifest, signed: undefined }), /^is not signed$/],
  [
    'another key',
    signManifest(manifest, stranger.privateKey, clock).then(manifestText),
    /^is signed with the key "[\w-]{43}", which/,
  ],
  ['no key is trusted', good, /which is not among its "keys"/, { keys: [] }],
  [
    'another key, under the name of ours',
    withHeader({ alg: 'EdDSA', kid, typ }, (input) => sign(null, input, stranger.privateKey)),
    /^was changed after it was signed$/,
  ],
  ['a key without a name', withHeader({ alg: 'EdDSA', typ }, byTeam), /a key without a name/],
  [
    'the key of the forger, brought along',
    withHeader({ alg: 'EdDSA', kid, typ, jwk: stranger.publicKey.export({ format: 'jwk' }) }, (input) =>
      sign(null, input, stranger.privateKey),
    ),
    /was changed after it was signed/,
  ],
  ['alg: none', withHeader({ alg: 'none', kid, typ }, () => Buffer.from('x')), /algorithm that is not accepted/],
  [
    'HS256, with the public key as the secret',
    withHeader({ alg: 'HS256', kid, typ }, (input) => createHmac('sha256', pem).update(input).digest()),
    /algorithm that is not accepted/,
  ],
  [
    'RS256 by a key that is trusted',
    withHeader({ alg: 'RS256', kid: await keyIdOf(rsa.publicKey), typ }, (input) => sign('sha256', input, rsa.privateKey)),
    /algorithm that is not accepted/,
    { keys: [rsa.publicKey as KeyObject] },
  ],
  ['crit', withHeader({ alg: 'EdDSA', kid, typ, crit: ['exp'], exp: 1 }, byTeam), /extensions/],
  ['b64', withHeader({ alg: 'EdDSA', kid, typ, b64: false }, byTeam), /extensions/],
  ['another statement by the same key', withHeader({ alg: 'EdDSA', kid, typ: 'JWT' }, byTeam), /no manifest of approvals/],
  ['a statement without a type', withHeader({ alg: 'EdDSA', kid }, byTeam), /no manifest of approvals/],
  [
    'a header with a key twice',
    changed((file) => (file.protected = Buffer.from('{"alg":"EdDSA","alg":"none"}').toString('base64url'))),
    /signature that cannot be read/,
  ],
  ['a header that is none', changed((file) => (file.protected = '!!!!')), /signature that cannot be read/],
  ['an empty signature', changed((file) => (file.signature = 'AA')), /was changed after/],
  ['the end moved', changed((file) => (file.manifest['exp'] = 4_000_000_000)), /was changed after/],
  ['the end taken away', changed((file) => delete file.manifest['exp']), /was changed after/],
  ['the identity moved', changed((file) => (file.manifest['identity'] = 'https://evil.example/mcp')), /was changed after/],
  ['a definition taken away', changed((file) => (file.manifest['definitions'] as Json[]).pop()), /was changed after/],
  [
    'a definition put in',
    changed((file) => (file.manifest['definitions'] as unknown[]).push(...entriesOf([tool('delete', 'Deletes.')]))),
    /was changed after/,
  ],
  [
    'words changed',
    changed((file) => ((firstOf(file)['definition'] as Json)['description'] = 'Sends.')),
    /a digest that is not the one/,
  ],
  ['a digest changed', changed((file) => (firstOf(file)['digest'] = 'A'.repeat(43))), /a digest that is not the one/],
  ['a name changed', changed((file) => (firstOf(file)['name'] = 'other')), /otherwise than its definition does/],
  ['a kind changed', changed((file) => (firstOf(file)['kind'] = 'resource')), /otherwise than its definition does/],
  ['a kind that there is not', changed((file) => (firstOf(file)['kind'] = 'spell')), /definitions\.0\.kind/],
  [
    'a definition twice',
    changed((file) => (file.manifest['definitions'] as unknown[]).push(firstOf(file))),
    /the tool "list" twice/,
  ],
  ['expired', good, /^was signed until 2027-02-19T00:00:00\.000Z$/, { clock: { ...clock, now: () => now + 90 * day } }],
  ['not signed yet', good, /which is still to come/, { clock: { ...clock, now: () => now - 301_000 } }],
  ['no day of signing', withHeader({ alg: 'EdDSA', kid, typ }, byTeam, manifest), /does not say when it was signed/],
  ['a day of signing that is no number', changed((file) => (file.manifest['iat'] = '1')), /manifest\.iat/],
  [
    'the manifest of another server',
    good,
    /^is about another server: "https:\/\/crm.*stands "https:\/\/erp/,
    { identity: 'https://erp.example.com/mcp' },
  ],
  ['a member that is not known', changed((file) => (file.manifest['also'] = 1)), /Unrecognized key: "also"/],
  ['a header that nobody signs', changed((file) => Object.assign(file, { header: { kid } })), /Unrecognized key: "header"/],
  ['what would move a cursor', changed((file) => (file.manifest['\u001b[2J\u202e'] = 1)), /Unrecognized key: " ?\[2J "$/],
  ['another version', changed((file) => (file.manifest['pins'] = 2)), /is not 1, the only version/],
  ['a signature without its header', changed((file) => delete (file as Partial<typeof file>).protected), /has only one of/],
  ['a key twice', good.replace('"pins": 1,', '"pins": 1, "pins": 1,'), /JSON that can be relied on: .*twice/],
  ['deep JSON', `{"manifest":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, /nested more than 96 levels/],
  ['a huge file', `{"manifest":"${'x'.repeat(manifestBytesMax)}"}`, /is larger than 16777216 bytes/],
  ['a file of something else, which is not quoted from', 'k3y-0f-the-te4m', /^is not JSON$/],
  ['a list', '[]', /is not a manifest of approvals/],
  ['nothing', '', /is not JSON/],
  ['a merge that is not done', good.replace('{', '{\n<<<<<<< ours\n'), /an unresolved merge conflict/],
]

describe('a manifest is not believed', () => {
  for (const [what, text, why, more] of cases)
    test(what, async () => {
      const given = await text
      const error = await Promise.resolve()
        .then(() => believed(given, more))
        .then(
          (key) => assert.fail(`it was believed: ${key}`),
          (error: unknown) => error,
        )
      assert.ok(error instanceof ApprovalsRefused, String(error))
      assert.match(error.message, why)
      assert.ok(error.fix.length > 10)
    })
})

test('one that is as it should be is believed, and says by whose key', async () => {
  assert.equal(await believed(good), kid)
  assert.equal(await believed(good, { keys: [stranger.publicKey, team.publicKey] }), kid)
  assert.equal(await believed(good, { clock: { ...clock, now: () => now + 90 * day - 1000 } }), kid)
  const openEnded = manifestText(await signManifest(manifest, team.privateKey, clock))
  assert.equal(await believed(openEnded, { clock: { ...clock, now: () => now + 9000 * day } }), kid)
})

test('signing again takes the end of the signature before away', async () => {
  const again = await signManifest(readManifest(good).manifest, team.privateKey, clock)
  assert.equal(again.manifest.exp, undefined)
})

test('any program that knows JWS can verify it: the payload is the canonical JSON of "manifest"', async () => {
  const { protected: header, signature } = JSON.parse(good) as { protected: string; signature: string }
  const payload = Buffer.from(payloadOf(readManifest(good).manifest)).toString('base64url')
  const { protectedHeader } = await flattenedVerify({ protected: header, signature, payload }, team.publicKey)
  assert.deepEqual(protectedHeader, { alg: 'EdDSA', kid, typ })
})

test('the name of a key is its thumbprint (RFC 8037, Appendix A.3), the same of both halves', async () => {
  const x = '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo'
  const known = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
  assert.equal(await keyIdOf(known), 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k')
  assert.equal(await keyIdOf(team.privateKey), kid)
})

describe('the text of a manifest', () => {
  test('has the same bytes, whatever order it came in', () => {
    const reversed = { ...manifest, definitions: [...entriesOf([...definitions, tool('read')].reverse())] }
    const text = manifestText({ manifest: reversed, signed: undefined })
    assert.equal(text, manifestText({ manifest, signed: undefined }))
    assert.deepEqual(
      readManifest(text).manifest.definitions.map(({ kind, name }) => `${kind} ${name}`),
      ['tool list', 'tool read', 'prompt read'],
    )
    assert.equal(manifestText(readManifest(good)), good)
  })

  test('spells out what a review would not see, and reads it back', () => {
    const hidden = 'a\u202eb\u{e0041}c\u200bd\u00a0e\ufe0ff'
    const text = manifestText({ manifest: { ...manifest, definitions: [...entriesOf([tool('x', hidden)])] }, signed: undefined })
    assert.ok(text.includes('a\\u202eb\\udb40\\udc41c\\u200bd\\u00a0e\\ufe0ff'), text)
    assert.equal(readManifest(text).manifest.definitions[0]?.definition['description'], hidden)
  })

  test('keeps the text of a number', () => {
    const raw = '{"name":"x","inputSchema":{"maximum":1.0,"minimum":12345678901234567890}}'
    const [entry] = entriesOf([{ kind: 'tool', name: 'x', body: parseStrict(raw) as JsonObject }])
    assert.ok(entry !== undefined)
    const text = manifestText({ manifest: { ...manifest, definitions: [entry] }, signed: undefined })
    assert.match(text, /"maximum": 1\.0,\n *"minimum": 12345678901234567890\n/)
    assert.equal(readManifest(text).manifest.definitions[0]?.digest, entry.digest)
  })
})

describe('what a manifest approves', () => {
  const [list, read] = manifest.definitions as [(typeof manifest.definitions)[number], (typeof manifest.definitions)[number]]
  const one = verified('/team/approved/crm.jws', kid, { ...manifest, exp: now / 1000 + 60 })

  test('this kind, this name, this digest, and nothing less', () => {
    assert.equal(one.approves(read), true)
    assert.equal(one.approves({ ...read, kind: 'prompt' }), false)
    assert.equal(one.approves({ ...read, name: 'list' }), false)
    assert.equal(one.approves({ ...read, digest: list.digest }), false)
  })

  test('until its end, and nothing from then on', () => {
    const before = standingAt(new Map([['crm', one]]), now + 59_999).get('crm')
    assert.equal(before, one)
    const after = standingAt(new Map([['crm', one]]), now + 60_000).get('crm')
    assert.ok(after?.outcome === 'refused')
    assert.match(approvalsText(after), /^\/team\/approved\/crm\.jws was signed until 2026-11-21T00:01:00\.000Z, so nothing/)
  })

  test('callers are not told where the file is', () => {
    const gone = refused('/team/approved/crm.jws', new ApprovalsRefused('is not there', 'bring it back'))
    for (const says of [signedReason(one), unsignedReason(one), unsignedReason(gone)]) assert.doesNotMatch(says, /team/)
  })
})
