/**
 * Our own tokens, for checking. Their `sub` is the id of an account, which names its tenant or issuer already: that, and
 * nothing around it, is the principal, so that consents, revocations and the record speak of the same person.
 */
import type { KeySource, TokenIssuer } from '../tokens/issuer.ts'
import { standardIssuer } from '../tokens/openid.ts'
import { numberIn, stringIn } from '../tokens/parse.ts'

/**
 * When the person logged in, in seconds since the epoch. A token is revoked by this and not by its `iat`: one that was made
 * from an old grant in the moment of a revocation, or before every process has heard of it, is as old as the grant.
 */
export const originClaim = 'origin_iat'

export function ownTokens(base: string, keys: KeySource): TokenIssuer {
  const standard = standardIssuer(base, keys, { groupsClaim: 'groups', rolesClaim: 'roles' })
  return {
    ...standard,
    subjectOf(token) {
      const subject = standard.subjectOf(token)
      const account = stringIn(token.payload, 'sub')
      if (typeof subject === 'string' || account === undefined) return subject
      const claims = { ...subject.claims, tenant: stringIn(token.payload, 'tid') }
      return { ...subject, name: account, claims, originAt: numberIn(token.payload, originClaim) ?? 0 }
    },
  }
}
