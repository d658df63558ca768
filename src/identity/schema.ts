/** The part of the configuration that says how callers prove who they are. */
import { z } from 'zod'
import { isLoopback } from '../lib/loopback.ts'
import { secretReference } from '../lib/secret.ts'
import { classes } from '../protocol/methods.ts'

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
const registration = {
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
  ...registration,
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
    ...registration,
  })
  .superRefine(({ tenant, tenants }, context) => {
    if ((tenant === undefined) !== (tenants === undefined)) return
    const params = { fix: 'write tenant: GUID, or tenants: [GUID, GUID]' }
    context.addIssue({ code: 'custom', message: 'must have either "tenant" or "tenants"', params })
  })
  .transform(({ tenant, tenants, ...rest }) => ({ ...rest, tenants: tenants ?? [tenant as string] }))

const providerSchema = z.discriminatedUnion('kind', [openIdProvider, entraProvider])
export type ProviderConfig = z.output<typeof providerSchema>

const audience = said(
  (value) => value.length <= 512 && !/[*\s]/.test(value) && value !== '',
  'is not an audience: one exact text, without "*"',
  'write "resource" for the URL of each server, or what the provider puts into "aud"',
)
const scopeNames = z.partialRecord(
  z.enum(classes),
  z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, { error: 'is not the name of a scope' }),
)

const resourceServer = z
  .strictObject({
    mode: z.literal('resource-server'),
    provider: providerSchema,
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
    clockSkewS: z.int().min(0).max(60).default(30),
    tokenHoursMax: z.int().min(1).max(48).default(28).describe('Tokens that are valid for longer are refused'),
    dpop: z.enum(['accept', 'require']).default('accept').describe('Proof of possession, RFC 9449'),
  })
  .readonly()
export type ResourceServerConfig = z.output<typeof resourceServer>

export const identitySchema = z
  .discriminatedUnion('mode', [
    z.strictObject({ mode: z.literal('anonymous') }).readonly(),
    z.strictObject({ mode: z.literal('api-keys'), keys: z.array(apiKeySchema).min(1).readonly() }).readonly(),
    resourceServer,
  ])
  .readonly()
export type IdentityConfig = z.output<typeof identitySchema>
