/** What has to be done at an identity provider so that the gateway can use it, and what to write into the configuration. */
import { isLoopback } from '../../lib/loopback.ts'
import { entraSteps } from '../entra-steps.ts'

export interface IdpAnswers {
  readonly kind: 'entra' | 'oidc'
  readonly mode: 'authorization-server' | 'resource-server'
  /** Origin under which clients reach the gateway. */
  readonly publicUrl: string
  /** Entra: the Directory (tenant) ID. */
  readonly tenant?: string | undefined
  /** Any other provider: its issuer, as it spells it. */
  readonly issuer?: string | undefined
  /** Once it is known; a placeholder stands for it until then. */
  readonly clientId?: string | undefined
  /** What the registration is called there. */
  readonly name: string
}

export interface Step {
  readonly title: string
  /** Where to click, and what to choose. */
  readonly portal: readonly string[]
  /** The same with the provider's own command line, where it has one. */
  readonly commands: readonly string[]
}

export interface IdpPlan {
  readonly steps: readonly Step[]
  /** To paste into sekisho.yaml. */
  readonly yaml: string
  /** What to type afterwards. */
  readonly next: string
}

const guid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** Why an answer cannot be right, or undefined. Said to people as they type, and thrown for flags. */
export const answerFaults = {
  publicUrl: (value: string): string | undefined => {
    const url = URL.canParse(value) ? new URL(value) : undefined
    const isOrigin = url !== undefined && /^https?:$/.test(url.protocol) && value.replace(/\/$/, '') === url.origin
    return isOrigin ? undefined : 'is not an origin: write for example https://mcp.example.com'
  },
  tenant: (value: string): string | undefined =>
    guid.test(value) ? undefined : 'is not a tenant id: copy the Directory (tenant) ID, a GUID; "common" would let everybody in',
  issuer: (value: string): string | undefined =>
    URL.canParse(value) && /^https?:$/.test(new URL(value).protocol)
      ? undefined
      : 'is not an issuer: write it as the provider does, for example https://login.example.com',
  clientId: (value: string): string | undefined => (/^[\x21-\x7e]{1,256}$/.test(value) ? undefined : 'is not a client id'),
} as const

/** Throws for an answer that cannot be right. Asks nobody and changes nothing. */
export function idpAdd(answers: IdpAnswers): IdpPlan {
  const { kind, tenant, issuer } = answers
  if (kind === 'entra' && tenant === undefined) throw new Error('say which tenant: --tenant GUID')
  if (kind === 'oidc' && issuer === undefined) throw new Error('say which provider: --issuer URL')
  for (const [name, faultOf] of Object.entries(answerFaults)) {
    const value = answers[name as keyof typeof answerFaults]
    const fault = value === undefined ? undefined : faultOf(value)
    if (fault !== undefined) throw new Error(`"${value}" ${fault}`)
  }
  const publicUrl = new URL(answers.publicUrl).origin
  const plan = { ...answers, publicUrl, redirectUri: `${publicUrl}/oauth/callback` }
  return {
    steps: kind === 'entra' ? entraSteps({ ...plan, tenant: tenant as string }) : openIdSteps(plan),
    yaml: yamlOf({ ...plan, clientId: plan.clientId ?? 'CLIENT_ID' }),
    next: 'sekisho check, then sekisho idp verify',
  }
}

function openIdSteps({ mode, redirectUri, publicUrl }: IdpAnswers & { readonly redirectUri: string }): readonly Step[] {
  if (mode === 'resource-server')
    return [
      {
        title: 'Register the gateway as an API (a resource, an audience)',
        portal: [
          `Identifier: the URL of each server, for example ${publicUrl}/SERVER/mcp, or one text for all (then write it under "audience")`,
          'Access tokens: signed JWTs (RFC 9068), not opaque ones',
          'Scopes: mcp.read, mcp.write, mcp.destructive',
          'Claims of access tokens: groups (or roles) as a list',
        ],
        commands: [],
      },
    ]
  return [
    {
      title: 'Register the gateway as a confidential client (a web application)',
      portal: [
        `Redirect URI: ${redirectUri}`,
        'Grant types: authorization code with PKCE (S256), refresh token',
        'Client authentication: client_secret_post',
        'Scopes: openid, profile, offline_access',
        'Claims of the ID token: sub, and groups (or roles) as a list',
      ],
      commands: [],
    },
    {
      title: 'Keep the secret where only the gateway can read it',
      portal: ['In a file of mode 0600, or in a variable of its environment; never in sekisho.yaml'],
      commands: ['(umask 077; cat > idp-secret)'],
    },
  ]
}

/** Others than this machine come by TLS only. */
const listening = ({ protocol, hostname, port }: URL): string =>
  protocol === 'http:' || isLoopback(hostname)
    ? ''
    : `listen: 0.0.0.0:4180 # where port ${port || 443} of ${hostname} has to lead to
tls: { cert: ./pki/mcp.pem, key: ./pki/mcp.key } # or, where a proxy in front ends TLS: trustedProxies: [ITS_ADDRESS]
`

function yamlOf({ kind, mode, publicUrl, tenant, issuer, clientId }: IdpAnswers & { readonly clientId: string }): string {
  const isOwn = mode === 'authorization-server'
  const where = kind === 'entra' ? `kind: entra\n    tenant: ${tenant?.toLowerCase()}` : `kind: oidc\n    issuer: ${issuer}`
  const secret = isOwn ? `\n    clientId: ${JSON.stringify(clientId)}\n    clientSecret: file:./idp-secret` : ''
  const audience = kind === 'entra' ? JSON.stringify(clientId) : 'resource'
  const own = isOwn
    ? ''
    : `\n  audience: ${audience}\n  scopes: { read: mcp.read, write: mcp.write, destructive: mcp.destructive }`
  const bindings =
    kind === 'entra'
      ? '  - { role: ROLE, appRole: mcp.reader }\n  - { role: ROLE, group: "GROUP_OBJECT_ID" }'
      : '  - { role: ROLE, group: GROUP }'
  return `publicUrl: ${publicUrl}
${listening(new URL(publicUrl))}identity:
  mode: ${mode}
  provider:
    ${where}${secret}${own}

bindings:
${bindings}
`
}
