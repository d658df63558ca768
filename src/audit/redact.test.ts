import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import test from 'node:test'
import { excerptOf, quoted, redact, redactKnown } from './redact.ts'

/** Put together here, so that no scanner takes this file for a leak. */
const of = (...parts: readonly string[]): string => parts.join('')

const secrets: readonly (readonly [name: string, text: string])[] = [
  ['a bearer token', 'Authorization: Bearer abcdefghijklmnop1234'],
  ['basic credentials', 'Basic dXNlcjpwYXNzd29yZA=='],
  ['a JSON web token', of('eyJ', 'hbGciOiJFUzI1NiJ9.eyJzdWIiOiJtZSJ9.c2lnbmF0dXJl')],
  ['an API key', of('sk-', 'proj-abcdefghijklmnop')],
  ['a GitHub token', of('ghp_', 'abcdefghijklmnopqrstuvwxyz0123')],
  ['a fine-grained GitHub token', of('github_', 'pat_11ABCDEFG0abcdefghijkl_mnop')],
  ['a Slack token', of('xoxb-', '1234567890-abcdefghij')],
  ['an AWS key id', of('AKIA', 'ABCDEFGHIJKLMNOP')],
  ['a Google key', of('AIza', 'SyABCDEFGHIJKLMNOPQRSTUVWX')],
  ['a private key', of('-----BEGIN ', 'PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA\n-----END ', 'PRIVATE KEY-----')],
  ['a password in an address', 'postgres://admin:hunter2hunter2@db'],
  ['a token in a query', 'https://example.com/x?access_token=short1'],
]

for (const [name, text] of secrets) {
  test(`${name} is taken out of a name and out of a body`, () => {
    for (const out of [redactKnown(`before ${text} after`), excerptOf({ note: `before ${text} after` }, 1000)]) {
      assert.match(out, /\[redacted\]/)
      assert.match(out, /before /)
      for (const word of text.match(/[A-Za-z0-9+/_]{10,}/g) ?? []) {
        if (!/Authorization|access_token|postgres/.test(word)) assert.ok(!out.includes(word), `${word} is still in ${out}`)
      }
    }
  })
}

test('a body loses what is kept under the name of a secret, whatever it is', () => {
  const body = {
    password: 'x',
    apiKey: ['a', 'b'],
    nested: { client_secret: { deep: 'y' }, pin: 1234 },
    Authorization: 'z',
    plain: 'kept',
  }
  assert.equal(
    excerptOf(body, 1000),
    '{"Authorization":"[redacted]","apiKey":"[redacted]","nested":{"client_secret":"[redacted]","pin":"[redacted]"},"password":"[redacted]","plain":"kept"}',
  )
})

test('a long random run is taken out of a body, at any place, also as a key, and also where the excerpt is cut', () => {
  for (let bytesMax = 10; bytesMax < 200; bytesMax += 7) {
    const secret = randomBytes(40).toString(bytesMax % 2 === 0 ? 'base64' : 'hex')
    const bodies = [
      { a: secret },
      { [secret]: 1 },
      { a: ['x'.repeat(20), `word ${secret} word`] },
      { a: `${'y '.repeat(3000)}${secret}` },
    ]
    for (const body of bodies) assert.ok(!excerptOf(body, bytesMax).includes(secret.slice(0, 12)))
  }
})

test('an excerpt is at most as long as asked, in bytes, and breaks no character', () => {
  for (let bytesMax = 1; bytesMax < 60; bytesMax++) {
    const out = excerptOf({ text: '日本語のテキスト 🗼 '.repeat(20) }, bytesMax)
    assert.ok(Buffer.byteLength(out) <= bytesMax)
    assert.ok(!out.includes('\uFFFD'))
  }
})

test('numbers keep their source text, and a large body is not walked to its end', () => {
  const raw = (JSON as unknown as { rawJSON(text: string): number }).rawJSON('12345678901234567890.0')
  assert.equal(excerptOf({ n: raw }, 100), '{"n":12345678901234567890.0}')
  let walked = 0
  const counting = {
    get a() {
      walked++
      return 'b'
    },
  }
  excerptOf({ list: Array(300_000).fill(counting) }, 100)
  assert.ok(walked < 1000, `${walked} of 300,000`)
})

test('ordinary text stays as it is', () => {
  for (const text of [
    'read_file',
    'file:///home/me/project/src/index.ts',
    'https://example.com/a?page=2&sort=asc',
    '日本語',
    '',
  ]) {
    assert.equal(redactKnown(text), text)
    assert.equal(redact(text), text)
  }
})

test('hostile text takes linear time: this ends', { timeout: 60_000 }, () => {
  const hostile = [
    'Bearer '.repeat(40_000),
    'eyJ'.repeat(80_000),
    `-----BEGIN ${'A'.repeat(39)} `.repeat(4000),
    '://a'.repeat(60_000),
    '?token'.repeat(40_000),
    `${'a'.repeat(240_000)} `,
  ]
  for (const text of hostile) {
    redact(text)
    quoted(text, 256)
    excerptOf({ [text]: text }, 1000)
  }
})

test('a quoted text is cut, and not in the middle of a secret', () => {
  assert.equal(quoted('a'.repeat(300), 10), 'aaaaaaaaa…')
  const secret = of('ghp_', 'a1'.repeat(3000))
  assert.ok(!quoted(`see ${secret}`, 100).includes('ghp_'))
})
