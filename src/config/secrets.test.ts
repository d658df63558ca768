import assert from 'node:assert/strict'
import test from 'node:test'
import { isBrokenReference, isReference, looksLikeSecret, looksLikeToken, withoutSecrets } from './secrets.ts'

// Put together here, so that no scanner of repositories takes this file for a leak.
const tokens: readonly string[] = [
  `sk_ci_${'A'.repeat(43)}`,
  `ghp_${'a'.repeat(36)}`,
  `github_pat_${'a'.repeat(60)}`,
  `glpat-${'a'.repeat(20)}`,
  `sk-ant-${'a'.repeat(40)}`,
  `sk_live_${'a'.repeat(24)}`,
  `hf_${'a'.repeat(34)}`,
  `npm_${'a'.repeat(36)}`,
  `xoxb-${'1'.repeat(12)}-a`,
  `AKIA${'A'.repeat(16)}`,
  `AIza${'a'.repeat(35)}`,
  `eyJ${'a'.repeat(20)}.eyJ${'a'.repeat(20)}.c`,
  `-----BEGIN ${'PRIVATE'} KEY-----`,
  'https://me:pw@example.com/',
  `--token=ghp_${'a'.repeat(36)}`,
]
for (const token of tokens) test(`a token is known: ${token.slice(0, 12)}`, () => assert.equal(looksLikeToken(token), true))

const named: readonly [name: string, value: string, isSecret: boolean][] = [
  ['GITHUB_TOKEN', 'abc', true],
  ['client_secret', 'abc', true],
  ['APIKEY', 'abc', true],
  ['DB_PASSWORD', '1234', true],
  ['DB_PASSWORD', '', true],
  ['AWS_CREDENTIALS', 'x y', true],
  ['MAX_TOKENS', '4096', false],
  ['USE_TOKEN', 'true', false],
  ['TOKEN_FILE', '/run/token', false],
  ['KEY_ID', 'abc', false],
  ['MODE', 'fast', false],
  ['PATH', '/bin:/usr/bin', false],
]
for (const [name, value, isSecret] of named)
  test(`${name}=${value} ${isSecret ? 'is' : 'is no'} secret`, () => assert.equal(looksLikeSecret(name, value), isSecret))

test('a command is shown without its secrets', () => {
  const commands: readonly (readonly [string, string])[] = [
    ['x ./workspace --port 80', 'x ./workspace --port 80'],
    ['x --token abc --verbose', 'x --token ••• --verbose'],
    ['x --api-key=abc /srv', 'x --api-key=••• /srv'],
    ['x API_KEY=abc', 'x API_KEY=•••'],
    ['x -p --password --verbose', 'x -p --password --verbose'],
    ['x --token-file ./token', 'x --token-file ./token'],
    [`x ${tokens[0]}`, 'x •••'],
    ['x --db=postgres://me:pw@db/x', 'x --db=•••'],
  ]
  for (const [command, shown] of commands) assert.equal(withoutSecrets(command.split(' ')).join(' '), shown)
})

test('references are told from what only looks like one', () => {
  for (const good of ['env:API_TOKEN', 'env:a', 'file:./token', 'file:/run/secrets/x'])
    assert.equal(isReference(good), true, good)
  for (const bad of ['env:', 'env:A-B', 'env:A B', 'ENV:A', 'vault:x', 'file:'])
    assert.ok(!isReference(bad) && isBrokenReference(bad), bad)
  for (const other of ['fast', 'https://x', 'environment:x', 'file:///etc/x'])
    assert.equal(isBrokenReference(other), false, other)
})
