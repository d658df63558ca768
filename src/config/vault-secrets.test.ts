import assert from 'node:assert/strict'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { inspect } from 'node:util'
import { readEnvironment } from './environment.ts'
import { parseConfig } from './load.ts'
import type { ConfigRefused } from './problem.ts'

const folder = mkdtempSync(join(tmpdir(), 'sekisho-vault-secrets-'))
const key = Buffer.alloc(32, 7).toString('base64url')
const words = 'correct horse battery staple'
const environment = readEnvironment({ KEK: key, SHORT: 'AAAA', PASS: words, WEAK: 'hunter2' })
writeFileSync(join(folder, 'pass'), `${words}\n`)

const keyUrl = 'https://h.vault.azure.net/keys/k'
/** A key in Key Vault, with this credential. */
const azure = (credential: string, more = ''): string =>
  vault(`{ kind: key-vault, key: "${keyUrl}", credential: { ${credential} } }`, more)
const asClient = 'kind: client-credentials, issuer: "https://login.example/t/v2.0", clientId: c'
const vault = (provider: string, more = ''): string => `vault: { keyProvider: ${provider} ${more} }`
const refusals: readonly (readonly [says: string, text: string, path: string, message: RegExp, fix: RegExp])[] = [
  ['a provider that is not there', vault('{ kind: keychain }'), 'vault.keyProvider.kind', /cannot be "keychain"/, /key-vault/],
  ['no kind', vault('{}'), 'vault.keyProvider.kind', /is missing/, /file, environment, passphrase, key-vault/],
  [
    'a key of another kind',
    vault('{ kind: file, secret: env:KEK }'),
    'vault.keyProvider.secret',
    /belongs to kind: environment/,
    /./,
  ],
  ['no variable', vault('{ kind: environment }'), 'vault.keyProvider.secret', /is missing/, /text/],
  [
    'a key written out',
    vault(`{ kind: environment, secret: ${key} }`),
    'vault.keyProvider.secret',
    /is not a variable/,
    /env:NAME/,
  ],
  [
    'a file as a variable',
    vault('{ kind: environment, secret: "file:./k" }'),
    'vault.keyProvider.secret',
    /is not a variable/,
    /env:NAME/,
  ],
  [
    'a variable that is not set',
    vault('{ kind: environment, secret: env:NOT_SET }'),
    'vault.keyProvider.secret',
    /NOT_SET, which is not set/,
    /set NOT_SET/,
  ],
  [
    'a short key',
    vault('{ kind: environment, secret: env:SHORT }'),
    'vault.keyProvider.secret',
    /not 32 bytes in base64url/,
    /head -c 32/,
  ],
  [
    'a passphrase written out',
    vault(`{ kind: passphrase, passphrase: ${words} }`),
    'vault.keyProvider.passphrase',
    /is not a reference/,
    /env:NAME or file:PATH/,
  ],
  [
    'a weak passphrase',
    vault('{ kind: passphrase, passphrase: env:WEAK }'),
    'vault.keyProvider.passphrase',
    /fewer than 15 characters/,
    /six random words/,
  ],
  [
    'a file that is not there',
    vault('{ kind: passphrase, passphrase: "file:./none" }'),
    'vault.keyProvider.passphrase',
    /cannot be read \(ENOENT\)/,
    /path/,
  ],
  [
    'plain http',
    vault('{ kind: key-vault, key: "http://h.vault.azure.net/keys/k" }'),
    'vault.keyProvider.key',
    /not the address of a key/,
    /https:/,
  ],
  [
    'a version',
    vault('{ kind: key-vault, key: "https://h.vault.azure.net/keys/k/1" }'),
    'vault.keyProvider.key',
    /not the address/,
    /without a version/,
  ],
  [
    'a secret of Key Vault',
    vault('{ kind: key-vault, key: "https://h.vault.azure.net/secrets/k" }'),
    'vault.keyProvider.key',
    /not the address/,
    /keys/,
  ],
  [
    'a password in the address',
    vault('{ kind: key-vault, key: "https://u:p@h.vault.azure.net/keys/k" }'),
    'vault.keyProvider.key',
    /not the address/,
    /keys/,
  ],
  [
    'a bad one among the previous',
    vault('{ kind: file }', ', previousKeyProviders: [{ kind: environment, secret: env:SHORT }]'),
    'vault.previousKeyProviders[0].secret',
    /not 32 bytes/,
    /head/,
  ],
  [
    'the same provider twice',
    vault('{ kind: environment, secret: env:KEK }', ', previousKeyProviders: [{ kind: environment, secret: env:KEK }]'),
    'vault.previousKeyProviders[0]',
    /is there already/,
    /remove/,
  ],
  [
    'the key handed to a server',
    `${vault('{ kind: environment, secret: env:KEK }')}\nservers: { a: { command: [/bin/cat], inheritEnv: [KEK] } }`,
    'servers.a.inheritEnv[0]',
    /the key of the vault/,
    /remove/,
  ],
  [
    'the key in a variable of a server',
    `${vault('{ kind: passphrase, passphrase: env:PASS }')}\nservers: { a: { command: [/bin/cat], env: { X: "env:PASS" } } }`,
    'servers.a.env.X',
    /the key of the vault/,
    /remove/,
  ],
  ...(
    [
      ['a user’s kind of credential', 'kind: oauth', '.kind', /cannot be "oauth"/, /managed-identity/],
      ['a scope, which is Key Vault’s to say', 'kind: managed-identity, scope: x', '.scope', /is not a key we know/, /./],
      ['a resource too', 'kind: managed-identity, resource: x', '.resource', /is not a key we know/, /./],
      ['a client without a proof', asClient, '', /needs exactly one of/, /registered/],
      ['a secret written out', `${asClient}, clientSecret: hunter2`, '.clientSecret', /must say where/, /env:NAME/],
      ['a secret that is not set', `${asClient}, clientSecret: env:NOT_SET`, '.clientSecret', /NOT_SET/, /set NOT_SET/],
      [
        'a platform’s token that is not there',
        'kind: workload-identity, tokenUrl: "https://login.example/token", clientId: c, tokenFile: ./none',
        '.tokenFile',
        /cannot be read \(ENOENT\)/,
        /path/,
      ],
    ] as const
  ).map(
    ([says, credential, at, message, fix]) =>
      [says, azure(credential), `vault.keyProvider.credential${at}`, message, fix] as const,
  ),
  [
    'one key of Key Vault twice, under two credentials',
    azure('kind: managed-identity', `, previousKeyProviders: [{ kind: key-vault, key: "${keyUrl}" }]`),
    'vault.previousKeyProviders[0]',
    /is there already/,
    /remove/,
  ],
  ...(
    [
      ['to a process', '{ command: [/bin/cat], env: { X: "env:PASS" } }', 'env.X'],
      [
        'as a key of its own',
        '{ url: "https://a.example/mcp", credential: { kind: static, secret: env:PASS } }',
        'credential.secret',
      ],
    ] as const
  ).map(
    ([says, server, path]) =>
      [
        `what opens the key in Key Vault handed to a server, ${says}`,
        `${azure(`${asClient}, clientSecret: env:PASS`)}\nservers: { a: ${server} }`,
        `servers.a.${path}`,
        /the key of the vault/,
        /remove/,
      ] as const,
  ),
]
for (const [says, text, path, message, fix] of refusals)
  test(`refuses ${says}, says where, and repeats no secret`, () =>
    assert.throws(
      () => parseConfig(text, folder, environment),
      ({ name, problems }: ConfigRefused) => {
        assert.equal(name, 'ConfigRefused')
        assert.deepEqual([problems.map((one) => one.path)], [[path]])
        assert.match(problems[0]?.message ?? '', message)
        assert.match(problems[0]?.fix ?? '', fix)
        for (const secret of [key, words, 'hunter2']) assert.ok(!JSON.stringify(problems).includes(secret))
        return true
      },
    ))

