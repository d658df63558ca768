/**
 * A wire over one channel that everything shares (stdio, HTTP+SSE of 2024-11-05): finds out which request a message
 * belongs to. Progress tokens and subscription ids are request ids of ours, so they say it themselves; a question or a
 * log line that says nothing is taken to belong to the latest call under way.
 */
import { Queue } from '../lib/queue.ts'
import type { Message, Notification, Request, RequestId, Response } from '../protocol/json-rpc.ts'
import { metaKeys, metaOf } from '../protocol/revisions/2026-07-28/meta.ts'
import type { Wire, WireRequest } from './wire.ts'

const eventsKept = 256

export abstract class DuplexWire implements Wire {
  readonly #pending = new Map<RequestId, { queue: Queue<Message>; method: string }>()
  readonly #listeners = new Set<Queue<Message>>()
  readonly #unheard: Message[] = []
  #failure: Error | undefined
  abstract readonly closed: Promise<void>
  protected abstract write(message: Message): Promise<void>
  abstract close(): Promise<void>

  async *request(request: Request, { signal }: WireRequest): AsyncGenerator<Message> {
    if (this.#failure) throw this.#failure
    const queue = new Queue<Message>()
    this.#pending.set(request.id, { queue, method: request.method })
    const stop = (): void => queue.end(signal.reason)
    signal.addEventListener('abort', stop, { once: true })
    try {
      signal.throwIfAborted()
      await this.write(request)
      for await (const message of queue) {
        yield message
        if (message.kind === 'response') return
      }
    } finally {
      signal.removeEventListener('abort', stop)
      this.#pending.delete(request.id)
    }
  }

  async send(message: Notification | Response): Promise<void> {
    if (this.#failure) throw this.#failure
    await this.write(message)
  }

  async events(_headers: unknown, signal: AbortSignal): Promise<AsyncIterable<Message>> {
    const queue = new Queue<Message>()
    for (const message of this.#unheard.splice(0)) queue.push(message)
    this.#listeners.add(queue)
    const stop = (): void => {
      this.#listeners.delete(queue)
      queue.end()
    }
    signal.addEventListener('abort', stop, { once: true })
    if (signal.aborted || this.#failure) stop()
    return queue
  }

  /** Hands a message that arrived to whom it belongs. */
  protected arrived(message: Message): void {
    const owner = this.#ownerOf(message)
    if (owner) owner.push(message)
    else if (message.kind !== 'response') this.#publish(message)
  }

  /** What arrived cannot be relayed: the request it seems to answer fails now, instead of waiting for its timeout. */
  protected unreadable(text: string, error: unknown): void {
    try {
      const id = (JSON.parse(text) as { id?: RequestId } | null)?.id
      if (id !== undefined) this.#pending.get(id)?.queue.end(error)
    } catch {
      // not JSON at all, so no answer to anything
    }
  }

  /** The channel is gone: every request under way fails with `error`. */
  protected failed(error: Error): void {
    this.#failure = error
    for (const { queue } of this.#pending.values()) queue.end(error)
    for (const queue of this.#listeners) queue.end()
  }

  #ownerOf(message: Message): Queue<Message> | undefined {
    if (message.kind === 'response') return message.id === undefined ? undefined : this.#pending.get(message.id)?.queue
    const { params } = message
    const named = message.method === 'notifications/progress' ? params['progressToken'] : metaOf(params)[metaKeys.subscriptionId]
    if (named !== undefined) return this.#pending.get(named as RequestId)?.queue
    return message.kind === 'request' || message.method === 'notifications/message' ? this.#latestCall() : undefined
  }

  #latestCall(): Queue<Message> | undefined {
    let latest: Queue<Message> | undefined
    for (const { queue, method } of this.#pending.values()) if (method !== 'subscriptions/listen') latest = queue
    return latest
  }

  /** Without a listener, the latest messages wait for one: a question must not be lost because a stream opens a moment later. */
  #publish(message: Message): void {
    for (const queue of this.#listeners) queue.push(message)
    if (this.#listeners.size > 0) return
    this.#unheard.push(message)
    if (this.#unheard.length > eventsKept) this.#unheard.shift()
  }
}
