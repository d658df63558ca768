import { Secret } from '../lib/secret.ts'
import { inheritedAlways, type ServerConfig } from '../outbound/schema.ts'
import { withCredentialSecrets } from './credential-secrets.ts'
import type { Environment } from './environment.ts'
import type { Complaint } from './problem.ts'
import { fetchSecret, isReference } from './secrets.ts'

/**
 * A local server with the environment that its child will have: what is inherited, then what is configured; a remote one
 * with the secrets of its credential. References that lead nowhere are complained of. Without an environment nothing is
 * inherited and no secret can be revealed.
 */
export function withEnvironment(
  server: ServerConfig,
  id: string,
  folder: string,
  environment: Environment | undefined,
  complaints: Complaint[],
): ServerConfig {
  if (server.kind === 'http') {
    const at = ['servers', id, 'credential']
    return { ...server, credential: withCredentialSecrets(server.credential, at, folder, environment, complaints) }
  }
  const env: Record<string, string | Secret> = Object.create(null)
  for (const name of inheritedAlways) {
    const value = environment?.variables[name]
    if (value !== undefined) env[name] = value
  }
  for (const name of server.inheritEnv) {
    const value = environment?.variables[name]
    if (value !== undefined) env[name] = new Secret(`env:${name}`, value)
  }
  for (const [name, value] of Object.entries(server.env)) {
    if (typeof value !== 'string' || !isReference(value)) {
      env[name] = value
      continue
    }
    const fetched = environment && fetchSecret(value, folder, environment)
    if (fetched && 'message' in fetched) complaints.push({ path: ['servers', id, 'env', name], ...fetched })
    env[name] = new Secret(value, fetched && 'value' in fetched ? fetched.value : undefined)
  }
  return { ...server, env }
}
