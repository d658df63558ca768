/**
 * One way to a token for each kind of credential that needs no browser. Each is a function from a challenge to tokens; when
 * to ask, and how often, is the keeper's business. `resource` is always sent (RFC 8707), but for Entra, which refuses it.
 */
import type { Principal } from '../../pipeline/parcel.ts'
import { Refusal } from '../../pipeline/refusal.ts'
import type { Challenge } from './challenge.ts'
import { clientProof, readToken } from './client-proof.ts'
import type { BrokerPorts, SubjectToken } from './credential.ts'
import { TokenRefused } from './failure.ts'
import type { Obtain } from './keeper.ts'
import { obtainManaged } from './managed-identity.ts'
import type { ClientCredentials, CredentialConfig, IdJag, OnBehalfOf, TokenExchange, WorkloadIdentity } from './schema.ts'
import { endpointOf } from './source.ts'
import { requestTokens } from './token-endpoint.ts'

const tokenExchange = 'urn:ietf:params:oauth:grant-type:token-exchange'
const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
const typeOf = (type: string): string => `urn:ietf:params:oauth:token-type:${type}`

export interface Errand {
  readonly server: string
  readonly url: string
  readonly principal: Principal
  readonly ports: BrokerPorts
}

export type Tokenless = Exclude<CredentialConfig, { kind: 'none' | 'static' | 'oauth' }>

export function obtainer(config: Tokenless, errand: Errand): Obtain {
  switch (config.kind) {
    case 'client-credentials':
      return clientCredentials(config, errand)
    case 'workload-identity':
      return workloadIdentity(config, errand)
    case 'managed-identity':
      return () => obtainManaged(config, errand.ports.clock)
    case 'token-exchange':
      return exchange(config, errand)
    case 'on-behalf-of':
      return onBehalfOf(config, errand)
    case 'id-jag':
      return idJag(config, errand)
  }
}

/** What the operator configured is all there is; else what the server asks for (MCP 2026-07-28, Scope Selection Strategy). */
const scopes = (configured: string | undefined, challenge: Challenge | undefined): string | undefined =>
  configured ?? challenge?.scope?.join(' ')

/** RFC 6749 section 4.4. */
function clientCredentials(config: ClientCredentials, { url, ports }: Errand): Obtain {
  const find = endpointOf(config, ports)
  return async (challenge) => {
    const { endpoint, ...audience } = await find()
    const form = {
      grant_type: 'client_credentials',
      scope: scopes(config.scope, challenge),
      resource: config.resource ?? resourceFor(config.scope, url),
    }
    return requestTokens(ports, { endpoint, form, prove: clientProof(config, audience, ports.clock) })
  }
}

/** Entra takes the resource from the scope (`…/.default`), and refuses a `resource` beside it (AADSTS9010010). */
const resourceFor = (scope: string | undefined, url: string): string | undefined =>
  scope?.endsWith('/.default') ? undefined : url

/** What the platform vouches for, as client assertion (RFC 7523 section 2.2) or as the grant itself (section 2.1). */
function workloadIdentity(config: WorkloadIdentity, { url, ports }: Errand): Obtain {
  const { use, tokenFile, clientId } = config
  if (use === 'client-assertion' && clientId !== undefined)
    return clientCredentials({ ...config, kind: 'client-credentials', clientId, algorithm: 'RS256' }, { url, ports } as Errand)
  const find = endpointOf(config, ports)
  return async (challenge) => {
    const { endpoint } = await find()
    const form = {
      grant_type: jwtBearer,
      assertion: await readToken(tokenFile),
      scope: scopes(config.scope, challenge),
      resource: config.resource ?? url,
    }
    const prove = (body: URLSearchParams): void => void (clientId !== undefined && body.set('client_id', clientId))
    return requestTokens(ports, { endpoint, form, prove })
  }
}

