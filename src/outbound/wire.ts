/**
 * One connection to a server, at the level of messages. A wire knows framing and nothing of eras, sessions or policy;
 * links (legacy-link.ts, modern-link.ts) speak over it.
 */
import type { Message, Notification, Request, Response } from '../protocol/json-rpc.ts'

/**
 * What happened to a response stream itself: it began, or the server let go of it on purpose and will be asked again
 * after `retryMs` (2025-11-25, Resumability). A legacy client sees the same happen to its own.
 */
export type StreamEvent = { readonly kind: 'stream' } | { readonly kind: 'pause'; readonly retryMs: number }

export interface WireRequest {
  /** HTTP headers of the protocol, derived from the message; a wire without headers ignores them. */
  readonly headers: Readonly<Record<string, string>>
  readonly signal: AbortSignal
}

export interface Wire {
  /** Sends a request and yields what belongs to it, the response last. Throws a Refusal, or {@link WireError}. */
  request(request: Request, options: WireRequest): AsyncIterable<Message | StreamEvent>
  send(message: Notification | Response, headers: Readonly<Record<string, string>>): Promise<void>
  /** Messages that belong to no request, until the signal. Resolves when they will not be missed any more. */
  events(headers: () => Readonly<Record<string, string>>, signal: AbortSignal): Promise<AsyncIterable<Message>>
  /** Settles when the connection is gone; never rejects. */
  readonly closed: Promise<void>
  close(): Promise<void>
}

/** What an HTTP server answered instead of a message: evidence for era detection and lost sessions. */
export class WireError extends Error {
  override readonly name = 'WireError'
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/** The response headers a link may ask a wire about. */
export interface SessionWire extends Wire {
  /** The `Mcp-Session-Id` that came with the last response to `initialize`; never shown to anyone. */
  readonly sessionId: string | undefined
  /** Ends the session at the server, where there is one. */
  endSession(headers: Readonly<Record<string, string>>): Promise<void>
}
