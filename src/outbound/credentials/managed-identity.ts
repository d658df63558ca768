/**
 * The identity that Azure gives a machine: from its instance metadata service, or from App Service. The address is
 * link-local by nature and known beforehand, so it is asked here, by a request that can reach nothing else, and never by
 * the fetch for addresses that come from outside.
 */
import { request } from 'undici'
import type { Clock } from '../../lib/clock.ts'
import { TokenRefused } from './failure.ts'
import type { ManagedIdentity, ManagedIdentityEndpoint } from './schema.ts'
import { type Tokens, tokensOf } from './token-endpoint.ts'

export const imdsUrl = 'http://169.254.169.254/metadata/identity/oauth2/token'
const answerMsMax = 10_000
const answerBytesMax = 65_536

/** Azure, "How to use managed identities to acquire an access token"; every number in the answer is a string. */
export async function obtainManaged({ resource, clientId, endpoint }: ManagedIdentity, clock: Clock): Promise<Tokens> {
  const at: ManagedIdentityEndpoint = endpoint ?? { kind: 'imds', url: imdsUrl }
  const url = new URL(at.url)
  url.searchParams.set('api-version', at.kind === 'imds' ? '2018-02-01' : '2019-08-01')
  url.searchParams.set('resource', resource)
  if (clientId !== undefined) url.searchParams.set('client_id', clientId)
  const headers = at.kind === 'imds' ? { metadata: 'true' } : { 'x-identity-header': at.header.reveal() }
  const answer = await ask(url, headers)
  const onDate = Number(answer['expires_on']) // App Service gives the date alone
  const lifeS = answer['expires_in'] ?? (Number.isFinite(onDate) ? onDate - Math.floor(clock.now() / 1000) : undefined)
  return tokensOf({ token_type: 'Bearer', ...answer, expires_in: lifeS }, clock.now())
}

async function ask(url: URL, headers: Record<string, string>): Promise<Record<string, unknown>> {
  try {
    const options = {
      method: 'GET',
      headers,
      headersTimeout: answerMsMax,
      bodyTimeout: answerMsMax,
      signal: AbortSignal.timeout(answerMsMax),
    } as const
    const { statusCode, body } = await request(url, options)
    let text = ''
    for await (const chunk of body) {
      text += String(chunk)
      if (text.length > answerBytesMax)
        throw new TokenRefused('invalid_answer', 'the managed identity endpoint answered with too much')
    }
    if (statusCode !== 200)
      throw new TokenRefused(`http_${statusCode}`, `the managed identity endpoint answered HTTP ${statusCode}`, {
        isPassing: [404, 410, 429].includes(statusCode) || statusCode >= 500,
      })
    return JSON.parse(text) as Record<string, unknown>
  } catch (error) {
    if (error instanceof TokenRefused) throw error
    if (error instanceof SyntaxError)
      throw new TokenRefused('invalid_answer', 'the managed identity endpoint did not answer with JSON')
    throw new TokenRefused('unreachable', 'the managed identity endpoint cannot be reached', { isPassing: true })
  }
}