/** RFC 8693. */
function exchange(config: TokenExchange, errand: Errand): Obtain {
  const { url, ports } = errand
  const find = endpointOf(config, ports)
  return async (challenge) => {
    const subject = await subjectOf(errand)
    const { endpoint, ...audience } = await find()
    const form = {
      grant_type: tokenExchange,
      subject_token: subject.token,
      subject_token_type: typeOf(subject.type),
      requested_token_type: typeOf('access_token'),
      audience: config.audience,
      resource: config.resource ?? url,
      scope: scopes(config.scope, challenge),
    }
    const tokens = await requestTokens(ports, { endpoint, form, prove: clientProof(config, audience, ports.clock) })
    return different(tokens, subject)
  }
}

/** Microsoft Entra ID; what the resource says it lacks (`claims`) is asked for, and what Entra says the caller lacks is relayed. */
function onBehalfOf(config: OnBehalfOf, errand: Errand): Obtain {
  const { ports } = errand
  const endpoint = `${config.authority.replace(/\/$/, '')}/${encodeURIComponent(config.tenant)}/oauth2/v2.0/token`
  return async (challenge) => {
    const subject = await subjectOf(errand)
    if (subject.type !== 'access_token') throw noSubject(errand)
    const form = {
      grant_type: jwtBearer,
      assertion: subject.token,
      requested_token_use: 'on_behalf_of',
      scope: config.scope,
      claims: claimsFor(challenge),
    }
    const prove = clientProof({ authMethod: 'client_secret_post', ...config }, { audience: endpoint }, ports.clock)
    return different(await requestTokens(ports, { endpoint, form, prove }), subject)
  }
}

const claimsCharsMax = 8192

/** The decoded challenge; one that is not base64 of a JSON object is not passed on. */
function claimsFor(challenge: Challenge | undefined): string | undefined {
  if (challenge?.claims === undefined || challenge.claims.length > claimsCharsMax) return undefined
  const text = Buffer.from(challenge.claims, 'base64').toString('utf8')
  try {
    const claims: unknown = JSON.parse(text)
    return typeof claims === 'object' && claims !== null && !Array.isArray(claims) ? text : undefined
  } catch {
    return undefined
  }
}

/** Enterprise-managed authorization: a grant from the caller's own identity provider, then a token for it from the server's. */
function idJag(config: IdJag, errand: Errand): Obtain {
  const { url, ports } = errand
  const issuer = config.issuer as string // the schema asks for it
  const findIdp = endpointOf(config.idp, ports)
  const find = endpointOf(config, ports)
  return async (challenge) => {
    const subject = await subjectOf(errand)
    const scope = scopes(config.scope, challenge)
    const idp = await findIdp()
    const grant = await requestTokens(ports, {
      endpoint: idp.endpoint,
      form: {
        grant_type: tokenExchange,
        requested_token_type: typeOf('id-jag'),
        audience: issuer,
        resource: config.resource ?? url,
        scope,
        subject_token: subject.token,
        subject_token_type: typeOf(subject.type),
      },
      prove: clientProof(config.idp, idp, ports.clock),
    })
    if (grant.issuedTokenType !== typeOf('id-jag'))
      throw new TokenRefused('invalid_answer', 'the identity provider answered with something that is not an ID-JAG')
    const { endpoint, ...audience } = await find()
    const form = { grant_type: jwtBearer, assertion: grant.accessToken, scope }
    return different(await requestTokens(ports, { endpoint, form, prove: clientProof(config, audience, ports.clock) }), subject)
  }
}

async function subjectOf(errand: Errand): Promise<SubjectToken> {
  const subject = await errand.ports.subjectToken(errand.principal)
  if (subject === undefined) throw noSubject(errand)
  return subject
}
const noSubject = ({ server }: Errand): Refusal => new Refusal('CREDENTIAL_SUBJECT', { detail: server })

/** A server that answers with what it was given would have us pass the client's own token on (TPT-C3). */
function different<T extends { readonly accessToken: string }>(tokens: T, { token }: SubjectToken): T {
  if (tokens.accessToken === token)
    throw new TokenRefused('passthrough', 'the authorization server gave back the token of the caller')
  return tokens
}
