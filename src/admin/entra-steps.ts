/** How an application is registered in Microsoft Entra ID: in the portal (entra.microsoft.com), and with `az`. */
import type { Step } from './operations/idp-add.ts'

export interface EntraAnswers {
  readonly mode: 'authorization-server' | 'resource-server'
  readonly tenant: string
  readonly name: string
  readonly redirectUri: string
  readonly clientId?: string | undefined
}

/** Delegated permissions of Microsoft Graph, by the ids that are the same in every tenant. */
const graph = '00000003-0000-0000-c000-000000000000'
const delegated = {
  openid: '37f7f235-527c-4136-accd-4a02d197296e',
  profile: '14dad69e-099b-42c9-810b-d002981feec1',
  offline_access: '7427e0e9-2fba-42fe-b0c0-848c9e6a8182',
} as const

/** A word of a shell command, whatever it says. */
const quoted = (text: string): string => (/^[\w./:@-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`)

export function entraSteps({ mode, tenant, name, redirectUri, clientId }: EntraAnswers): readonly Step[] {
  const id = clientId === undefined ? '"$APP"' : quoted(clientId)
  const application = `https://graph.microsoft.com/v1.0/applications(appId='${clientId ?? '$APP'}')`
  const patch = (body: object): string =>
    `az rest --method PATCH --url "${application}" --headers Content-Type=application/json --body '${JSON.stringify(body)}'`
  const isOwn = mode === 'authorization-server'
  return [
    registered(tenant, name, isOwn ? redirectUri : undefined, clientId),
    {
      title: 'Version and claims of tokens',
      portal: [
        'Manifest: set api.requestedAccessTokenVersion to 2',
        'Token configuration > Add groups claim: Groups assigned to the application. Names of groups change hands; ids do not',
        `Token configuration > Add optional claim > ${isOwn ? 'ID: auth_time, acrs' : 'Access: auth_time, acrs, idtyp, xms_cc'}`,
      ],
      commands: [
        patch({
          api: { requestedAccessTokenVersion: 2 },
          groupMembershipClaims: 'ApplicationGroup',
          optionalClaims: isOwn
            ? { idToken: named('auth_time', 'acrs') }
            : { accessToken: named('auth_time', 'acrs', 'idtyp', 'xms_cc') },
        }),
      ],
    },
    {
      title: 'App roles, for bindings that do not depend on groups',
      portal: [
        'App roles > Create app role: allowed for users/groups, value mcp.reader; one for each role of sekisho.yaml',
        'Enterprise applications > this one > Users and groups: assign people or groups to it',
        'Enterprise applications > Properties: set "Assignment required" if nobody else is to log in',
        'The command replaces the app roles that are there: add those to its list, or use the portal',
      ],
      commands: [
        `az ad app update --id ${id} --app-roles '[{"allowedMemberTypes":["User"],"displayName":"MCP readers","description":"May read through the gateway","isEnabled":true,"value":"mcp.reader","id":"'$(uuidgen)'"}]'`,
      ],
    },
    ...(isOwn ? [permissions(id), manyGroups(id), secret(id)] : [exposed(id, clientId, patch), manyGroups(id)]),
  ]
}

const named = (...names: readonly string[]) => names.map((name) => ({ name, essential: false }))

function registered(tenant: string, name: string, redirectUri: string | undefined, clientId: string | undefined): Step {
  const web = redirectUri === undefined ? '' : ` --web-redirect-uris ${quoted(redirectUri)}`
  const known = clientId === undefined ? '' : ' (or open the one that is there)'
  const create = `APP=$(az ad app create --display-name ${quoted(name)} --sign-in-audience AzureADMyOrg${web} --query appId -o tsv)`
  const update = `az ad app update --id ${clientId}${web}`
  return {
    title: 'Register the gateway',
    portal: [
      `App registrations > New registration${known}: name ${name}, accounts in this organizational directory only`,
      ...(redirectUri === undefined ? [] : [`Redirect URI: platform Web, ${redirectUri}`]),
      ...(clientId === undefined || web === '' ? [] : ['The command replaces the redirect URIs that are there: add those to it']),
      'Copy the Application (client) ID',
    ],
    commands: [
      `az login --tenant ${tenant} --allow-no-subscriptions`,
      ...(clientId === undefined ? [create, 'az ad sp create --id "$APP"', 'echo "$APP"'] : web === '' ? [] : [update]),
    ],
  }
}

const permissions = (id: string): Step => ({
  title: 'Delegated permissions: a login, and nothing else',
  portal: [
    `API permissions > Microsoft Graph > Delegated: ${Object.keys(delegated).join(', ')}`,
    'Grant admin consent, or people are asked once',
  ],
  commands: [
    `az ad app permission add --id ${id} --api ${graph} --api-permissions ${Object.values(delegated)
      .map((one) => `${one}=Scope`)
      .join(' ')}`,
    `az ad app permission admin-consent --id ${id}`,
  ],
})

/** The application permission GroupMember.Read.All of Microsoft Graph, the same in every tenant. */
const readGroups = '98830695-27a2-44f7-8c18-0c3ebc9698f6'

const manyGroups = (id: string): Step => ({
  title: 'Only where roles are bound to groups, and people are in more of them than a token has room for (200)',
  portal: [
    'API permissions > Microsoft Graph > Application: GroupMember.Read.All; grant admin consent',
    'The gateway then needs provider.clientId and provider.clientSecret in every mode',
  ],
  commands: [
    `az ad app permission add --id ${id} --api ${graph} --api-permissions ${readGroups}=Role`,
    `az ad app permission admin-consent --id ${id}`,
  ],
})

const secret = (id: string): Step => ({
  title: 'A secret, kept where only the gateway can read it',
  portal: [
    'Certificates & secrets > New client secret; note when it expires, and put its value into the file idp-secret, mode 0600',
    'A certificate is not taken by the configuration yet',
  ],
  commands: [
    `(umask 077; az ad app credential reset --id ${id} --append --display-name sekisho --query password -o tsv > idp-secret)`,
  ],
})

const exposed = (id: string, clientId: string | undefined, patch: (body: object) => string): Step => ({
  title: 'Expose an API: what clients ask tokens for',
  portal: [
    `Expose an API > Application ID URI: api://${clientId ?? 'CLIENT_ID'}`,
    'Add a scope: mcp.read, mcp.write, mcp.destructive; admins and users may consent',
    'Authorized client applications: add each MCP client that your people use, with these scopes',
    'Tokens of version 2 have the client id as their audience, which is what stands under "audience" below',
    'The commands replace the URIs and the scopes that are there; scopes in use Entra does not give up: then use the portal',
  ],
  commands: [
    `az ad app update --id ${id} --identifier-uris ${clientId === undefined ? '"api://$APP"' : quoted(`api://${clientId}`)}`,
    patch({
      api: {
        requestedAccessTokenVersion: 2,
        oauth2PermissionScopes: ['read', 'write', 'destructive'].map((one) => ({
          id: `SCOPE_ID_${one.toUpperCase()}`,
          value: `mcp.${one}`,
          type: 'User',
          isEnabled: true,
          adminConsentDisplayName: `MCP: ${one}`,
          adminConsentDescription: `Call tools of the class ${one}`,
          userConsentDisplayName: `MCP: ${one}`,
          userConsentDescription: `Call tools of the class ${one}`,
        })),
      },
    }).replace(/SCOPE_ID_[A-Z]+/g, "'$(uuidgen)'"),
  ],
})
