/**
 * Who is asking? The answer comes from the Authorization header alone: never from the body, the session id, the client's
 * own name or the query. On any doubt there is no principal, and the request ends here.
 */
import type { Credentials } from '../pipeline/exchange.ts'
import { type Principal, plainPrincipal } from '../pipeline/parcel.ts'
import { Refusal } from '../pipeline/refusal.ts'
import { verifier } from './api-keys.ts'
import type { IdentityConfig } from './schema.ts'

/** Throws, or rejects with, a {@link Refusal} UNAUTHENTICATED. */
export type Identify = (credentials: Credentials) => Principal | Promise<Principal>

/** Asked with the same object, it gives the same answer: a proof that counts once is looked at once in each request. */
export function identifyOnce(identify: Identify): Identify {
  const known = new WeakMap<Credentials, Principal | Promise<Principal>>()
  return (credentials) => {
    let answer = known.get(credentials)
    if (answer === undefined) known.set(credentials, (answer = identify(credentials)))
    return answer
  }
}

const anonymous = plainPrincipal('anonymous', 'anonymous')
export const everyone: Identify = () => anonymous

/** The key a principal came with, by its digest: a new key under an old id is another one. */
const digests = new WeakMap<Principal, string>()

export function byApiKey(keys: Extract<IdentityConfig, { readonly mode: 'api-keys' }>['keys']): {
  readonly identify: Identify
  isKnown(principal: Principal): boolean
} {
  const verify = verifier(keys)
  const principals = new Map(
    keys.map(({ id, sha256 }) => {
      const principal = plainPrincipal('api-key', `key:${id}`)
      digests.set(principal, sha256)
      return [id, principal]
    }),
  )
  return {
    identify({ headers }) {
      const presented = credentialIn(headers['authorization'])
      const principal = principals.get((presented?.scheme === 'bearer' && verify(presented.token)) || '')
      if (principal === undefined) throw new Refusal('UNAUTHENTICATED')
      return principal
    },
    isKnown: (principal) => keys.some(({ id, sha256 }) => principal.id === `key:${id}` && digests.get(principal) === sha256),
  }
}

const tokenCharsMax = 20_000

/** The scheme in lower case, and the token. A header that came twice is joined by a comma and a space, which no token has. */
export function credentialIn(header = ''): { readonly scheme: string; readonly token: string } | undefined {
  const schemeEnd = header.indexOf(' ')
  const scheme = header.slice(0, Math.max(schemeEnd, 0)).toLowerCase()
  if (scheme !== 'bearer' && scheme !== 'dpop') return undefined
  let start = schemeEnd
  while (header[start] === ' ') start++
  const token = header.slice(start)
  // Not one pattern for all of it: that cost as much as the digest of the token.
  return token === '' || token.length > tokenCharsMax || /[^\x21-\x7e]/.test(token) ? undefined : { scheme, token }
}
