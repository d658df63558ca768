/** The token endpoint of a configured authorization server: as configured, or as its metadata says, asked again after an hour. */
import type { BrokerPorts } from './credential.ts'
import { authorizationServer } from './discovery.ts'
import type { TokenSource } from './schema.ts'

export interface Endpoint {
  readonly endpoint: string
  /** Who a client assertion is for. */
  readonly audience: string
  readonly methods: readonly string[] | undefined
}

const freshMs = 3_600_000

export function endpointOf(
  { issuer, tokenUrl }: TokenSource,
  { fetch, clock }: Pick<BrokerPorts, 'fetch' | 'clock'>,
): () => Promise<Endpoint> {
  if (tokenUrl !== undefined) {
    const fixed = { endpoint: tokenUrl, audience: tokenUrl, methods: undefined }
    return async () => fixed
  }
  let known: Endpoint | undefined
  let readAt = 0
  return async () => {
    if (known !== undefined && clock.monotonic() - readAt < freshMs) return known
    const { tokenEndpoint, methods } = await authorizationServer(fetch, issuer as string)
    readAt = clock.monotonic()
    known = { endpoint: tokenEndpoint, audience: issuer as string, methods }
    return known
  }
}
