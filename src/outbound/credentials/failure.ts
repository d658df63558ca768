/** Why there is no credential, in words that lead to whoever can change it. None of them repeats what a stranger wrote. */
import { FetchRefused } from '../../lib/fetch-refused.ts'
import { Refusal } from '../../pipeline/refusal.ts'

/** What an authorization server, or the way to it, answered instead of a token (RFC 6749 section 5.2). */
export class TokenRefused extends Error {
  override readonly name = 'TokenRefused'
  readonly error: string
  /** Worth asking again later, without anybody doing something. */
  readonly isPassing: boolean
  readonly retryAfterMs: number | undefined
  /** JSON, as Entra sends it with `interaction_required`. */
  readonly claims: string | undefined
  /** For the operator alone: where a stranger's URL led to, which a caller could use to look around in our network. */
  readonly detail: string | undefined
  constructor(
    error: string,
    says: string,
    more: {
      readonly isPassing?: boolean
      readonly retryAfterMs?: number | undefined
      readonly claims?: string | undefined
      readonly detail?: string | undefined
    } = {},
  ) {
    super(says)
    this.error = error
    this.isPassing = more.isPassing ?? false
    this.retryAfterMs = more.retryAfterMs
    this.claims = more.claims
    this.detail = more.detail
  }
}

/** What a fetch rejected with. */
export const unreachable =
  (says: string) =>
  (error: unknown): never => {
    const detail = error instanceof FetchRefused ? `${error.message}; ${error.fix}` : undefined
    throw new TokenRefused('unreachable', says, { isPassing: true, detail })
  }

/** What an operator reads of it. */
export function loggable(error: unknown): string {
  if (!(error instanceof TokenRefused)) return 'its token could not be had'
  return error.detail === undefined ? error.message : `${error.message}: ${error.detail}`
}

/** There is none to be had: an operator has to look. */
export const unavailable = (server: string, cause: string, retryAfterS = 30): Refusal =>
  new Refusal('CREDENTIAL_UNAVAILABLE', { detail: server, cause, retryAfterS })

/** What went wrong on the way to a token, as the caller may read it. The cause is for the operator's log. */
export function explained(server: string, error: unknown): Refusal {
  if (error instanceof Refusal) return error
  if (!(error instanceof TokenRefused)) return unavailable(server, 'it could not be had')
  if (error.claims !== undefined)
    return new Refusal('CLAIMS_REQUIRED', { detail: server, claims: Buffer.from(error.claims).toString('base64') })
  return unavailable(server, error.message, error.retryAfterMs === undefined ? 30 : Math.ceil(error.retryAfterMs / 1000))
}
