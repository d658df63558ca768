/**
 * A wire over one channel that everything shares (stdio, HTTP+SSE of 2024-11-05): finds out which request a message
 * belongs to. Progress tokens and subscription ids are request ids of ours, so they say it themselves; a question or a
 * log line that says nothing is taken to belong to the latest call under way.
 */
import { Queue } from '../lib/queue.ts'
import type { Stop } from '../lib/stop.ts'
import { Refusal } from '../pipeline/refusal.ts'
import type { Message, Notification, Request, RequestId, Response } from '../protocol/json-rpc.ts'
import { metaKeys, metaOf } from '../protocol/revisions/2026-07-28/meta.ts'
import { Listeners } from './listeners.ts'
import type { Wire, WireHeaders, WireReply } from './wire.ts'

/** What may wait for a reader that does not keep up. */
const waitingBytesMax = 32 * 1024 * 1024

/** A request that has not been answered: what came for it so far, if anything but the response did. */
interface Pending {
  readonly method: string
  resolve(reply: WireReply): void
  reject(error: unknown): void
  queue: Queue<Message> | undefined
}

export abstract class DuplexWire implements Wire {
  readonly #pending = new Map<RequestId, Pending>()
  readonly #listeners = new Listeners()
  #failure: Error | undefined
  abstract readonly closed: Promise<void>
  /** True where more than one caller uses this channel: then nothing is guessed about whom a message is for. */
  protected abstract readonly shared: boolean
  protected abstract write(message: Message): Promise<void> | undefined
  abstract close(): Promise<void>

  request(request: Request, _headers: WireHeaders, stop: Stop): Promise<WireReply> {
    return new Promise((resolve, reject) => {
      if (this.#failure) return reject(this.#failure)
      if (stop.stopped) return reject(stop.reason)
      this.#pending.set(request.id, { method: request.method, resolve, reject, queue: undefined })
      stop.onStop(() => this.#fail(request.id, stop.reason))
      this.write(request)?.catch((error: unknown) => this.#fail(request.id, error))
    })
  }

  async send(message: Notification | Response): Promise<void> {
    if (this.#failure) throw this.#failure
    await this.write(message)
  }

  async events(_headers: unknown, stop: Stop): Promise<Queue<Message>> {
    return this.#listeners.listen(stop)
  }

  /** Hands a message of so many bytes to whom it belongs. */
  protected arrived(message: Message, bytes: number): void {
    const [id, pending] = this.#ownerOf(message)
    if (pending === undefined) return this.#unowned(message, bytes)
    if (message.kind === 'response') this.#pending.delete(id as RequestId)
    if (message.kind === 'response' && pending.queue === undefined) return pending.resolve(message)
    if (pending.queue === undefined) pending.resolve((pending.queue = new Queue()))
    pending.queue.push(message, bytes)
    if (message.kind === 'response') pending.queue.end()
    else if (pending.queue.weight > waitingBytesMax) this.#flooded(pending)
  }

  /** What arrived cannot be relayed: the request it seems to answer fails now, instead of waiting for its timeout. */
  protected unreadable(text: string, error: unknown): void {
    try {
      const id = (JSON.parse(text) as { id?: RequestId } | null)?.id
      if (id !== undefined) this.#fail(id, error)
    } catch {
      // not JSON at all, so no answer to anything
    }
  }

  /** Something came that is too long to be read: whoever waits for an answer waits in vain. */
  protected overflowed(error: Error): void {
    for (const [id, { method }] of [...this.#pending]) if (method !== 'subscriptions/listen') this.#fail(id, error)
  }

  /** The channel is gone: every request under way fails with `error`. */
  protected failed(error: Error): void {
    this.#failure = error
    for (const id of [...this.#pending.keys()]) this.#fail(id, error)
    this.#listeners.end()
  }

  /** What names no request: an event for whoever listens, but never a question or a log line that could be another caller's. */
  #unowned(message: Message, bytes: number): void {
    if (message.kind === 'response' || message.method === 'notifications/progress') return
    if (!this.shared) return this.#listeners.tell(message, bytes)
    if (message.kind === 'request') {
      const body = { code: -32601, message: 'Nobody can be asked: this process serves more than one client.' }
      void this.write({ kind: 'response', id: message.id, outcome: 'error', body })?.catch(() => undefined)
    } else if (message.method !== 'notifications/message') this.#listeners.tell(message, bytes)
  }

  #flooded(pending: Pending): void {
    for (const [id, other] of this.#pending)
      if (other === pending) this.#fail(id, new Refusal('RESULT_TOO_LARGE', { detail: waitingBytesMax }))
  }

  #fail(id: RequestId, error: unknown): void {
    const pending = this.#pending.get(id)
    this.#pending.delete(id)
    pending?.queue?.end(error)
    pending?.reject(error)
  }

  #ownerOf(message: Message): readonly [RequestId | undefined, Pending | undefined] {
    if (message.kind === 'response') return [message.id, message.id === undefined ? undefined : this.#pending.get(message.id)]
    const { params } = message
    const named = (
      message.method === 'notifications/progress' ? params['progressToken'] : metaOf(params)[metaKeys.subscriptionId]
    ) as RequestId | undefined
    if (named !== undefined) return [named, this.#pending.get(named)]
    const anyones = message.kind === 'request' || message.method === 'notifications/message'
    return [undefined, anyones && !this.shared ? this.#latestCall() : undefined]
  }

  #latestCall(): Pending | undefined {
    let latest: Pending | undefined
    for (const pending of this.#pending.values()) if (pending.method !== 'subscriptions/listen') latest = pending
    return latest
  }
}
