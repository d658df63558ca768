/**
 * The keys that our own tokens are signed with: ES256, derived from the gateway's key by number, so that every process of
 * one gateway has the same and none is kept anywhere. Which numbers count is in signing-numbers.ts.
 */
import { createECDH, createPrivateKey, createPublicKey, type JsonWebKey } from 'node:crypto'
import type { KeySource } from '../tokens/issuer.ts'
import type { SigningKey } from '../tokens/signing-keys.ts'

export interface SigningPair {
  readonly kid: string
  readonly privateJwk: JsonWebKey & { readonly kid: string; readonly alg: 'ES256'; readonly use: 'sig' }
}

/** The pairs with these numbers, in their order; each is made once. */
export function signingPairs(derive: (purpose: string) => Buffer): (numbers: readonly number[]) => readonly SigningPair[] {
  const made = new Map<number, SigningPair>()
  const pairWith = (number: number): SigningPair => {
    const pair = made.get(number) ?? pairOf(derive, number)
    made.set(number, pair)
    return pair
  }
  return (numbers) => numbers.map(pairWith)
}

function pairOf(derive: (purpose: string) => Buffer, number: number): SigningPair {
  for (let attempt = 0; ; attempt++) {
    const scalar = derive(`identity/signing/${number}/${attempt}`)
    try {
      const curve = createECDH('prime256v1')
      curve.setPrivateKey(scalar) // throws for the one number in four billion that is not on the curve
      const point = curve.getPublicKey()
      const kid = `sekisho-${number}-${point.subarray(1, 7).toString('base64url')}`
      const part = (from: number): string => point.subarray(from, from + 32).toString('base64url')
      const jwk = { kty: 'EC', crv: 'P-256', x: part(1), y: part(33), d: scalar.toString('base64url') }
      createPrivateKey({ key: jwk, format: 'jwk' })
      return { kid, privateJwk: { ...jwk, kid, alg: 'ES256', use: 'sig' } }
    } catch (error) {
      if (attempt > 8) throw error
    }
  }
}

/** The same keys for checking. */
export function ownKeys(pairs: () => readonly SigningPair[]): KeySource {
  const known = new Map<string, SigningKey>()
  return {
    async find(kid) {
      return pairs()
        .filter((pair) => pair.kid === kid)
        .map(({ kid, privateJwk }) => {
          let key = known.get(kid)
          if (key === undefined) {
            const { d: _, ...jwk } = privateJwk
            key = { key: createPublicKey({ key: jwk, format: 'jwk' }), kid, alg: 'ES256', issuer: undefined }
            known.set(kid, key)
          }
          return key
        })
    },
  }
}
