/** A credential with its secrets fetched, and with what the platform says of its managed identity. */
import { Secret } from '../lib/secret.ts'
import type { CredentialConfig, MachineCredential, ManagedIdentityEndpoint } from '../outbound/credentials/schema.ts'
import type { Environment } from './environment.ts'
import type { Complaint, Path } from './problem.ts'
import { resolveSecrets } from './resolve-secrets.ts'

/** Without an environment no secret can be revealed. References that lead nowhere are complained of. */
export function withCredentialSecrets<Credential extends CredentialConfig | MachineCredential>(
  credential: Credential,
  at: Path,
  folder: string,
  environment: Environment | undefined,
  complaints: Complaint[],
): Credential {
  const whole = resolveSecrets(credential, at, folder, environment, complaints)
  if (environment === undefined) return whole
  if (whole.kind === 'managed-identity') return { ...whole, ...identityOf(environment) }
  // What is shown as it is must fit into a header field (RFC 9110 section 5.5).
  if (whole.kind === 'static' && whole.secret.isResolved && !/^[\x21-\x7e]+$/.test(whole.secret.reveal()))
    complaints.push({
      path: [...at, 'secret'],
      message: 'refers to something that cannot stand in a header',
      fix: 'keep the key alone there: printable ASCII without spaces',
    })
  return whole
}

/** App Service says where to ask and with what; every other machine has the metadata service. */
function identityOf({ variables }: Environment): { readonly endpoint?: ManagedIdentityEndpoint } {
  const { IDENTITY_ENDPOINT: url, IDENTITY_HEADER: header, AZURE_POD_IDENTITY_AUTHORITY_HOST: host } = variables
  if (url && header && URL.canParse(url))
    return { endpoint: { kind: 'app-service', url, header: new Secret('env:IDENTITY_HEADER', header) } }
  if (host && URL.canParse(host))
    return { endpoint: { kind: 'imds', url: `${host.replace(/\/+$/, '')}/metadata/identity/oauth2/token` } }
  return {}
}
