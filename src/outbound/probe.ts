/**
 * Does a server speak the modern era? Asked once with `server/discover`, over a connection of its own: a legacy server on
 * stdio may exit at a request before `initialize` (2026-07-28 versioning, Backward Compatibility). Only an answer is
 * evidence; a server that cannot be reached, or wants credentials, stays unknown.
 */
import { inTime } from '../lib/stop.ts'
import { implementation } from '../lib/version.ts'
import { Refusal } from '../pipeline/refusal.ts'
import type { Message } from '../protocol/json-rpc.ts'
import { requestHeaders } from '../protocol/revisions/2026-07-28/headers.ts'
import { metaKeys } from '../protocol/revisions/2026-07-28/meta.ts'
import { type Era, modern } from '../protocol/revisions/index.ts'
import type { ServerConfig } from './schema.ts'
import { type Wire, WireError } from './wire.ts'

export interface ProbeOptions {
  readonly id: string
  readonly config: ServerConfig
  open(era: Era): Promise<Wire>
}

const answerWithinMs = 5000
/** Errors that only a modern server sends. */
const modernErrors: readonly unknown[] = [-32020, -32021, -32022]

export async function speaksModern({ id, config, open }: ProbeOptions): Promise<boolean> {
  const wire = await open('modern')
  const params = {
    _meta: {
      [metaKeys.protocolVersion]: modern.version,
      [metaKeys.clientCapabilities]: {},
      [metaKeys.clientInfo]: implementation,
    },
  }
  const method = 'server/discover'
  try {
    const headers = requestHeaders(modern.version, method, undefined, params, [])
    return await inTime(
      Math.min(answerWithinMs, config.requestTimeoutMs),
      () => new Refusal('UPSTREAM_UNAVAILABLE', { detail: id }),
      async (stop) => {
        const reply = await wire.request({ kind: 'request', id: 'probe', method, params }, headers, stop)
        if ('kind' in reply) return isModern(reply)
        for await (const message of reply) if (message.kind === 'response') return isModern(message)
        return false
      },
    )
  } catch (error) {
    if (error instanceof WireError && (error.status === 401 || error.status === 403 || error.status >= 500)) throw error
    if (config.kind === 'http' && error instanceof Refusal) throw error
    return false
  } finally {
    await wire.close()
  }
}

function isModern(message: Message & { kind: 'response' }): boolean {
  const { outcome, body } = message
  if (outcome === 'error') return modernErrors.includes(body['code'])
  return Array.isArray(body['supportedVersions']) && body['supportedVersions'].includes(modern.version)
}
