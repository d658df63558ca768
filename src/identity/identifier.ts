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

/** The scheme in lower case, and the token. A header that came twice is joined by a comma and a space, which no token has. */
export function credentialIn(header: string | undefined): { readonly scheme: string; readonly token: string } | undefined {
  const [, scheme = '', token] = /^(Bearer|DPoP) +([\x21-\x7e]{1,20000})$/i.exec(header ?? '') ?? []
  return token === undefined ? undefined : { scheme: scheme.toLowerCase(), token }
}
