/**
 * Tokens for ourselves, as a machine, at a service that is no upstream: one kept for each scope, and renewed like any other.
 * Why there is none is said to whoever asks, because it is an operator that reads it.
 */
import type { Clock } from '../../lib/clock.ts'
import { plainPrincipal } from '../../pipeline/parcel.ts'
import type { BrokerPorts, OutsideFetch } from './credential.ts'
import { TokenRefused } from './failure.ts'
import { Keeper, type Obtain } from './keeper.ts'
import { obtainer, type Tokenless } from './obtain.ts'
import type { MachineCredential } from './schema.ts'

export interface MachineTokensOptions {
  /** What the tokens are for, for messages. */
  readonly service: string
  readonly credential: MachineCredential
  readonly fetch: OutsideFetch
  readonly clock: Clock
  /** From 0 up to 1, for jitter only. */
  random(): number
}

/** `scope` ends in `/.default`, as Entra has it. Rejects with {@link TokenRefused}. */
export function machineTokens(options: MachineTokensOptions): (scope: string) => Promise<string> {
  const sources = new Map<string, () => Promise<string>>()
  return (scope) => {
    const source = sources.get(scope) ?? tokensFor(scope, options)
    sources.set(scope, source)
    return source()
  }
}

function tokensFor(scope: string, { service, credential, fetch, clock, random }: MachineTokensOptions): () => Promise<string> {
  const resource = scope.replace(/\/\.default$/, '')
  const ports: BrokerPorts = {
    ...{ fetch, clock, random, store: undefined, consent: undefined },
    subjectToken: async () => undefined,
    log: () => undefined,
  }
  const config: Tokenless =
    credential.kind === 'managed-identity' ? { ...credential, resource } : { ...credential, scope, resource: undefined }
  const principal = plainPrincipal('anonymous', 'everyone')
  const ask = obtainer(config, { server: service, url: resource, principal, ports })
  let last: unknown
  const obtain: Obtain = (challenge, before) =>
    ask(challenge, before).catch((error: unknown) => {
      last = error
      throw error
    })
  const keeper = new Keeper({ server: service, clock, random, obtain, log: () => undefined })
  return async () => {
    try {
      return (await keeper.get()).accessToken
    } catch (error) {
      throw last instanceof TokenRefused ? last : error
    }
  }
}
