/** Who logs in at the example: a tenant, the gateway's registration there, and a person for each role. */
import { randomBytes } from 'node:crypto'
import type { EntraOptions } from '../../test/stand-ins/entra/entra.ts'

export const tenant = '7e5a1d00-0000-4000-8000-000000000001'
export const clientId = '7e5a1d00-0000-4000-8000-000000000002'
const microsoftGraph = '00000003-0000-0000-c000-000000000000'

/** What each may do is said in examples/sso/sekisho.yaml; here it is in words. */
export const people = [
  { name: 'Rin Reader', username: 'reader@example.test', role: 'Reader', may: 'read' },
  { name: 'Wataru Writer', username: 'writer@example.test', role: 'Writer', may: 'read and write' },
  { name: 'Aoi Administrator', username: 'admin@example.test', role: 'Administrator', may: 'read, write and delete' },
] as const

export const secret = (): string => randomBytes(24).toString('base64url')

export const company = (clientSecret: string): EntraOptions => ({
  tenants: [{ id: tenant, name: 'Example', domain: 'example.test' }],
  apps: [
    {
      clientId,
      tenant,
      name: 'Sekisho',
      redirectUris: { web: ['http://127.0.0.1/oauth/callback'] },
      secrets: [clientSecret],
      // An administrator has agreed for everyone, so the provider shows one page and not two.
      permissions: [{ resource: microsoftGraph, scopes: ['User.Read'], adminConsent: true }],
    },
  ],
  users: people.map(({ name, username, role }, at) => ({
    tenant,
    oid: `7e5a1d00-0000-4000-8000-00000000001${at}`,
    name,
    username,
    roles: { [clientId]: [role] },
  })),
})
