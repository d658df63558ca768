/** The library's door: `Request → Response`, the same endpoint without a socket. */
import { Stop } from '../lib/stop.ts'
import { Refusal } from '../pipeline/refusal.ts'
import { type Departure, type Outlet, onlyOnce } from './arrival.ts'
import type { Endpoint } from './endpoint.ts'

/** Answers one request. The stream of the response ends, and the exchange is cancelled, when the caller lets it go. */
export function answerFetch(endpoint: Endpoint, request: Request): Promise<Response> {
  return new Promise((resolve) => {
    const gone = new Stop()
    request.signal.addEventListener('abort', () => gone.stop(new Refusal('CANCELLED')), { once: true })
    const url = new URL(request.url)
    const headers: Record<string, string> = Object.create(null)
    request.headers.forEach((value, name) => {
      headers[name] = value
    })
    headers['host'] ??= url.host
    const duplicated = [...onlyOnce].find((name) => name !== 'accept' && headers[name]?.includes(', '))
    const body = async (bytesMax: number): Promise<Buffer> => {
      const chunks: Uint8Array[] = []
      let size = 0
      for await (const chunk of request.body ?? []) {
        size += chunk.length
        if (size > bytesMax) throw new Refusal('BODY_TOO_LARGE', { detail: bytesMax })
        chunks.push(chunk)
      }
      return Buffer.concat(chunks)
    }
    void endpoint.answer(
      {
        door: 'library',
        method: request.method,
        path: url.pathname,
        query: url.search.slice(1),
        headers,
        duplicated,
        remote: undefined,
        certificateThumbprint: () => undefined,
        body,
      },
      departure(resolve, gone),
    )
  })
}

function departure(resolve: (response: Response) => void, gone: Stop): Departure {
  return {
    gone,
    send: (status, headers, body) =>
      void resolve(new Response(status === 202 || status === 204 ? null : (body ?? ''), { status, headers })),
    open(headers) {
      const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>(undefined, undefined, { highWaterMark: 64 })
      const writer = writable.getWriter()
      writer.closed.catch(() => gone.stop(new Refusal('CANCELLED')))
      resolve(new Response(readable, { status: 200, headers }))
      return outlet(writer)
    },
  }
}

function outlet(writer: WritableStreamDefaultWriter<Uint8Array>): Outlet {
  const encoder = new TextEncoder()
  return {
    write(text) {
      writer.write(encoder.encode(text)).catch(() => undefined)
      return (writer.desiredSize ?? 0) > 0 ? undefined : writer.ready.catch(() => undefined)
    },
    end: () => void writer.close().catch(() => undefined),
    drop: () => void writer.abort().catch(() => undefined),
  }
}
