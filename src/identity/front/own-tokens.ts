/**
 * Our own tokens, for checking. Their `sub` is the id of an account, which names its tenant or issuer already: that, and
 * nothing around it, is the principal, so that consents, revocations and the record speak of the same person.
 */
import type { KeySource, TokenIssuer } from '../tokens/issuer.ts'
import { standardIssuer } from '../tokens/openid.ts'
import { stringIn } from '../tokens/parse.ts'

export function ownTokens(base: string, keys: KeySource): TokenIssuer {
  const standard = standardIssuer(base, keys, { groupsClaim: 'groups', rolesClaim: 'roles' })
  return {
    ...standard,
    subjectOf(token) {
      const subject = standard.subjectOf(token)
      const account = stringIn(token.payload, 'sub')
      if (typeof subject === 'string' || account === undefined) return subject
      return { ...subject, name: account, claims: { ...subject.claims, tenant: stringIn(token.payload, 'tid') } }
    },
  }
}
