/**
 * Every reason for which the gateway itself says no: stable code → HTTP status → JSON-RPC code → sentence → how to fix.
 * Codes appear in audit records, metrics and documentation, so a row is never renamed. JSON-RPC codes of our own lie
 * outside -32768…-32000, as 2026-07-28 (basic, Error Codes) asks. A fact in braces is filled in from the refusal.
 */
interface Row {
  readonly http: number
  readonly rpc: number
  readonly says: string
  readonly fix: string
}

export const errors = {
  PARSE: {
    http: 400,
    rpc: -32700,
    says: 'The message is not JSON that can be read in exactly one way: {detail}.',
    fix: 'Send one UTF-8 JSON text without duplicate keys.',
  },
  INVALID_REQUEST: {
    http: 400,
    rpc: -32600,
    says: 'The message is not a JSON-RPC 2.0 message as MCP uses it: {detail}.',
    fix: 'Correct the envelope.',
  },
  INVALID_PARAMS: { http: 400, rpc: -32602, says: 'The parameters are not valid: {detail}.', fix: 'Correct the parameters.' },
  UNKNOWN_METHOD: {
    http: 404,
    rpc: -32601,
    says: 'Method not found: {detail}.',
    fix: 'If it is an extension method, an operator can give it a row under "methods" in the configuration.',
  },
  HEADER_MISMATCH: {
    http: 400,
    rpc: -32020,
    says: 'Header mismatch: {detail}.',
    fix: 'Send the header with the value that the body has.',
  },
  MISSING_CAPABILITY: {
    http: 400,
    rpc: -32021,
    says: 'The server needs a capability that this request did not declare: {detail}.',
    fix: 'Declare it in io.modelcontextprotocol/clientCapabilities.',
  },
  UNSUPPORTED_VERSION: {
    http: 400,
    rpc: -32022,
    says: 'Unsupported protocol version.',
    fix: 'Use one of the versions in data.supported.',
  },
  BODY_TOO_LARGE: {
    http: 413,
    rpc: -32600,
    says: 'The message is larger than {detail} bytes.',
    fix: 'Send less at once, or raise "limits.bodyBytesMax".',
  },
  UNSUPPORTED_MEDIA: {
    http: 415,
    rpc: -32600,
    says: 'The content type must be application/json.',
    fix: 'Send Content-Type: application/json.',
  },
  NOT_ACCEPTABLE: {
    http: 406,
    rpc: -32600,
    says: 'The Accept header must list {detail}.',
    fix: 'Send Accept: application/json, text/event-stream.',
  },
  METHOD_NOT_ALLOWED: {
    http: 405,
    rpc: -32600,
    says: 'This HTTP method is not served here.',
    fix: 'Send messages with POST; GET and DELETE need the Mcp-Session-Id of a session.',
  },
  NOT_FOUND: {
    http: 404,
    rpc: -32600,
    says: 'Nothing is served at this path.',
    fix: 'Use /{server}/mcp, or /mcp for all servers.',
  },
  HOST_REFUSED: {
    http: 403,
    rpc: -31001,
    says: 'The Host header is not one of ours.',
    fix: 'Use the address in "publicUrl" or "listen", or add the host to "allowedHosts".',
  },
  ORIGIN_REFUSED: {
    http: 403,
    rpc: -31002,
    says: 'Requests from this web origin are refused.',
    fix: 'Add the origin to "allowedOrigins" if it is yours.',
  },
  UNAUTHENTICATED: {
    http: 401,
    rpc: -31003,
    says: 'No valid credential came with the request.',
    fix: 'Send Authorization: Bearer with an API key of this gateway.',
  },
  IDENTITY_UNAVAILABLE: {
    http: 503,
    rpc: -31017,
    says: 'Tokens cannot be checked at the moment, because the identity provider does not answer.',
    fix: "Try again in a moment; an operator sees why in the gateway's output.",
  },
  INSUFFICIENT_SCOPE: {
    http: 403,
    rpc: -31018,
    says: 'The token does not go as far as {detail}.',
    fix: 'Sign in again for more: a client that follows the WWW-Authenticate header does it by itself.',
  },
  STEP_UP_NEEDED: {
    http: 401,
    rpc: -31019,
    says: 'A stronger or more recent login is needed for {detail}.',
    fix: 'Sign in again: a client that follows the WWW-Authenticate header does it by itself.',
  },
  SESSION_REQUIRED: {
    http: 400,
    rpc: -32600,
    says: 'This request needs the Mcp-Session-Id that initialize returned.',
    fix: 'Send initialize first.',
  },
  SESSION_UNKNOWN: { http: 404, rpc: -32600, says: 'There is no such session.', fix: 'Send initialize again.' },
  SERVER_UNKNOWN: { http: 404, rpc: -31004, says: 'There is no server "{detail}" here.', fix: 'See "sekisho servers list".' },
  SERVER_DISABLED: {
    http: 503,
    rpc: -31005,
    says: 'The server "{detail}" has been disabled by an operator.',
    fix: 'sekisho servers enable {detail}',
  },
  POLICY_DENIED: { http: 200, rpc: -31006, says: 'Policy does not allow {detail}.', fix: '{fix}' },
  NOT_APPROVED: {
    http: 200,
    rpc: -31040,
    says: 'The {detail} has not been approved here: {cause}.',
    fix: '{fix}',
  },
  DEFINITION_CHANGED: {
    http: 200,
    rpc: -31041,
    says: 'The {detail} is not what was approved: {cause}.',
    fix: '{fix}',
  },
  DEFINITION_REVOKED: {
    http: 200,
    rpc: -31042,
    says: 'The {detail} may not be used: {cause}.',
    fix: '{fix}',
  },
  SERVER_CHANGED: {
    http: 200,
    rpc: -31043,
    says: 'The server "{detail}" is not the one that was approved: {cause}.',
    fix: '{fix}',
  },
  NOT_LISTED: {
    http: 200,
    rpc: -32602,
    says: 'Unknown {detail}: {cause}.',
    fix: 'List again what the server offers, and choose from that.',
  },
  RATE_LIMITED: {
    http: 429,
    rpc: -31007,
    says: 'Too many calls: {detail}.',
    fix: 'Wait {retryAfterS} s and try again, or raise the limit under "limits".',
  },
  GUARD_FAILED: {
    http: 200,
    rpc: -31008,
    says: 'A check could not be completed, so the answer is no ({detail}).',
    fix: 'An operator finds the cause with: sekisho audit trace {exchange}',
  },
  APPROVAL_UNAVAILABLE: {
    http: 200,
    rpc: -31009,
    says: 'A person has to agree to this, and there is no way to ask one yet: {detail}.',
    fix: 'Change the rule that asked for approval.',
  },
  AUDIT_UNAVAILABLE: {
    http: 503,
    rpc: -31010,
    says: 'The audit log cannot be written, so nothing may pass.',
    fix: 'Check disk space and permissions of the folder in "audit.path".',
  },
  SERVER_NOT_ADMITTED: {
    http: 503,
    rpc: -31040,
    says: 'The server "{detail}" is not started, because it is not what was locked: {cause}.',
    fix: 'An operator reviews the change, and then runs: sekisho supply lock {detail}',
  },
  UPSTREAM_UNAVAILABLE: {
    http: 502,
    rpc: -31011,
    says: 'The server "{detail}" cannot be reached.',
    fix: "An operator sees why in the gateway's output.",
  },
  UPSTREAM_INVALID: {
    http: 502,
    rpc: -31012,
    says: 'The server answered with something that is not MCP: {detail}.',
    fix: 'An operator finds the cause with: sekisho audit trace {exchange}',
  },
  UPSTREAM_TIMEOUT: {
    http: 504,
    rpc: -31013,
    says: 'The server did not answer in {detail} ms.',
    fix: 'Try again, or raise "requestTimeoutMs" or "requestTimeoutMsMax" of the server.',
  },
  RESULT_TOO_LARGE: {
    http: 200,
    rpc: -31014,
    says: 'The result is larger than {detail} bytes.',
    fix: 'Ask for less, or raise "limits.resultBytesMax".',
  },
  CREDENTIAL_NEEDED: {
    http: 200,
    rpc: -31030,
    says: 'You have not yet allowed the gateway to use the server "{detail}" for you.',
    fix: 'Open {connect} in a browser, agree, and try again.',
  },
  CREDENTIAL_SUBJECT: {
    http: 403,
    rpc: -31031,
    says: 'The server "{detail}" is used on behalf of a person, and you came without a token that could be exchanged for one of its own.',
    fix: 'Sign in through the identity provider that the server trusts.',
  },
  CREDENTIAL_UNAVAILABLE: {
    http: 503,
    rpc: -31032,
    says: 'There is no credential for the server "{detail}": {cause}.',
    fix: 'Try again in {retryAfterS} s. If that does not help, an operator checks "credential" of the server.',
  },
  CREDENTIAL_REFUSED: {
    http: 502,
    rpc: -31033,
    says: 'The server "{detail}" does not accept the credential of the gateway: {cause}.',
    fix: 'An operator checks "credential" of the server: for what it is valid, and which scopes it has.',
  },
  CLAIMS_REQUIRED: {
    http: 401,
    rpc: -31034,
    says: 'The identity provider wants more of you before the server "{detail}" may be used.',
    fix: 'Sign in again, with the claims in the challenge.',
  },
  CONNECT_REFUSED: {
    http: 400,
    rpc: -31035,
    says: 'The browser came back with something that is not accepted: {detail}.',
    fix: 'Begin again.',
  },
  STATE_REFUSED: {
    http: 400,
    rpc: -32602,
    says: 'The requestState is not one that was given to you for this request, or it has expired.',
    fix: 'Start the request again without requestState.',
  },
  CANCELLED: { http: 200, rpc: -31015, says: 'The request was cancelled.', fix: 'Nothing to do.' },
  SHUTTING_DOWN: { http: 503, rpc: -31016, says: 'The gateway is shutting down.', fix: 'Try again in a moment.' },
  INTERNAL: {
    http: 500,
    rpc: -32603,
    says: 'The gateway failed; nothing was forwarded after that.',
    fix: 'An operator finds the cause with: sekisho audit trace {exchange}',
  },
} as const satisfies Record<string, Row>

export type RefusalCode = keyof typeof errors

export type Facts = Readonly<Record<string, string | number>>

/** Other braces stay: `/{server}/mcp` is a path as the documentation writes it. */
const factNames = /\{(detail|fix|exchange|retryAfterS|connect|cause)\}/g

/** The row of `code` with the facts filled in. */
export function explain(code: RefusalCode, facts: Facts): Row {
  const { http, rpc, says, fix }: Row = errors[code]
  const fill = (text: string): string => text.replace(factNames, (_, key: string) => String(facts[key] ?? 'unknown'))
  return { http, rpc, says: fill(says), fix: facts['fix'] === undefined ? fill(fix) : sentence(String(facts['fix'])) }
}

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}`
