import { Secret } from '../lib/secret.ts'
import type { Environment } from './environment.ts'
import type { Complaint, Path } from './problem.ts'
import { fetchSecret } from './secrets.ts'

/**
 * The same value with every {@link Secret} in it fetched. References that lead nowhere are complained of. Without an
 * environment they stay as they are, and cannot be revealed.
 */
export function resolveSecrets<Value>(
  value: Value,
  path: Path,
  folder: string,
  environment: Environment | undefined,
  complaints: Complaint[],
): Value {
  if (environment === undefined || typeof value !== 'object' || value === null) return value
  if (value instanceof Secret) return resolved(value, path, folder, environment, complaints) as Value
  const each = ([key, member]: [string, unknown]) =>
    [key, resolveSecrets(member, [...path, key], folder, environment, complaints)] as const
  if (Array.isArray(value)) return Object.entries(value).map((entry) => each(entry)[1]) as Value
  return Object.fromEntries(Object.entries(value).map(each)) as Value
}

function resolved(secret: Secret, path: Path, folder: string, environment: Environment, complaints: Complaint[]): Secret {
  if (secret.isResolved) return secret
  const fetched = fetchSecret(secret.reference, folder, environment)
  if ('value' in fetched) return new Secret(secret.reference, fetched.value)
  complaints.push({ path, ...fetched })
  return secret
}
