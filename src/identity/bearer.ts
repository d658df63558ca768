/** The resource server's question (RFC 6750): whose token is this, was it issued for what is called, and is it still good? */
import type { Credentials } from '../pipeline/exchange.ts'
import type { Principal } from '../pipeline/parcel.ts'
import { Refusal } from '../pipeline/refusal.ts'
import { type Challenge, challengeHeader } from './challenge.ts'
import { credentialIn, type Identify } from './identifier.ts'
import { metadataUrlOf, resourceOf } from './resources.ts'
import type { Accepted, AccessTokens } from './tokens/access-tokens.ts'
import type { Proofs } from './tokens/dpop.ts'
import { type Fault, faults, TokenRefused } from './tokens/fault.ts'

export interface BearerOptions {
  readonly tokens: AccessTokens
  readonly proofs: Proofs
  /** Whether every token has to be bound to a key. */
  readonly isDpopRequired: boolean
  /** Scheme, host and port under which clients reach us. */
  base(): string
  isRevoked(principal: Principal): boolean
  /** What a first token should be for: the least that lets anyone do anything. */
  readonly leastScopes: readonly string[]
  /** Told when tokens cannot be checked at all. */
  failed(error: unknown): void
}

export function byToken(options: BearerOptions): Identify {
  const { tokens, isRevoked, base } = options
  const unauthenticated = (credentials: Credentials, fault?: Fault): Refusal => {
    const challenge: Challenge = {
      metadataUrl: metadataUrlOf(base(), credentials.entrance),
      scopes: options.leastScopes,
      ...(fault && { error: 'invalid_token', description: faults[fault] }),
    }
    const scheme = options.isDpopRequired ? 'DPoP' : 'Bearer'
    return new Refusal('UNAUTHENTICATED', {
      challenge: challengeHeader(challenge, scheme),
      ...(fault && { cause: faults[fault] }),
      fix: 'Sign in: a client that follows the WWW-Authenticate header does it by itself.',
    })
  }
  const letIn = (credentials: Credentials, { principal }: Accepted, token: string): Principal => {
    if (isRevoked(principal)) throw unauthenticated(credentials, 'revoked')
    tokens.present(principal, token)
    return principal
  }
  const asRefusal = (credentials: Credentials, error: unknown): Refusal => {
    if (error instanceof Refusal) return error
    if (error instanceof TokenRefused) return unauthenticated(credentials, error.fault)
    options.failed(error)
    return new Refusal('IDENTITY_UNAVAILABLE')
  }
  return (credentials) => {
    const presented = credentialIn(credentials.headers['authorization'])
    if (presented === undefined) throw unauthenticated(credentials)
    const { token, scheme } = presented
    const accepted = tokens.accept(token, resourceOf(base(), credentials.entrance))
    if (!(accepted instanceof Promise) && isPlain(accepted, scheme, options)) return letIn(credentials, accepted, token)
    return Promise.resolve(accepted)
      .then(async (known) => {
        await mustHold(known, presented, credentials, options)
        return letIn(credentials, known, token)
      })
      .catch((error: unknown) => {
        throw asRefusal(credentials, error)
      })
  }
}

/** A token that its bearer need prove nothing more about. */
const isPlain = ({ confirmation }: Accepted, scheme: string, { isDpopRequired }: BearerOptions): boolean =>
  confirmation === undefined && scheme === 'bearer' && !isDpopRequired

/** Rejects with TokenRefused for a token that is bound to a key or a certificate which the sender did not show. */
async function mustHold(
  { confirmation }: Accepted,
  { scheme, token }: { readonly scheme: string; readonly token: string },
  { headers, request }: Credentials,
  { proofs, isDpopRequired, base }: BearerOptions,
): Promise<void> {
  const { jwkThumbprint, certificateThumbprint } = confirmation ?? {}
  if (jwkThumbprint !== undefined || scheme === 'dpop' || isDpopRequired) {
    const proof = headers['dpop']
    if (scheme !== 'dpop' || proof === undefined || request === undefined || jwkThumbprint === undefined)
      throw new TokenRefused('binding')
    const url = base() + request.path
    if (!(await proofs.check(proof, token, jwkThumbprint, { method: request.method, url }))) throw new TokenRefused('binding')
  } else if (confirmation !== undefined && certificateThumbprint === undefined) throw new TokenRefused('binding')
  if (certificateThumbprint !== undefined && request?.certificateThumbprint() !== certificateThumbprint)
    throw new TokenRefused('binding')
}
