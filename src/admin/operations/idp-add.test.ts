import assert from 'node:assert/strict'
import test from 'node:test'
import { parseConfig } from '../../config/load.ts'
import { type IdpAnswers, idpAdd } from './idp-add.ts'

const tenant = '11111111-aaaa-4aaa-8aaa-111111111111'
const entra: IdpAnswers = {
  kind: 'entra',
  mode: 'authorization-server',
  publicUrl: 'https://mcp.example.com/',
  tenant,
  name: 'Sekisho',
}
const oidc: IdpAnswers = { ...entra, kind: 'oidc', tenant: undefined, issuer: 'https://login.example.com/realms/x' }

const refused: readonly [answers: Partial<IdpAnswers>, message: RegExp][] = [
  [{ tenant: undefined }, /--tenant GUID/],
  [{ tenant: 'common' }, /"common" is not a tenant id/],
  [{ tenant: 'contoso.onmicrosoft.com' }, /is not a tenant id/],
  [{ publicUrl: 'mcp.example.com' }, /is not an origin/],
  [{ publicUrl: 'https://mcp.example.com/path' }, /is not an origin/],
  [{ publicUrl: 'ftp://mcp.example.com' }, /is not an origin/],
  [{ clientId: 'two words' }, /is not a client id/],
  [{ kind: 'oidc' }, /--issuer URL/],
  [{ kind: 'oidc', issuer: 'login' }, /"login" is not an issuer/],
]
for (const [answers, message] of refused)
  test(`refuses ${JSON.stringify(answers)}`, () => assert.throws(() => idpAdd({ ...entra, ...answers }), { message }))

for (const given of [entra, oidc])
  for (const mode of ['authorization-server', 'resource-server'] as const)
    test(`${given.kind}, ${mode}: what is to be pasted is a configuration, once the role is there`, () => {
      const { yaml } = idpAdd({ ...given, mode })
      const roles = 'roles: { ROLE: [ { effect: allow, server: "*", tools: ["*"] } ] }\n'
      const config = parseConfig(yaml.replace('file:./idp-secret', 'env:SECRET') + roles, '/srv')
      assert.equal(config.identity.mode, mode)
      assert.equal(config.publicUrl, 'https://mcp.example.com')
      assert.deepEqual(
        [config.listen, config.tls?.minVersion],
        [{ host: '0.0.0.0', port: 4180 }, 'TLSv1.3'],
        'others can reach it',
      )
    })

test('entra: everything that has to be registered, in the portal and by command', () => {
  const { steps } = idpAdd(entra)
  const [portal, commands] = [steps.flatMap((step) => step.portal).join('\n'), steps.flatMap((step) => step.commands).join('\n')]
  for (const text of [portal, commands]) {
    assert.match(text, /https:\/\/mcp\.example\.com\/oauth\/callback/)
    assert.match(text, /requestedAccessTokenVersion/)
  }
  for (const [says, pattern] of [
    ['one tenant', /--sign-in-audience AzureADMyOrg/],
    ['openid', /37f7f235-527c-4136-accd-4a02d197296e=Scope/],
    ['profile', /14dad69e-099b-42c9-810b-d002981feec1=Scope/],
    ['offline_access', /7427e0e9-2fba-42fe-b0c0-848c9e6a8182=Scope/],
    ['groups', /"groupMembershipClaims":"ApplicationGroup"/],
    ['app roles', /"value":"mcp\.reader"/],
    ['a private secret', /umask 077; az ad app credential reset/],
  ] as const)
    assert.match(commands, pattern, says)
})

test('a name that is more than a word stays one word of the command', () => {
  const [first] = idpAdd({ ...entra, name: "it's $(reboot); x" }).steps
  assert.match(first?.commands[1] ?? '', /--display-name 'it'\\''s \$\(reboot\); x' --sign-in-audience/)
})

test('a client id that is known stands in every command, and nothing is created', () => {
  const clientId = '33333333-0000-4000-8000-000000000001'
  const all = idpAdd({ ...entra, clientId }).steps.flatMap(({ commands }) => commands)
  assert.equal(all.filter((line) => /create|\$APP/.test(line)).length, 0)
  assert.ok(all.every((line) => line.startsWith('az login') || line.includes(clientId)))
})

test('on this machine alone there is nothing to say of TLS', () => {
  const { yaml } = idpAdd({ ...entra, publicUrl: 'http://127.0.0.1:4180' })
  assert.doesNotMatch(yaml, /listen|tls/)
})

const said: readonly [says: string, clientId: string | undefined, portal: RegExp, command: RegExp][] = [
  ['no id', undefined, /Application ID URI: api:\/\/CLIENT_ID$/m, /--id "\$APP" --identifier-uris "api:\/\/\$APP"$/m],
  ['an id', 'abc-1', /Application ID URI: api:\/\/abc-1$/m, /--id abc-1 --identifier-uris api:\/\/abc-1$/m],
  ['an odd id', "a'$b", /api:\/\/a'\$b$/m, /--identifier-uris 'api:\/\/a'\\''\$b'$/m],
]
for (const [says, clientId, portal, command] of said)
  test(`entra, resource-server, ${says}: the API is named by it, in one word of the shell`, () => {
    const { steps } = idpAdd({ ...entra, mode: 'resource-server', clientId })
    assert.match(steps.flatMap((step) => step.portal).join('\n'), portal)
    assert.match(steps.flatMap((step) => step.commands).join('\n'), command)
  })

const replacing: readonly [command: RegExp, warning: RegExp, answers: Partial<IdpAnswers>][] = [
  [/--app-roles/, /replaces the app roles that are there/, {}],
  [/oauth2PermissionScopes/, /replace the URIs and the scopes that are there/, { mode: 'resource-server' }],
  [/--web-redirect-uris/, /replaces the redirect URIs that are there/, { clientId: 'abc-1' }],
]
for (const [command, warning, answers] of replacing)
  test(`entra: a step with ${command} says that it ${warning.source}`, () => {
    const step = idpAdd({ ...entra, ...answers }).steps.find(({ commands }) => commands.some((line) => command.test(line)))
    assert.match(step?.portal.join('\n') ?? '', warning)
  })
