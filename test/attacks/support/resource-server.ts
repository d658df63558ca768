/** A gateway's identity with tokens of a provider, without the gateway around it: what comes of a token, and what is revoked. */
import { identityOf } from '../../../src/identity/identity.ts'
import { Revocations } from '../../../src/identity/revocations.ts'
import { identitySchema } from '../../../src/identity/schema.ts'
import { systemClock } from '../../../src/lib/clock.ts'
import type { Principal } from '../../../src/pipeline/parcel.ts'
import { Refusal } from '../../../src/pipeline/refusal.ts'
import type { Issuer } from './issuer.ts'

const base = 'https://gateway.test'
/** What tokens for server x are issued for. */
export const resource = `${base}/x/mcp`

export interface ResourceServer {
  readonly errors: readonly unknown[]
  /** Who it is, or why nobody: `CODE: cause`. */
  ask(token: string, headers?: Readonly<Record<string, string>>, scheme?: 'Bearer' | 'DPoP'): Promise<Principal | string>
  /** The token that is exchanged at the provider for this principal. */
  exchanged(principal: Principal): Promise<string | undefined>
  revoke(kind: 'user' | 'client' | 'holder' | 'token', value: string, at?: number): void
}

export function resourceServer(provider: Issuer, changes: object = {}): ResourceServer {
  const revoked = new Revocations()
  const errors: unknown[] = []
  const identity = identityOf({
    config: identitySchema.parse({ ...provider.identity, ...changes }),
    clock: systemClock,
    proxy: {},
    base: () => base,
    isRevoked: (principal) => revoked.has(principal),
    ownTokens: () => {
      throw new Error('not of our own')
    },
    ownSubjectToken: async () => undefined,
    failed: (error) => void errors.push(error),
  })
  return {
    errors,
    async ask(token, headers = {}, scheme = 'Bearer') {
      const request = { method: 'POST', path: '/x/mcp', certificateThumbprint: () => undefined }
      try {
        return await identity.identify({ headers: { authorization: `${scheme} ${token}`, ...headers }, entrance: 'x', request })
      } catch (error) {
        if (!(error instanceof Refusal)) throw error
        const { cause } = error.facts
        return cause === undefined ? error.code : `${error.code}: ${String(cause)}`
      }
    },
    exchanged: async (principal) => (await identity.subjectToken(principal))?.token,
    revoke: (kind, value, at = Date.now()) => void revoked.replace([{ kind, value, at }]),
  }
}
