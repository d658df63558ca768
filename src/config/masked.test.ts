import assert from 'node:assert/strict'
import test from 'node:test'
import { maskedText } from './masked.ts'

// Put together here, so that no scanner of repositories takes this file for a leak.
const token = `ghp_${'a'.repeat(36)}`
const key = `sk_ci_${'A'.repeat(43)}`

/** What must not be seen any more, in whole documents and broken ones. */
const masked: readonly (readonly [text: string, secret: string])[] = [
  [`servers: { a: { command: [x], env: { TOKEN: ${token} } } }`, token],
  [`servers: { a: { command: [x, ${token}] } }`, token],
  [`# ${token}`, token],
  [`x: "-----BEGIN ${'PRIVATE'} KEY-----\\nhunter2"`, 'hunter2'],
  ['servers: { a: { url: "https://u:hunter2@h.example/" } }', 'hunter2'],
  ['servers: { a: { command: [x, --db=postgres://u:hunter2@h/d] } }', 'hunter2'],
  [`identity: { keys: [ { id: ci, sha256: ${key} } ] }`, key],
  ['identity: { keys: [ { id: ci, sha256: hunter2 } ] }', 'hunter2'],
  ['env: { API_KEY: hunter2, MODE: fast }', 'hunter2'],
  ['env:\n  DB_PASSWORD:\n    hunter2\n    hunter3', 'hunter'],
  ['env:\n  DB_PASSWORD: |\n    hunter2\n    hunter3\n', 'hunter'],
  ['evn: { client_secret: hunter2 }', 'hunter2'],
  ['env: { DB_PASSWORD: 1234 }', '1234'],
  ['{ "env": { "TOKEN": "hunter2" } }', 'hunter2'],
  [`vault: { keyProvider: { kind: environment, key: ${'ab1'.repeat(14)}c } }`, 'ab1'],
  ['vault: { keyProvider: { kind: environment, secret: hunter2 } }', 'hunter2'],
  ['vault: { keyProvider: { kind: passphrase, passphrase: hunter2 } }', 'hunter2'],
  ['env: { TOKEN: hunter2 \nroles: [', 'hunter2'],
  ['env: { TOKEN: "hunter2 }', 'hunter2'],
  ['env:\n  TOKEN: hunter2\n\tX: 1\n', 'hunter2'],
  ['env:\n  TOKEN: hunter2\n  TOKEN: hunter3\n', 'hunter'],
  ['env:\n  TOKEN: a: hunter2\n', 'hunter2'],
]
for (const [text, secret] of masked)
  test(`masks ${JSON.stringify(text.slice(0, 60))}`, () => {
    const shown = maskedText(text)
    assert.ok(!shown.includes(secret), shown)
    assert.deepEqual(
      shown.split('\n').map((line) => line.length),
      text.split('\n').map((line) => line.length),
      'every place stays',
    )
  })

test('what is no secret stays readable', () => {
  const text = `listen: 127.0.0.1:4180
tls: { cert: a.pem, key: b.pem }
vault: { keyFile: ./sekisho.key, keyProvider: { kind: environment, secret: env:KEK }, previousKeyProviders: [ { kind: file } ] }
identity: { mode: api-keys, keys: [ { id: ci, sha256: ${'ab'.repeat(32)} } ] }
servers: { a: { command: [x], env: { TOKEN: env:TOKEN, OTHER: file:token, MODE: fast } } }
bindings: [ { role: r, apiKey: ci } ]
`
  assert.equal(maskedText(text), text)
})

test('neither a document that is nested too deep nor a very long one is a crash', () => {
  assert.equal(typeof maskedText('['.repeat(20_000)), 'string')
  assert.equal(maskedText('x'.repeat(2_000_000)), '')
})
