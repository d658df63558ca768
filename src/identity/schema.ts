/** The part of the configuration that says how callers prove who they are. */
import { z } from 'zod'
import { isLoopback } from '../lib/loopback.ts'
import { secretReference } from '../lib/secret.ts'
import { classes } from '../protocol/methods.ts'
import { redirectFault } from './front/redirect-uris.ts'

/** Also the middle of a key, `sk_<id>_…`, so it has no underscore. */
export const keyIdSchema = z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, {
  error: 'must be 1 to 32 of a-z, 0-9 and "-", beginning with a letter; write for example ci',
})

const apiKeySchema = z.strictObject({
  id: keyIdSchema,
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, {
      error: 'is not a SHA-256 in 64 lower-case hexadecimal digits; make one with: sekisho keys new ID',
    })
    .describe('SHA-256 of the key; the key itself is never kept'),
})

const said = (isValid: (value: string) => boolean, message: string, fix: string) =>
  z.string().refine(isValid, { error: message, params: { fix } })

/** Https, or http on this machine; nothing that a URL may have besides an origin and a path. */
function isPlainUrl(value: string): boolean {
  const url = URL.canParse(value) ? new URL(value) : undefined
  if (url === undefined || url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') return false
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname))
}
const url = (fix: string) => said(isPlainUrl, 'is not an https URL (http only for this machine) without query and fragment', fix)

const tenantWord = 'lets in everyone with a Microsoft account anywhere, so start is refused'
const guid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
const tenant = z
  .string()
  .toLowerCase()
  .superRefine((value, context) => {
    const isEverybody = ['common', 'organizations', 'consumers'].includes(value)
    const fix = 'write the Directory (tenant) ID, or several under "tenants"'
    if (isEverybody) context.addIssue({ code: 'custom', message: tenantWord, params: { fix } })
    else if (!guid.test(value)) context.addIssue({ code: 'custom', message: 'is not a tenant id (a GUID)', params: { fix } })
  })

const claimName = z.string().min(1).max(256)
const file = z.string().min(1)
/** How we are known at the provider; needed to log people in there, or to ask it for more. */
const known = {
  clientId: z.string().min(1).max(256).optional().describe('Our own client id at the provider'),
  clientSecret: secretReference.optional(),
  ca: file.optional().describe('PEM file of an own certificate authority of the provider'),
}

const openIdProvider = z.strictObject({
  kind: z.literal('oidc'),
  issuer: url('write the issuer as the provider spells it, for example https://login.example.com'),
  groupsClaim: claimName.default('groups'),
  rolesClaim: claimName.default('roles'),
  loginScopes: z.array(z.string().min(1)).default(['openid', 'profile', 'offline_access']).readonly(),
  ...known,
})

const entraProvider = z
  .strictObject({
    kind: z.literal('entra'),
    tenant: tenant.optional(),
    tenants: z.array(tenant).min(1).readonly().optional(),
    authority: url('write https://login.microsoftonline.com').default('https://login.microsoftonline.com'),
    legacyIssuer: said(
      (value) => value.includes('{tenant}') && isPlainUrl(value.replace('{tenant}', 'x')),
      'needs {tenant}',
      'write https://sts.windows.net/{tenant}/',
    )
      .default('https://sts.windows.net/{tenant}/')
      .describe('Issuer of v1.0 tokens'),
    graph: url('write https://graph.microsoft.com').default('https://graph.microsoft.com'),
    ...known,
  })
  .superRefine(({ tenant, tenants }, context) => {
    if ((tenant === undefined) !== (tenants === undefined)) return
    const params = { fix: 'write tenant: GUID, or tenants: [GUID, GUID]' }
    context.addIssue({ code: 'custom', message: 'must have either "tenant" or "tenants"', params })
  })
  .transform(({ tenant, tenants, ...rest }) => ({ ...rest, tenants: tenants ?? [tenant as string] }))

const providerSchema = z.discriminatedUnion('kind', [openIdProvider, entraProvider])
export type ProviderConfig = z.output<typeof providerSchema>
const provider = providerSchema.describe('kind: entra or kind: oidc and what belongs to it; sekisho idp add prints it')

const audience = said(
  (value) => value.length <= 512 && !/[*\s]/.test(value) && value !== '',
  'is not an audience: one exact text, without "*"',
  'write "resource" for the URL of each server, or what the provider puts into "aud"',
)
const scopeNames = z.partialRecord(
  z.enum(classes),
  z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, { error: 'is not the name of a scope' }),
)

const stepUp = z
  .strictObject({
    server: z.string().min(1).max(64).default('*').describe('Server id, or a pattern of them'),
    tools: z.array(z.string().min(1).max(512)).min(1).readonly().optional(),
    class: z.array(z.enum(classes)).min(1).readonly().optional(),
    contexts: z
      .array(z.string().min(1).max(128))
      .min(1)
      .readonly()
      .optional()
      .describe('Authentication contexts ("acr", or "acrs" of Entra), one of which has to be satisfied'),
    maxAgeMinutes: z.int().min(1).max(525_600).optional().describe('How long ago the login may have been'),
  })
  .superRefine(({ contexts, maxAgeMinutes }, context) => {
    if (contexts === undefined && maxAgeMinutes === undefined)
      context.addIssue({ code: 'custom', message: 'asks for nothing', params: { fix: 'add "contexts" or "maxAgeMinutes"' } })
  })
  .readonly()
export type StepUpConfig = z.output<typeof stepUp>
const stepUps = z.array(stepUp).default([]).readonly().describe('What needs a stronger or more recent login')

