/**
 * OpenID Connect discovery documents as Entra writes them. What is absent matters as much: no registration endpoint, no
 * `code_challenge_methods_supported`, no client id metadata documents, no `iss` in authorization responses.
 */
export interface Issuers {
  /** With `{tenantid}`, and a slash at the end. */
  readonly v1: string
  /** With `{tenantid}`. */
  readonly v2: string
}

export const issuerFor = (issuers: Issuers, version: 1 | 2, tenant: string): string =>
  (version === 1 ? issuers.v1 : issuers.v2).replace('{tenantid}', tenant)

/** `tenant` is the GUID, or `{tenantid}` for `common` and `organizations`; `segment` is what the caller wrote in the path. */
export function metadata(
  url: string,
  segment: string,
  tenant: string,
  version: 1 | 2,
  issuers: Issuers,
): Record<string, unknown> {
  const base = `${url}/${segment}`
  const oauth = version === 1 ? `${base}/oauth2` : `${base}/oauth2/v2.0`
  return {
    token_endpoint: `${oauth}/token`,
    token_endpoint_auth_methods_supported: ['client_secret_post', 'private_key_jwt', 'client_secret_basic'],
    jwks_uri: version === 1 ? `${url}/common/discovery/keys` : `${base}/discovery/v2.0/keys`,
    response_modes_supported: ['query', 'fragment', 'form_post'],
    subject_types_supported: ['pairwise'],
    id_token_signing_alg_values_supported: ['RS256'],
    response_types_supported: ['code', 'id_token', 'code id_token', version === 1 ? 'token id_token' : 'id_token token'],
    scopes_supported: version === 1 ? ['openid'] : ['openid', 'profile', 'email', 'offline_access'],
    issuer: issuerFor(issuers, version, tenant),
    request_uri_parameter_supported: false,
    userinfo_endpoint: version === 1 ? `${base}/openid/userinfo` : `${url}/oidc/userinfo`,
    authorization_endpoint: `${oauth}/authorize`,
    device_authorization_endpoint: `${oauth}/devicecode`,
    http_logout_supported: true,
    frontchannel_logout_supported: true,
    end_session_endpoint: `${oauth}/logout`,
    claims_supported: [
      ...['sub', 'iss', 'cloud_instance_name', 'cloud_instance_host_name', 'cloud_graph_host_name', 'msgraph_host'],
      ...['aud', 'exp', 'iat', 'auth_time', 'acr', 'nonce', 'preferred_username', 'name', 'tid', 'ver', 'at_hash', 'c_hash'],
      'email',
    ],
    tenant_region_scope: tenant === '{tenantid}' ? null : 'EU',
    cloud_instance_name: 'microsoftonline.com',
    cloud_graph_host_name: 'graph.windows.net',
    msgraph_host: 'graph.microsoft.com',
    rbac_url: 'https://pas.windows.net',
  }
}
