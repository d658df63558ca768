import { isDeepStrictEqual } from 'node:util'
import { RestartNeeded } from './problem.ts'
import type { Config } from './schema.ts'

/** What is opened once. Everything else may change while the gateway runs. */
const restartKeys = [
  'listen',
  'admin',
  'tls',
  'publicUrl',
  'allowedHosts',
  'allowedOrigins',
  'trustedProxies',
  'store',
  'vault',
  'audit',
  'supply',
] as const
const restartLimits = ['bodyBytesMax', 'resultBytesMax', 'depthMax', 'batchMax', 'guardTimeoutMs'] as const

/** Throws {@link RestartNeeded} for a change that a running gateway cannot take over. */
export function mustBeReloadable(config: Config, next: Config): void {
  const key = restartKeys.find((one) => !isDeepStrictEqual(next[one], config[one]))
  if (key !== undefined) throw new RestartNeeded([key])
  const limit = restartLimits.find((one) => next.limits[one] !== config.limits[one])
  if (limit !== undefined) throw new RestartNeeded(['limits', limit])
  const isOwnServer = [next, config].some(({ identity }) => identity.mode === 'authorization-server')
  if (isOwnServer && !isDeepStrictEqual(next.identity, config.identity)) throw new RestartNeeded(['identity'])
}
