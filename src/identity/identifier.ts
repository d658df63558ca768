/**
 * Who is asking? The answer comes from the Authorization header alone: never from the body, the session id, the client's
 * own name or the query. On any doubt there is no principal, and the request ends here.
 */
import type { Credentials } from '../pipeline/exchange.ts'
import type { Principal } from '../pipeline/parcel.ts'
import { Refusal } from '../pipeline/refusal.ts'
import { verifier } from './api-keys.ts'
import type { IdentityConfig } from './schema.ts'

const anonymous: Principal = Object.freeze({ kind: 'anonymous', id: 'anonymous' })

/** Throws a {@link Refusal} UNAUTHENTICATED. */
export function identifier(config: IdentityConfig): (credentials: Credentials) => Principal {
  if (config.mode === 'anonymous') return () => anonymous
  const verify = verifier(config.keys)
  const principals = new Map(config.keys.map(({ id }) => [id, Object.freeze<Principal>({ kind: 'api-key', id: `key:${id}` })]))
  return ({ headers }) => {
    const principal = principals.get(verify(bearer(headers['authorization'])) ?? '')
    if (principal === undefined) throw new Refusal('UNAUTHENTICATED')
    return principal
  }
}

/** The token of `Bearer <token>`, or an empty one. A header that came twice is joined by a comma, which no key has. */
const bearer = (header: string | undefined): string => /^Bearer +([\x21-\x7e]{1,256})$/i.exec(header ?? '')?.[1] ?? ''
