import assert from 'node:assert/strict'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { checkConfig } from './load.ts'

const file = join(mkdtempSync(join(tmpdir(), 'sekisho-warnings-')), 'sekisho.yaml')
const tenant = '11111111-aaaa-4aaa-8aaa-111111111111'
const app = '33333333-0000-4000-8000-000000000001'
const group = '55555555-0000-4000-8000-000000000001'

const bound = (binding: string) =>
  `roles: { r: [ { effect: allow, server: "*", tools: ["*"] } ] }\nbindings: [ { role: r, ${binding} } ]`
const keys = `identity: { mode: api-keys, keys: [ { id: ci, sha256: ${'ab'.repeat(32)} } ] }`
const entra = (rest: string) => `identity: { mode: resource-server, provider: { kind: entra, tenant: ${tenant} }, ${rest} }`
const own = `identity: { mode: authorization-server, provider: { kind: entra, tenant: ${tenant}, clientId: ${app} } }`
const oidc = (issuer: string) =>
  `identity: { mode: resource-server, audience: resource, provider: { kind: oidc, issuer: "${issuer}" } }`
const behalf = (of: string, client: string) =>
  `servers: { x: { url: "https://x.example/", credential: { kind: on-behalf-of, scope: s, tenant: ${of}, clientId: ${client}, clientSecret: env:S } } }\n${bound('appRole: a')}`
const local = 'servers: { a: { command: [node] } }'

/** Document, line and path of the warning, what it says and advises. */
const warned: readonly (readonly [text: string, place: string, message: RegExp, fix: RegExp])[] = [
  [local, '1 bindings', /nobody may do anything/, /bindings: \[/],
  // who a role is bound to
  [`${keys}\n${bound('apiKey: c1')}`, '3 bindings[0].apiKey', /the key "c1", which does not exist/, /mean "ci"\?; .* revoked/],
  [bound('apiKey: ci'), '2 bindings[0].apiKey', /does not exist/, /set identity: .*api-keys/],
  [`${keys}\n${bound('anonymous: true')}`, '3 bindings[0].anonymous', /binds nobody with identity.mode api-keys/, /apiKey/],
  [`${own}\n${bound('anonymous: true')}`, '3 bindings[0].anonymous', /mode authorization-server/, /group, appRole or user/],
  [
    `${own}\n${bound('user: ada@acme.example')}`,
    '3 bindings[0].user',
    /is an address, .* binds nobody/,
    new RegExp(`user:${tenant}.OBJECT-ID; .*az ad user show --id ada@acme.example --query id -o tsv$`),
  ],
  [`${own}\n${bound('user: "a@b; reboot"')}`, '3 bindings[0].user', /address/, /--id 'a@b; reboot' --query/],
  [`${own}\n${bound(`user: ${group}`)}`, '3 bindings[0].user', /is not an id/, /user:1{8}/],
  [`${oidc('https://x.example')}\n${bound('user: ada')}`, '3 bindings[0].user', /not an id/, /sekisho audit search --text login/],
  [
    `${own}\n${bound('group: "Finance team"')}`,
    '3 bindings[0].group',
    /is a name/,
    /az ad group show --group 'Finance team' --query/,
  ],
  // whose tokens
  [oidc('https://login.microsoftonline.com/common/v2.0'), '1 identity.provider.issuer', /of no token/, /kind: entra/],
  [entra(`audience: "api://${app}"`), '1 identity.audience', /version 1/, new RegExp(`^write ${app}, or both`)],
  [entra(`audience: [x, "api://${app}"]`), '1 identity.audience[1]', /version 1/, /./],
  // on behalf of whom
  [
    `${own}\n${behalf('common', app)}`,
    '2 servers.x.credential.tenant',
    /"common", which is no tenant/,
    new RegExp(`^write ${tenant}$`),
  ],
  [`${own}\n${behalf(tenant, 'b')}`, '2 servers.x.credential.clientId', /is not the application/, new RegExp(`^write ${app},`)],
  [`${entra(`audience: ${app}`)}\n${behalf(tenant, 'b')}`, '2 servers.x.credential.clientId', /is not the app/, /own secret/],
  [behalf(tenant, app), '1 servers.x.credential.kind', /callers have none here/, /resource-server/],
]

const quiet: readonly string[] = [
  '',
  `${local}\n${bound('anonymous: true')}`,
  `${keys}\n${bound('apiKey: ci')}`,
  `${own}\n${bound(`user: user:${tenant}.${app}`)}`,
  `${own}\n${bound(`group: ${group}`)}`,
  `${oidc('https://login.example.com')}\n${bound('group: Finance team')}`,
  oidc('https://login.example.com/realms/common-room'),
  entra(`audience: ["${app}", "api://${app}"]`),
  entra('audience: "api://mcp.example.com"'),
  `${own}\n${behalf(tenant, app)}`,
  `${entra(`audience: "${app.toUpperCase()}"`)}\n${behalf(tenant, app)}`,
  `${entra('audience: resource')}\n${behalf(tenant, 'b')}`,
]

const warningsOf = async (text: string) => {
  writeFileSync(file, `${text}\npublicUrl: https://mcp.example.com\n`)
  const { problems, warnings } = await checkConfig(file, { S: 'secret', PATH: process.env['PATH'] })
  assert.deepEqual(problems, [])
  return warnings
}

for (const [text, place, message, fix] of warned)
  test(`warns of ${text.replaceAll('\n', ' | ')}`, async () => {
    const [warning, ...others] = await warningsOf(text)
    assert.deepEqual([`${warning?.line} ${warning?.path}`, others], [place, []])
    assert.match(warning?.message ?? '', message)
    assert.match(warning?.fix ?? '', fix)
  })

for (const text of quiet)
  test(`says nothing of ${text.replaceAll('\n', ' | ')}`, async () => assert.deepEqual(await warningsOf(text), []))
