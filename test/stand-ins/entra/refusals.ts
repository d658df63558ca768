/**
 * The AADSTS codes that the stand-in answers with: one table, and the two shapes they travel in. Codes and their OAuth
 * errors are public (learn.microsoft.com, "Microsoft Entra authentication and authorization error codes"); the sentences are
 * Entra's in substance, for people who search for them.
 */
import { randomUUID } from 'node:crypto'
import { json, type Reply } from '../listener.ts'

type Row = readonly [error: string, status: number, text: string, suberror?: string]

const rows = {
  50011: [
    'invalid_request',
    400,
    "The redirect URI '{0}' specified in the request does not match the redirect URIs configured for the application '{1}'.",
  ],
  50013: ['invalid_grant', 400, 'Assertion failed signature validation. [Reason - {0}]'],
  50034: ['invalid_grant', 400, 'The user account {0} does not exist in the {1} directory.'],
  50057: ['invalid_grant', 400, 'The user account is disabled.'],
  50058: ['login_required', 400, 'A silent sign-in request was sent but no user is signed in.'],
  50059: [
    'invalid_request',
    400,
    'No tenant-identifying information found in either the request or implied by any provided credentials.',
  ],
  50076: [
    'interaction_required',
    400,
    "Due to a configuration change made by your administrator, or because you moved to a new location, you must use multi-factor authentication to access '{0}'.",
    'basic_action',
  ],
  50173: [
    'invalid_grant',
    400,
    "The provided grant has expired due to it being revoked, a fresh auth token is needed. The grant was issued on '{0}' and the TokensValidFrom date (before which tokens are not valid) for this user is '{1}'.",
    'bad_token',
  ],
  50194: [
    'invalid_request',
    400,
    "Application '{0}'({1}) is not configured as a multi-tenant application. Usage of the /common endpoint is not supported for such apps.",
  ],
  53003: [
    'invalid_grant',
    400,
    'Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.',
    'message_only',
  ],
  54005: [
    'invalid_grant',
    400,
    'OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing refresh token.',
  ],
  65001: [
    'invalid_grant',
    400,
    "The user or administrator has not consented to use the application with ID '{0}' named '{1}'. Send an interactive authorization request for this user and resource.",
    'consent_required',
  ],
  65004: ['access_denied', 400, 'User declined to consent to access the app.'],
  70000: ['invalid_grant', 400, "The provided value for the input parameter '{0}' is not valid."],
  70003: ['unsupported_grant_type', 400, "The app requested an unsupported grant type '{0}'."],
  70007: ['unsupported_response_mode', 400, "'{0}' is not a supported value of 'response_mode' when requesting a token."],
  70008: [
    'invalid_grant',
    400,
    'The provided authorization code or refresh token has expired due to inactivity. Send a new interactive authorization request for this user and resource.',
  ],
  70011: [
    'invalid_scope',
    400,
    "The provided request must include a 'scope' input parameter. The provided value for the input parameter 'scope' is not valid. The scope {0} is not valid.",
  ],
  28000: [
    'invalid_request',
    400,
    'Provided value for the input parameter scope is not valid because it contains more than one resource. Scope {0} is not valid.',
  ],
  90002: [
    'invalid_request',
    400,
    "Tenant '{0}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud.",
  ],
  240002: ['invalid_grant', 400, "Input id_token cannot be used as 'urn:ietf:params:oauth:grant-type:jwt-bearer' grant."],
  500011: ['invalid_resource', 400, 'The resource principal named {0} was not found in the tenant named {1}.'],
  500112: [
    'invalid_client',
    400,
    "The reply address '{0}' does not match the reply address '{1}' provided when requesting Authorization code.",
  ],
  500131: [
    'invalid_grant',
    400,
    "Assertion audience does not match the Client app presenting the assertion. The audience in the assertion was '{0}' and the expected audience is '{1}' or one of the Application Uris of this application.",
  ],
  500133: [
    'invalid_grant',
    400,
    'Assertion is not within its valid time range. Ensure that the access token is not expired before using it for user assertion, or request a new token.',
  ],
  501051: ['invalid_grant', 400, "Application '{0}'({1}) is not assigned to a role for the application '{2}'({3})."],
  501481: ['invalid_grant', 400, 'The Code_Verifier does not match the code_challenge supplied in the authorization request.'],
  501491: ['invalid_request', 400, 'Invalid size of Code_Challenge parameter.'],
  650053: [
    'invalid_client',
    400,
    "The application '{0}' asked for scope '{1}' that doesn't exist on the resource '{2}'. Contact the app vendor.",
  ],
  700016: [
    'unauthorized_client',
    400,
    "Application with identifier '{0}' was not found in the directory '{1}'. You may have sent your authentication request to the wrong tenant.",
  ],
  700021: ['invalid_client', 401, "Client assertion application identifier doesn't match 'client_id' parameter."],
  700023: ['invalid_client', 401, 'Client assertion audience claim does not match Realm issuer.'],
  700024: ['invalid_client', 401, 'Client assertion is not within its valid time range.'],
  700025: ['invalid_client', 401, "Client is public so neither 'client_assertion' nor 'client_secret' should be presented."],
  700027: [
    'invalid_client',
    401,
    'Client assertion failed signature validation: the certificate used to sign it is not registered on the application.',
  ],
  700054: ['unsupported_response_type', 400, "response_type '{0}' is not enabled for the application."],
  700082: [
    'invalid_grant',
    400,
    'The refresh token has expired due to inactivity. The token was issued on {0} and was inactive for {1}.',
    'bad_token',
  ],
  700084: [
    'invalid_grant',
    400,
    'The refresh token was issued to a single page app (SPA), and therefore has a fixed, limited lifetime of 1.00:00:00, which can not be extended. It is now expired and a new sign in request must be sent by the SPA to the sign in page. The token was issued on {0}.',
    'bad_token',
  ],
  700211: ['invalid_client', 401, "No matching federated identity record found for presented assertion issuer '{0}'."],
  700212: ['invalid_client', 401, "No matching federated identity record found for presented assertion audience '{0}'."],
  700213: ['invalid_client', 401, "No matching federated identity record found for presented assertion subject '{0}'."],
  900144: ['invalid_request', 400, "The request body must contain the following parameter: '{0}'."],
  900561: ['invalid_request', 400, 'The endpoint only accepts POST requests. Received a {0} request.'],
  901002: ['invalid_request', 400, "The 'resource' request parameter is not supported."],
  1002012: [
    'invalid_scope',
    400,
    'The provided value for scope {0} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).',
  ],
  7000114: ['invalid_grant', 400, "Application '{0}' is not allowed to make application on-behalf-of calls."],
  7000215: [
    'invalid_client',
    401,
    "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '{0}'.",
  ],
  7000218: [
    'invalid_client',
    401,
    "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
  ],
  9000411: ['invalid_request', 400, "The request is not properly formatted. The parameter '{0}' is duplicated."],
  9002325: ['invalid_request', 400, 'Proof Key for Code Exchange is required for cross-origin authorization code redemption.'],
  9002326: [
    'invalid_request',
    400,
    "Cross-origin token redemption is permitted only for the 'Single-Page Application' client-type. Request origin: '{0}'.",
  ],
  9002327: [
    'invalid_request',
    400,
    "Tokens issued for the 'Single-Page Application' client-type may only be redeemed via cross-origin requests.",
  ],
  9010010: ['invalid_target', 400, "The resource parameter provided in the request doesn't match with the requested scopes."],
} as const satisfies Record<number, Row>

