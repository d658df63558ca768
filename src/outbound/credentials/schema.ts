/**
 * The `credential` of a remote server: with whose key a call leaves. Secrets stand here by reference only. There is no kind
 * that sends on what the client came with (TPT-C3), and there will be none.
 */
import { z } from 'zod'
import { isLoopback } from '../../lib/loopback.ts'
import { type Secret, secretReference } from '../../lib/secret.ts'

/** How we prove to an authorization server who we are: one of the three, or none for a public client. */
export interface ClientProof {
  readonly clientId: string
  readonly clientSecret?: Secret | undefined
  /** PKCS #8, for `private_key_jwt` (RFC 7523 section 2.2). */
  readonly privateKey?: Secret | undefined
  readonly keyId?: string | undefined
  readonly algorithm: (typeof algorithms)[number]
  /** A token that the platform keeps fresh in a file, as client assertion (workload identity federation). */
  readonly tokenFile?: string | undefined
  readonly authMethod?: (typeof authMethods)[number] | undefined
}
/** Where tokens come from: found by the issuer's metadata, or said outright. */
export interface TokenSource {
  readonly issuer?: string | undefined
  readonly tokenUrl?: string | undefined
}
type Client = ClientProof & TokenSource

export interface StaticCredential {
  readonly kind: 'static'
  readonly secret: Secret
  /** Undefined: `Authorization: Bearer`. */
  readonly header?: string | undefined
}
export interface ClientCredentials extends Client {
  readonly kind: 'client-credentials'
  readonly scope?: string | undefined
  readonly resource?: string | undefined
}
export interface WorkloadIdentity extends TokenSource {
  readonly kind: 'workload-identity'
  readonly clientId?: string | undefined
  readonly tokenFile: string
  /** `client-assertion`: as Entra wants it; `grant`: the RFC 7523 section 2.1 grant of SEP-1933. */
  readonly use: 'client-assertion' | 'grant'
  readonly scope?: string | undefined
  readonly resource?: string | undefined
}
export interface ManagedIdentity {
  readonly kind: 'managed-identity'
  readonly resource: string
  readonly clientId?: string | undefined
  /** Filled in by config/ from what the platform says in the environment. */
  readonly endpoint?: ManagedIdentityEndpoint | undefined
}
export type ManagedIdentityEndpoint =
  | { readonly kind: 'imds'; readonly url: string }
  | { readonly kind: 'app-service'; readonly url: string; readonly header: Secret }
export interface TokenExchange extends Client {
  readonly kind: 'token-exchange'
  readonly scope?: string | undefined
  readonly audience?: string | undefined
  readonly resource?: string | undefined
}
export interface OnBehalfOf extends ClientProof {
  readonly kind: 'on-behalf-of'
  readonly tenant: string
  readonly authority: string
  readonly scope: string
}
export interface IdJag extends Client {
  readonly kind: 'id-jag'
  readonly idp: Client
  readonly scope?: string | undefined
  readonly resource?: string | undefined
}
export interface UserOauth extends Omit<Client, 'clientId' | 'tokenUrl' | 'tokenFile'> {
  readonly kind: 'oauth'
  readonly clientId?: string | undefined
  readonly scope?: string | undefined
}
export type CredentialConfig =
  | { readonly kind: 'none' }
  | StaticCredential
  | ClientCredentials
  | WorkloadIdentity
  | ManagedIdentity
  | TokenExchange
  | OnBehalfOf
  | IdJag
  | UserOauth

/** Who we are to a service of ours: what is asked for follows from the service. */
export type MachineCredential =
  | Omit<ClientCredentials, 'scope' | 'resource'>
  | Omit<WorkloadIdentity, 'scope' | 'resource'>
  | Omit<ManagedIdentity, 'resource'>

/** Kinds whose token speaks for one caller: no connection of theirs is shared. */
export const isPersonal = ({ kind }: CredentialConfig): boolean =>
  kind === 'token-exchange' || kind === 'on-behalf-of' || kind === 'id-jag' || kind === 'oauth'
/** Kinds that hand the caller's own token to its identity provider, and need one to do so. */
export const needsSubjectToken = ({ kind }: CredentialConfig): boolean =>
  isPersonal({ kind } as CredentialConfig) && kind !== 'oauth'

const algorithms = ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA'] as const
const authMethods = ['client_secret_basic', 'client_secret_post'] as const

const text = z.string().min(1).max(2048)
/** Scopes are printable and separated by single spaces (RFC 6749 section 3.3). */
const scope = z
  .string()
  .regex(/^[\x21\x23-\x5b\x5d-\x7e]+( [\x21\x23-\x5b\x5d-\x7e]+)*$/, {
    error: 'is not a list of scopes; separate them by single spaces',
  })
  .describe('Scopes, separated by single spaces')
const authority = z.string().refine(isAuthority, {
  error: 'is not an https URL without query, credentials and fragment; only this machine may be reached by http',
})
const resource = z.string().refine((value) => URL.canParse(value) && !value.includes('#'), {
  error: 'is not an absolute URI without fragment; write for example https://crm.example.com/mcp',
})
/** What frames a message, routes it or speaks of MCP cannot be what carries a key. */
const forbiddenHeader =
  /^(connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|host|expect|via|date|forwarded|x-forwarded-.*|content-.*|accept|accept-.*|mcp-.*|sec-.*|origin|referer|last-event-id|user-agent|cookie|set-cookie|range|if-.*|traceparent|tracestate|baggage)$/i
