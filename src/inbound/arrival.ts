/** An HTTP request and the way to answer it, as every door brings them: a socket (listener.ts) or a function call (fetch.ts). */
import type { Stop } from '../lib/stop.ts'
import type { Headers } from '../protocol/revisions/2026-07-28/headers.ts'

export interface Arrival {
  readonly door: 'http' | 'library'
  readonly method: string
  /** The path as it came: not decoded, not normalised. */
  readonly path: string
  /** What follows the `?`, as it came. */
  readonly query: string
  readonly headers: Headers
  /** The first header that came twice and must not, if any. */
  readonly duplicated: string | undefined
  readonly remote: string | undefined
  /** Base64url of the SHA-256 of the client's TLS certificate, where there is one (RFC 8705). */
  certificateThumbprint(): string | undefined
  /** Throws BODY_TOO_LARGE. */
  body(bytesMax: number): Promise<Buffer>
}

export interface Departure {
  /** Undefined when it is on its way, else a promise of when it has been taken, or was given up. */
  send(status: number, headers: Readonly<Record<string, string>>, body?: string): Promise<undefined> | undefined
  /** Begins an event stream. */
  open(headers: Readonly<Record<string, string>>): Outlet
  /** Stopped when the other side went away before the end. */
  readonly gone: Stop
}

export interface Outlet {
  /** Undefined while the other side keeps up, else a promise of when it has. */
  write(text: string): Promise<void> | undefined
  end(): void
  /** Ends it at once: what has not been read is not sent. */
  drop(): void
}

/** Headers of which a second one could make two readers disagree about the request. */
export const onlyOnce: ReadonlySet<string> = new Set([
  ...['authorization', 'host', 'origin', 'content-type', 'content-length', 'transfer-encoding', 'accept'],
  ...['mcp-protocol-version', 'mcp-method', 'mcp-name', 'mcp-session-id', 'last-event-id'],
])