export type Code = keyof typeof rows

/** A refusal of Entra. Thrown, so that every step of a flow can be a plain line. */
export class Refused extends Error {
  override readonly name = 'Refused'
  readonly code: Code
  readonly error: string
  readonly status: number
  readonly suberror: string | undefined
  /** What has to be asked for next time, as JSON (claims challenge). */
  readonly claims: string | undefined

  constructor(code: Code, values: readonly string[] = [], claims?: string) {
    const [error, status, text, suberror]: Row = rows[code]
    super(`AADSTS${code}: ${text.replace(/\{(\d)\}/g, (_, index: string) => values[Number(index)] ?? '')}`)
    this.code = code
    this.error = error
    this.status = status
    this.suberror = suberror
    this.claims = claims
  }
}

export const refuse = (code: Code, ...values: readonly string[]): never => {
  throw new Refused(code, values)
}

/** The members of an error, the same for a body and for the log that a support engineer would ask for. */
export function described(refused: Refused, nowMs: number, correlation: string = randomUUID()): Record<string, unknown> {
  const timestamp = `${new Date(nowMs).toISOString().slice(0, 19).replace('T', ' ')}Z`
  const trace = randomUUID()
  return {
    error: refused.error,
    error_description: `${refused.message}\r\nTrace ID: ${trace}\r\nCorrelation ID: ${correlation}\r\nTimestamp: ${timestamp}`,
    error_codes: [refused.code],
    timestamp,
    trace_id: trace,
    correlation_id: correlation,
    error_uri: `https://login.microsoftonline.com/error?code=${refused.code}`,
    suberror: refused.suberror,
    claims: refused.claims,
  }
}

export const refusalReply = (refused: Refused, nowMs: number, correlation?: string): Reply =>
  json(described(refused, nowMs, correlation), refused.status)