const header = z
  .string()
  .regex(/^[A-Za-z0-9-]{1,64}$/, { error: 'is not the name of a header; write for example X-API-Key' })
  .refine((name) => !forbiddenHeader.test(name), {
    error: 'is a header with a meaning of its own; choose the one your server names',
  })

const proof = {
  clientSecret: secretReference.optional().describe('env:NAME or file:PATH'),
  privateKey: secretReference.optional().describe('PKCS #8 in PEM, as env:NAME or file:PATH: private_key_jwt'),
  keyId: text.optional(),
  algorithm: z.enum(algorithms).default('RS256'),
  authMethod: z.enum(authMethods).optional(),
}
const client = { clientId: text, ...proof, tokenFile: text.optional() }
const source = { issuer: authority.optional(), tokenUrl: authority.optional() }
const target = { scope: scope.optional(), resource: resource.optional() }

interface Issues {
  addIssue(issue: { code: 'custom'; path: string[]; message: string; params: { fix: string } }): void
}
const refuse = (context: Issues, path: string[], message: string, fix: string): void =>
  context.addIssue({ code: 'custom', path, message, params: { fix } })

function oneSource({ issuer, tokenUrl }: TokenSource, context: Issues): void {
  if ((issuer === undefined) === (tokenUrl === undefined))
    refuse(
      context,
      [],
      'needs either "issuer" or "tokenUrl"',
      'a client id and its secret belong to one authorization server: name it',
    )
}
function oneProof(
  { clientSecret, privateKey, keyId, tokenFile, authMethod }: Omit<Partial<ClientProof>, 'clientId'>,
  context: Issues,
  min = 1,
): void {
  const given = [clientSecret, privateKey, tokenFile].filter((one) => one !== undefined).length
  if (given > 1 || given < min)
    refuse(
      context,
      [],
      'needs exactly one of "clientSecret", "privateKey" and "tokenFile"',
      'keep the one that your client is registered with',
    )
  if (keyId !== undefined && privateKey === undefined)
    refuse(context, ['keyId'], 'means nothing without "privateKey"', 'remove "keyId"')
  if (authMethod !== undefined && clientSecret === undefined)
    refuse(context, ['authMethod'], 'means nothing without "clientSecret"', 'remove "authMethod"')
}
function wholeClient(given: Partial<Client>, context: Issues): void {
  oneSource(given, context)
  oneProof(given, context)
}

export const credentialSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('none') }),
  z.strictObject({
    kind: z.literal('static'),
    secret: secretReference.describe('env:NAME or file:PATH'),
    header: header.optional(),
  }),
  z.strictObject({ kind: z.literal('client-credentials'), ...client, ...source, ...target }).superRefine(wholeClient),
  z
    .strictObject({
      kind: z.literal('workload-identity'),
      clientId: text.optional(),
      tokenFile: text,
      use: z.enum(['client-assertion', 'grant']).default('client-assertion'),
      ...source,
      ...target,
    })
    .superRefine((given, context) => {
      oneSource(given, context)
      if (given.use === 'client-assertion' && given.clientId === undefined)
        refuse(context, ['clientId'], 'is missing', 'a client assertion speaks for a client: give its id')
    }),
  z.strictObject({ kind: z.literal('managed-identity'), resource: text, clientId: text.optional() }),
  z
    .strictObject({ kind: z.literal('token-exchange'), ...client, ...source, ...target, audience: text.optional() })
    .superRefine(wholeClient),
  z
    .strictObject({
      kind: z.literal('on-behalf-of'),
      tenant: z.string().regex(/^[A-Za-z0-9.-]{1,128}$/, { error: 'is not a tenant id or domain' }),
      authority: authority.default('https://login.microsoftonline.com'),
      ...client,
      scope: scope.meta({ examples: ['api://DOWNSTREAM_CLIENT_ID/.default'] }),
    })
    .superRefine((given, context) => oneProof(given, context)),
  z
    .strictObject({
      kind: z.literal('id-jag'),
      idp: z.strictObject({ ...client, ...source }).superRefine(wholeClient),
      ...client,
      ...source,
      ...target,
    })
    .superRefine((given, context) => {
      oneProof(given, context)
      if (given.issuer === undefined || given.tokenUrl !== undefined)
        refuse(context, [], 'needs "issuer", and no "tokenUrl"', 'the issuer is the audience of the grant')
    }),
  z
    .strictObject({
      kind: z.literal('oauth'),
      clientId: text.optional(),
      ...proof,
      issuer: authority.optional(),
      scope: scope.optional(),
    })
    .superRefine((given, context) => {
      oneProof(given, context, 0)
      const isProven = given.clientSecret !== undefined || given.privateKey !== undefined
      if (given.clientId === undefined && isProven)
        refuse(context, ['clientId'], 'is missing', 'give the id that the secret or key belongs to')
      if (given.clientId !== undefined && given.issuer === undefined)
        refuse(context, ['issuer'], 'is missing', 'a client id belongs to one authorization server: name it')
    }),
])

export const machineCredentialSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('managed-identity'), clientId: text.optional() }),
  z
    .strictObject({ kind: z.literal('workload-identity'), clientId: text, tokenFile: text, ...source })
    .superRefine(oneSource)
    .transform((given) => ({ ...given, use: 'client-assertion' as const })),
  z.strictObject({ kind: z.literal('client-credentials'), ...client, ...source }).superRefine(wholeClient),
])

function isAuthority(value: string): boolean {
  const url = URL.canParse(value) ? new URL(value) : undefined
  if (url === undefined || url.username !== '' || url.password !== '' || /[?#]/.test(value)) return false
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname))
}
