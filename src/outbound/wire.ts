/**
 * One connection to a server, at the level of messages. A wire knows framing and nothing of eras, sessions or policy;
 * links (legacy-link.ts, modern-link.ts) speak over it.
 */
import type { Queue } from '../lib/queue.ts'
import type { Stop } from '../lib/stop.ts'
import type { Message, Notification, Request, Response } from '../protocol/json-rpc.ts'

export type WireHeaders = Readonly<Record<string, string>>

/**
 * What happened to a response stream itself: it began, or the server let go of it on purpose and will be asked again
 * after `retryMs` (2025-11-25, Resumability). A legacy client sees the same happen to its own.
 */
export type StreamEvent = { readonly kind: 'stream' } | { readonly kind: 'pause'; readonly retryMs: number }

/** What a request brings: mostly the response at once, else a stream of which it is the last. */
export type WireReply = Response | AsyncIterable<Message | StreamEvent>

export interface Wire {
  /** Throws a Refusal, or {@link WireError}. `headers` are derived from the message; a wire without headers ignores them. */
  request(request: Request, headers: WireHeaders, stop: Stop): Promise<WireReply>
  send(message: Notification | Response, headers: WireHeaders): Promise<void>
  /** Messages that belong to no request, until it is stopped or returned. Resolves when they will not be missed any more. */
  events(headers: () => WireHeaders, stop: Stop): Promise<Queue<Message>>
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

/** A wire on which the server may have opened a session (legacy Streamable HTTP). */
export interface SessionWire extends Wire {
  /** The `Mcp-Session-Id` that came with the last response to `initialize`; never shown to anyone. */
  readonly sessionId: string | undefined
  /** Ends the session at the server, where there is one. */
  endSession(headers: WireHeaders): Promise<void>
}
