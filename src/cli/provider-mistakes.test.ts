/** Every mistake about the identity provider is a problem with its place and a fix, in both modes that have one; never a stack. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { after } from 'node:test'
import { checkConfig } from '../config/load.ts'

const folder = mkdtempSync(join(tmpdir(), 'sekisho-provider-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const file = join(folder, 'sekisho.yaml')

const guid = '11111111-aaaa-4aaa-8aaa-111111111111'
const modes = ['authorization-server', 'resource-server'] as const
type Says = readonly [path: string, message: RegExp, fix: RegExp]
const entra = (rest: string): string => `{ kind: entra, clientId: x${rest} }`
const mistakes: readonly (readonly [provider: string, says: Says, onlyIn?: (typeof modes)[number]])[] = [
  [entra(', tenant: common'), ['provider.tenant', /everyone with a Microsoft account/, /Directory \(tenant\) ID/]],
  [entra(', tenant: contoso.example'), ['provider.tenant', /is not a tenant id/, /Directory \(tenant\) ID/]],
  [entra(', tenant: 7'), ['provider.tenant', /must be text and is a number/, /in quotes/]],
  [entra(`, tenants: [${guid}, common]`), ['provider.tenants[1]', /everyone with a Microsoft account/, /Directory/]],
  [entra(''), ['provider', /either "tenant" or "tenants"/, /tenant: GUID/]],
  [entra(`, tenant: ${guid}, tenants: [${guid}]`), ['provider', /either "tenant" or "tenants"/, /tenant: GUID/]],
  [entra(`, tenant: ${guid}, clientSecret: literal`), ['provider.clientSecret', /where the secret is kept/, /env:NAME/]],
  [
    entra(`, tenant: ${guid}, authority: "http://login.example"`),
    ['provider.authority', /is not an https URL/, /microsoftonline/],
  ],
  [entra(`, tenant: ${guid}, legacyIssuer: "https://x/"`), ['provider.legacyIssuer', /needs \{tenant\}/, /sts\.windows\.net/]],
  [entra(`, tenant: ${guid}, tenantId: x`), ['provider.tenantId', /not a key/, /tenant/]],
  [
    entra(`, tenants: [${guid}, 2${guid.slice(1)}]`),
    ['provider.tenants', /one tenant only/, /resource-server/],
    'authorization-server',
  ],
  [`{ kind: entra, tenant: ${guid} }`, ['provider.clientId', /is missing/, /registered at the provider/], 'authorization-server'],
  ['{ kind: oidc, clientId: x }', ['provider.issuer', /is missing/, /text/]],
  ['{ kind: oidc, clientId: x, issuer: "http://login.example" }', ['provider.issuer', /is not an https URL/, /as the provider/]],
  ['{ kind: okta, clientId: x }', ['provider.kind', /cannot be "okta"/, /oidc, entra/]],
  ['{ clientId: x }', ['provider.kind', /is missing/, /oidc, entra/]],
  ['7', ['provider', /must be a mapping/, /./]],
]
const write = (mode: string, provider: string): void => {
  const audience = mode === 'resource-server' ? ', audience: resource' : ''
  writeFileSync(file, `publicUrl: https://gw.example\nidentity: { mode: ${mode}${audience}, provider: ${provider} }\n`)
}

for (const mode of modes)
  for (const [provider, [path, message, fix], onlyIn = mode] of mistakes)
    if (onlyIn === mode)
      test(`${mode}: ${provider}`, async () => {
        write(mode, provider)
        const { config, problems } = await checkConfig(file, {})
        assert.equal(config, undefined)
        const found = problems.find((problem) => problem.path === `identity.${path}`)
        assert.ok(found, JSON.stringify(problems))
        assert.match(found.message, message)
        assert.match(found.fix, fix)
        assert.equal(found.line, 2)
      })

for (const mode of modes)
  test(`${mode}: check --json answers with the problem`, () => {
    write(mode, entra(', tenant: common'))
    const flags = ['--disable-warning=ExperimentalWarning', new URL('./main.ts', import.meta.url).pathname]
    const { stdout, stderr, status } = spawnSync(process.execPath, [...flags, 'check', '--json', '-c', file], {
      encoding: 'utf8',
    })
    const { valid, problems } = JSON.parse(stdout) as { valid: boolean; problems: { path: string }[] }
    assert.deepEqual([status, stderr, valid, problems.map(({ path }) => path)], [1, '', false, ['identity.provider.tenant']])
  })
