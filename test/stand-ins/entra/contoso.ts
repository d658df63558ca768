/** A company for tests: two tenants, a gateway, an API behind it, clients, and people. */
import { randomUUID } from 'node:crypto'
import type { App, User } from './directory.ts'
import type { EntraOptions } from './entra.ts'

export const contoso = '11111111-aaaa-4aaa-8aaa-111111111111'
export const fabrikam = '22222222-bbbb-4bbb-8bbb-222222222222'

/** The gateway: a web app with a secret, and an API of v2. */
export const gateway = {
  clientId: '33333333-0000-4000-8000-000000000001',
  tenant: contoso,
  name: 'Contoso Gateway',
  redirectUris: { web: ['https://gateway.contoso.test/callback'] },
  secrets: ['gateway-secret~1'],
  tokenVersion: 2,
  scopes: ['mcp.access', 'mcp.admin'],
  groupClaims: 'sources',
  optionalClaims: ['idtyp', 'xms_cc'],
  permissions: [
    {
      resource: '33333333-0000-4000-8000-000000000002',
      scopes: ['records.read'],
      roles: ['Records.Read.All'],
      adminConsent: true,
    },
    { resource: '00000003-0000-0000-c000-000000000000', roles: ['GroupMember.Read.All'], adminConsent: true },
  ],
  preauthorized: [{ clientId: '33333333-0000-4000-8000-000000000004', scopes: ['mcp.access'] }],
} as const satisfies App

/** An API of v1 that the gateway calls. */
export const crm = {
  clientId: '33333333-0000-4000-8000-000000000002',
  tenant: contoso,
  name: 'Contoso CRM',
  identifierUris: ['api://crm.contoso.test'],
  scopes: ['records.read', 'records.write'],
} as const satisfies App

/** A client on people's machines. */
export const desktop = {
  clientId: '33333333-0000-4000-8000-000000000003',
  tenant: contoso,
  name: 'Desktop Client',
  multiTenant: true,
  redirectUris: { native: ['http://localhost', 'http://127.0.0.1/done'] },
} as const satisfies App

/** One that the gateway trusts beforehand, as it would an editor. */
export const editor = {
  clientId: '33333333-0000-4000-8000-000000000004',
  tenant: contoso,
  name: 'Editor',
  redirectUris: { native: ['http://localhost'] },
} as const satisfies App

/** A page in a browser. */
export const single = {
  clientId: '33333333-0000-4000-8000-000000000005',
  tenant: contoso,
  name: 'Single Page',
  redirectUris: { spa: ['https://page.contoso.test/'] },
} as const satisfies App

export const ada = {
  tenant: contoso,
  oid: '44444444-0000-4000-8000-000000000001',
  name: 'Ada Reader',
  username: 'ada@contoso.test',
  groups: ['55555555-0000-4000-8000-000000000001', '55555555-0000-4000-8000-000000000002'],
  roles: { [gateway.clientId]: ['Reader'] },
} as const satisfies User

/** In more groups than a token holds. */
export const bo = {
  tenant: contoso,
  oid: '44444444-0000-4000-8000-000000000002',
  name: 'Bo <b>Writer</b>',
  username: 'bo@contoso.test',
  groups: Array.from({ length: 201 }, () => randomUUID()),
} as const satisfies User

/** At home in Fabrikam, a guest of Contoso. */
export const guest = {
  tenant: contoso,
  oid: '44444444-0000-4000-8000-000000000003',
  name: 'Gus Guest',
  username: 'gus@fabrikam.test',
  idp: `https://sts.windows.net/${fabrikam}/`,
} as const satisfies User

export const fay = {
  tenant: fabrikam,
  oid: '44444444-0000-4000-8000-000000000004',
  name: 'Fay',
  username: 'fay@fabrikam.test',
} as const satisfies User

export const company: EntraOptions = {
  tenants: [
    { id: contoso, name: 'Contoso', domain: 'contoso.test' },
    { id: fabrikam, name: 'Fabrikam', domain: 'fabrikam.test' },
  ],
  apps: [gateway, crm, desktop, editor, single],
  users: [ada, bo, guest, fay],
  managedIdentities: [
    { kind: 'system', clientId: '66666666-0000-4000-8000-000000000001', tenant: contoso },
    { kind: 'user', clientId: '66666666-0000-4000-8000-000000000002', tenant: contoso },
  ],
}
