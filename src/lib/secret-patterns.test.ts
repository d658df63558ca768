/** No secret stands here, not even a false one that a scanner would take for true: each is put together when the test runs. */
import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { findSecrets } from './secret-patterns.ts'
import { secretForms } from './secret-patterns-forms.ts'
import { entropy, isPlaceholder } from './secret-patterns-shape.ts'
import { isSecretName } from './secret-patterns-uses.ts'

const hex = '0123456789abcdef'
const upper = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
const mixed = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
let state = 7
/** The same at every run, and random enough. */
function some(alphabet: string, length: number): string {
  let text = ''
  while (text.length < length) {
    state = (state * 1103515245 + 12345) % 2147483648
    const sign = alphabet[(state >>> 8) % alphabet.length] as string
    if (text.at(-1) !== sign) text += sign
  }
  return text
}
const base64 = (text: string): string => Buffer.from(text).toString('base64')

const secrets: readonly [rule: string, secret: string][] = [
  ['secret/github-token', `gh${'p_'}${some(mixed, 36)}`],
  ['secret/github-token', `github_${'pat_'}${some(mixed, 22)}_${some(mixed, 59)}`],
  ['secret/gitlab-token', `gl${'pat-'}${some(mixed, 20)}`],
  ['secret/aws-access-key', `AK${'IA'}${some(upper, 16)}`],
  ['secret/azure-client-secret', `${some(mixed, 3)}8${'Q~'}${some(mixed, 34)}`],
  ['secret/azure-storage-key', `DefaultEndpointsProtocol=https;AccountName=a;Account${'Key='}${some(mixed, 86)}==`],
  ['secret/azure-sas', `https://a.blob.core.windows.net/c?sv=2024-01-01&si${'g='}${some(mixed, 43)}%3D`],
  ['secret/google-api-key', `AI${'za'}${some(mixed, 35)}`],
  ['secret/slack-token', `xo${'xb-'}${some('123456789', 11)}-${some('123456789', 12)}-${some(mixed, 24)}`],
  ['secret/slack-webhook', `https://hooks.${'slack.com'}/services/T${some(upper, 9)}/B${some(upper, 9)}/${some(mixed, 24)}`],
  ['secret/stripe-key', `sk_${'live_'}${some(mixed, 24)}`],
  ['secret/npm-token', `np${'m_'}${some(mixed, 36)}`],
  ['secret/pypi-token', `pypi-${'AgE'}IcHlwaS5vcmc${some(mixed, 70)}`],
  ['secret/openai-key', `sk-${'proj-'}${some(mixed, 74)}T3Blbk${'FJ'}${some(mixed, 74)}`],
  ['secret/anthropic-key', `sk-${'ant-'}api03-${some(mixed, 93)}AA`],
  ['secret/huggingface-token', `h${'f_'}${some('abcdefghijklmnopqrstuvwxyzABCDEFGH', 34)}`],
  ['secret/vault-token', `hv${'s.'}${some(mixed, 95)}`],
  ['secret/sekisho-key', `s${'k_'}ci_${some(mixed, 43)}`],
  ['secret/jwt', `${base64('{"alg":"ES256"}')}.${base64('{"sub":"somebody","n":7}').replace(/=/g, '')}.${some(mixed, 86)}`],
  [
    'secret/private-key',
    `-----BEGIN RSA PRIVATE${' KEY-----'}\n${some(mixed, 64)}\n${some(mixed, 64)}\n-----END RSA PRIVATE KEY-----`,
  ],
  [
    'secret/private-key',
    `"-----BEGIN PRIVATE${' KEY-----'}\\n${some(mixed, 64)}\\n${some(mixed, 64)}\\n-----END PRIVATE KEY-----\\n"`,
  ],
  ['secret/url-password', `postgres://app:${some(mixed, 12)}@db.internal:5432/app`],
  ['secret/connection-string', `Server=db;Database=app;User Id=sa;Password=${some(mixed, 12)};`],
  ['secret/authorization-header', `Authorization: Bearer ${some(mixed, 40)}`],
  ['secret/authorization-header', `Authorization: Basic ${base64(`app:${some(mixed, 12)}`)}`],
  ['secret/curl-login', `curl -s --user app:${some(mixed, 12)} https://api.internal/x`],
  ['secret/curl-login', `curl https://api.internal/x \\\n  -u 'app:${some(mixed, 12)}'`],
  ['secret/token-header', `curl -H "X-Api-Key: ${some(mixed, 32)}" https://api.internal`],
  ['secret/kubernetes', `apiVersion: v1\nkind: Secret\ndata:\n  password: ${base64(some(mixed, 20))}\n`],
  ['secret/service-key', `DATADOG_API_KEY=${some(hex, 32)}`],
  ['secret/service-key', `"heroku": "${some(hex, 8)}-${some(hex, 4)}-4${some(hex, 3)}-8${some(hex, 3)}-${some(hex, 12)}"`],
  ['secret/assigned', `db_password = "${some(mixed, 16)}"`],
  ['secret/assigned', `{"clientSecret":"${some(mixed, 32)}"}`],
  ['secret/assigned', `export SIGNING_SECRET=${some(mixed, 40)}`],
]
for (const [rule, secret] of secrets)
  for (const text of [secret, `before it\n${secret}\nafter it`, `{"result":"see ${secret} there"}`])
    test(`${rule} in ${JSON.stringify(text).slice(0, 24)}…`, () => {
      const found = findSecrets(text)
      assert.equal(found[0]?.rule, rule, JSON.stringify(found))
      const { start = 0, end = 0 } = found[0] ?? {}
      assert.ok(secret.includes(text.slice(start, end)) && end > start)
      assert.ok(!JSON.stringify(found).includes(text.slice(start, start + 10)))
    })