const resourceServer = z
  .strictObject({
    mode: z.literal('resource-server'),
    provider,
    audience: z
      .union([audience, z.array(audience).min(1)])
      .transform((value) => (typeof value === 'string' ? [value] : value))
      .describe(
        'What a token has to be issued for: "resource" for the URL of the server that is called, else one exact text or several',
      ),
    clients: z.array(z.string().min(1)).min(1).readonly().optional().describe('OAuth clients that are accepted; default any'),
    requiredClaims: z
      .record(claimName, z.array(z.string().min(1)).min(1).readonly())
      .default({})
      .describe('Claims that have to be there, with one of these values'),
    scopes: scopeNames.default({}).describe('The scope that a class of tool needs, besides a rule that allows it'),
    stepUp: stepUps,
    clockSkewS: z.int().min(0).max(60).default(30),
    tokenHoursMax: z.int().min(1).max(48).default(28).describe('Tokens that are valid for longer are refused'),
    dpop: z.enum(['accept', 'require']).default('accept').describe('Proof of possession, RFC 9449'),
  })
  .readonly()
export type ResourceServerConfig = z.output<typeof resourceServer>

const redirect = z.string().superRefine((value, context) => {
  const fault = redirectFault(value)
  const params = { fix: "write https://HOST/PATH, or http://127.0.0.1/PATH for a program on the user's machine" }
  if (fault !== undefined) context.addIssue({ code: 'custom', message: `cannot be a redirect URI (${fault})`, params })
})
const knownClient = z
  .strictObject({
    id: z.string().regex(/^[\x21-\x7e]{1,200}$/, { error: 'is not a client id' }),
    name: z.string().min(1).max(64),
    redirectUris: z.array(redirect).min(1),
    secret: secretReference.optional().describe('For a client that can keep one; others prove themselves by PKCE alone'),
  })
  .readonly()

/** RFC 8252, 7.1; the rest would run in the browser, or be read from its disk. */
const isAppScheme = (scheme: string): boolean =>
  !/^(https?|wss?|ftp|file|filesystem|data|blob|about|javascript|vbscript|view-source|intent|content|mailto|chrome.*|edge|resource|jar)$/.test(
    scheme,
  )

const clientRegistration = z
  .strictObject({
    metadataDocuments: z
      .union([z.literal('any'), z.literal('none'), z.array(z.string().min(1)).min(1).readonly()])
      .default('any')
      .describe('Hosts whose client id metadata documents are accepted'),
    dynamic: z.boolean().default(true).describe('Whether clients may register themselves (RFC 7591)'),
    initialAccessToken: secretReference.optional().describe('What a client has to show to register itself'),
    ca: file.optional().describe('PEM file of an own certificate authority of the hosts that are named'),
    perHour: z.int().min(1).max(10_000).default(60).describe('Registrations that are accepted in an hour'),
    unusedDays: z.int().min(1).max(365).default(30).describe('After so long without use a registration is forgotten'),
    redirectSchemes: z
      .array(
        z
          .string()
          .regex(/^[a-z][a-z0-9+.-]*$/)
          .refine(isAppScheme, { error: 'is a scheme that browsers give a meaning of their own' }),
      )
      .default([])
      .readonly()
      .describe('Private-use URI schemes of native apps that are accepted, for example cursor'),
    clients: z.array(knownClient).default([]).readonly().describe('Clients that are known beforehand'),
  })
  .prefault({})
export type RegistrationConfig = z.output<typeof clientRegistration>

const authorizationServer = z
  .strictObject({
    mode: z.literal('authorization-server'),
    provider,
    registration: clientRegistration.describe('Which programs may ask people for access'),
    askAtLogin: z
      .array(z.enum(classes))
      .min(1)
      .default(['read'])
      .readonly()
      .describe('Classes of tools that a first token is for; for more, people are asked when it is needed'),
    stepUp: stepUps,
    accessTokenMinutes: z.int().min(1).max(60).default(10),
    refreshDays: z.int().min(1).max(365).default(30).describe('After so long people have to log in again in any case'),
    recheckMinutes: z
      .int()
      .min(1)
      .max(1440)
      .default(60)
      .describe('How often the provider is asked whether it still vouches for a person'),
    dpop: z.enum(['accept', 'require']).default('accept').describe('Proof of possession, RFC 9449'),
  })
  .superRefine(({ provider: given }, context) => {
    // Asked also where the provider has mistakes of its own: then it has not been read to its end.
    const provider: Partial<typeof given> = given
    if (provider.clientId === undefined)
      context.addIssue({
        code: 'custom',
        path: ['provider', 'clientId'],
        message: 'is missing',
        params: { fix: 'give the client id under which this gateway is registered at the provider' },
      })
    if (provider.kind === 'entra' && provider.tenants !== undefined && provider.tenants.length > 1)
      context.addIssue({
        code: 'custom',
        path: ['provider', 'tenants'],
        message: 'can be one tenant only in this mode',
        params: { fix: 'run one gateway for each tenant, or use mode: resource-server' },
      })
  })
  .readonly()
export type AuthorizationServerConfig = z.output<typeof authorizationServer>

export const identitySchema = z
  .discriminatedUnion('mode', [
    z.strictObject({ mode: z.literal('anonymous') }).readonly(),
    z.strictObject({ mode: z.literal('api-keys'), keys: z.array(apiKeySchema).min(1).readonly() }).readonly(),
    resourceServer,
    authorizationServer,
  ])
  .readonly()
export type IdentityConfig = z.output<typeof identitySchema>
