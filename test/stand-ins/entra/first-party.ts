/** Microsoft's own resources, as every tenant has them. Their tokens are v1 and have the URI as audience. */
import type { App } from './directory.ts'

const resource = (clientId: string, name: string, uri: string, scopes: readonly string[] = []): App => ({
  clientId,
  tenant: 'f8cdef31-a31e-4b4a-93e4-5f571e91255a',
  name,
  multiTenant: true,
  identifierUris: [uri],
  tokenVersion: 1,
  scopes,
  optionalClaims: ['idtyp', 'xms_cc'],
})

export const graph: App = {
  ...resource('00000003-0000-0000-c000-000000000000', 'Microsoft Graph', 'https://graph.microsoft.com', [
    'openid',
    'profile',
    'email',
    'offline_access',
    'User.Read',
    'GroupMember.Read.All',
    'Directory.Read.All',
  ]),
  continuousAccess: true,
}

export const firstParty: readonly App[] = [
  graph,
  resource('cfa8b339-82a2-471a-a3c9-0fc0be7a4093', 'Azure Key Vault', 'https://vault.azure.net'),
  resource('7d312290-28c8-473c-a0ed-8e53749b6d6d', 'Microsoft Cognitive Services', 'https://cognitiveservices.azure.com'),
  resource('be14bf7e-8ab4-49b0-9dc6-a0eddd6fa73e', 'Azure Monitor', 'https://monitor.azure.com'),
  resource('797f4846-ba00-4fd7-ba43-dac1f8f63013', 'Azure Resource Manager', 'https://management.azure.com'),
]