test('an old configuration means what it meant', () => {
  const file = { kind: 'file' }
  assert.deepEqual(parseConfig('', '/srv').vault, {
    keyFile: '/srv/data/sekisho.key',
    keyProvider: file,
    previousKeyProviders: [],
  })
  assert.equal(parseConfig('vault: { keyFile: /etc/k }').vault.keyFile, '/etc/k')
})

test('a secret is found where it is referred to, and does not print', () => {
  const text = vault(
    '{ kind: environment, secret: env:KEK }',
    ', previousKeyProviders: [{ kind: passphrase, passphrase: "file:./pass" }]',
  )
  const config = parseConfig(text, folder, environment).vault
  assert.ok(config.keyProvider.kind === 'environment' && config.previousKeyProviders[0]?.kind === 'passphrase')
  assert.equal(config.keyProvider.secret.reveal(), key)
  assert.equal(config.previousKeyProviders[0].passphrase.reveal(), words)
  for (const printed of [JSON.stringify(config), inspect(config, { depth: 9, showHidden: true })])
    for (const secret of [key, words]) assert.ok(!printed.includes(secret))
  const unresolved = parseConfig(text, folder).vault.keyProvider
  assert.throws(() => unresolved.kind === 'environment' && unresolved.secret.reveal(), /env:KEK has not been resolved/)
})

test('who we are in Azure: with its secret, its paths absolute, and what the platform says of its own identity', () => {
  const at = readEnvironment({ PASS: words, IDENTITY_ENDPOINT: 'http://127.0.0.1:41/msi', IDENTITY_HEADER: 'of-the-platform' })
  const credentialOf = (text: string) => {
    const { keyProvider } = parseConfig(text, folder, at).vault
    return keyProvider.kind === 'key-vault' ? keyProvider.credential : undefined
  }
  const client = credentialOf(azure(`${asClient}, clientSecret: env:PASS`))
  assert.equal(client?.kind === 'client-credentials' && client.clientSecret?.reveal(), words)
  assert.doesNotMatch(inspect(client, { depth: 10 }), new RegExp(words))
  const workload = credentialOf(
    azure('kind: workload-identity, tokenUrl: "https://login.example/token", clientId: c, tokenFile: ./pass'),
  )
  assert.equal(workload?.kind === 'workload-identity' && workload.tokenFile, join(folder, 'pass'))
  const managed = credentialOf(azure('kind: managed-identity'))
  assert.deepEqual(managed?.kind === 'managed-identity' && managed.endpoint?.kind, 'app-service')
})

test('the secret that opens the key in Key Vault may prove to an authorization server who we are', () => {
  const server = `{ url: "https://a.example/mcp", credential: { ${asClient}, clientSecret: env:PASS } }`
  const config = parseConfig(`${azure(`${asClient}, clientSecret: env:PASS`)}\nservers: { a: ${server} }`, folder, environment)
  assert.equal(config.vault.keyProvider.kind, 'key-vault')
})