const integrity = `sha512-${some(mixed, 86)}==`
const harmless: readonly [what: string, text: string][] = [
  ['a placeholder', `gh${'p_'}${'x'.repeat(36)}`],
  ["a vendor's own example", `aws_access_key_id = AK${'IA'}IOSFODNN7EXAMPLE`],
  ['a test key of documentation', `sk_${'test_'}4eC39HqLyjWDarjtT1zdp7dc`],
  ['an environment variable', 'password: $DB_PASSWORD_2'],
  ['a template', 'api_key: "{{ .Values.apiKey }}"'],
  ['a call', 'const token = getToken(12345678901)'],
  ['a reference of ours', 'clientSecret: env:ENTRA_SECRET_2'],
  ['a UUID', `"clientSecretId": "${some(hex, 8)}-${some(hex, 4)}-4${some(hex, 3)}-8${some(hex, 3)}-${some(hex, 12)}"`],
  ['a commit', `commit = ${some(hex, 40)}`],
  ['a digest', `sha256:${some(hex, 64)}`],
  ['integrity of a lock file', `"integrity": "${integrity}"`],
  ['many of them', Array.from({ length: 50 }, () => `"integrity": "sha512-${some(mixed, 86)}=="`).join(',\n')],
  ['a picture', `<img src="data:image/png;base64,iVBORw0KGgo${some(mixed, 4000)}">`],
  ['a public key', `-----BEGIN PUBLIC KEY-----\n${some(mixed, 64)}\n-----END PUBLIC KEY-----`],
  ['an empty private key', `-----BEGIN PRIVATE${' KEY-----'}\nanything\n-----END PRIVATE KEY-----`],
  ['a URL without a password', 'https://user@example.com/path'],
  ['a URL with a variable', 'postgres://app:$PASSWORD@db/app'],
  ['a login of documentation', 'curl -u username:password https://api.example.com'],
  ['a header of documentation', 'Authorization: Bearer YOUR_ACCESS_TOKEN'],
  ['words', 'The secret: nobody knows what the password is, and the token=value pairs are many.'],
  ['a name of a key', 'keyVaultSecretName: app-2024-prod-signing-key-01'],
  ['a camera', `ReactNativeCameraKit: ${some(hex, 40)}`],
  ['a version', 'jsonwebtoken-api:1.2.3-SNAPSHOT20231217'],
  ['a type', 'readonly accessToken: AccessToken2 | undefined'],
]
for (const [what, text] of harmless) test(`no secret: ${what}`, () => assert.deepEqual(findSecrets(text), []))

test('a name says what a value is', () => {
  const table: readonly [string, boolean][] = [
    ['password', true],
    ['DB_PASSWORD', true],
    ['clientSecret', true],
    ['API-KEY', true],
    ['apikey', true],
    ['awsSecretAccessKey', true],
    ['token', true],
    ['passwordHint', false],
    ['secretName', false],
    ['tokenUrl', false],
    ['publicKey', false],
    ['primaryKey', false],
    ['keyboard', false],
    ['csrfToken', false],
    ['tokenCount', false],
    ['monkey', false],
  ]
  for (const [name, isSecret] of table) assert.equal(isSecretName(name), isSecret, name)
})

test('what is allowed is left out', () => {
  const token = `gh${'p_'}${some(mixed, 36)}`
  assert.deepEqual(findSecrets(token, { isAllowed: (value) => value === token }), [])
  assert.deepEqual(
    findSecrets(`a ${token} b`).map(({ name, start, end }) => [name, start, end]),
    [['GitHub token', 2, 2 + token.length]],
  )
})

test('places are in order, within the text and apart, whatever the text', () =>
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.string(), fc.constantFrom(...secrets.map(([, secret]) => secret))), { maxLength: 6 }),
      (parts) => {
        const text = parts.join(' ')
        let at = 0
        for (const { start, end } of findSecrets(text)) {
          assert.ok(start >= at && end > start && end <= text.length)
          at = end
        }
      },
    ),
    { numRuns: 60 },
  ))

test('every form has an anchor of its own, and repeats nothing without a bound', () => {
  for (const { id, anchors, pattern } of secretForms) {
    assert.ok(
      anchors.every((anchor) => anchor.length > 0),
      id,
    )
    assert.doesNotMatch(pattern.source.replace(/\\./g, '').replace(/\[[^\]]*\]/g, 'x'), /[*+]/, id)
    assert.ok(pattern.flags.includes('g'), id)
  }
})

test('entropy counts bits', () => {
  assert.equal(entropy('aaaa'), 0)
  assert.equal(entropy('abab'), 1)
  assert.equal(isPlaceholder('changeme'), true)
})
