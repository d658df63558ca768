/**
 * A transport that shows a credential with every request: POST, GET and DELETE alike, to the server it was made for and to
 * nothing else, because a transport follows no redirect and knows no other origin.
 */
import { unlessStopped } from '../../lib/stop.ts'
import { Refusal } from '../../pipeline/refusal.ts'
import type { HttpRequest, HttpResponse, Transport } from '../http/transport.ts'
import { challengeOf } from './challenge.ts'
import type { Credential } from './credential.ts'

/** One for a token that ran out, one for a scope that was missing; a server that is still not content is not asked again. */
const renewalsMax = 2

/** Throws a Refusal where there is no credential to be had, or the server accepts none. */
export function credentialed(transport: Transport, credential: Credential, server: string): Transport {
  async function send(request: HttpRequest, path?: string): Promise<HttpResponse> {
    const seen = new Set<number>()
    for (;;) {
      const held = credential.show()
      const shown = held instanceof Promise ? await unlessStopped(request.stop, held) : held
      const response = await transport.send({ ...request, headers: { ...request.headers, ...shown.headers } }, path)
      const challenge = challengeOf(response)
      if (challenge === undefined) return response
      response.discard()
      const isNew = !seen.has(challenge.status) && seen.size < renewalsMax
      seen.add(challenge.status)
      if (!isNew || !(await unlessStopped(request.stop, credential.renew(shown, challenge))))
        throw new Refusal('CREDENTIAL_REFUSED', { detail: server, cause: `it answered HTTP ${challenge.status}` })
    }
  }
  return { send, close: () => transport.close() }
}
