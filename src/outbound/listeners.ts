/**
 * Those who hear what a server says unasked. Whatever it says and however slowly it is read, no more than so much is kept
 * for each: a listener misses what does not fit, and what nobody has heard yet is forgotten from its beginning.
 */
import { Queue } from '../lib/queue.ts'
import type { Stop } from '../lib/stop.ts'
import type { Message } from '../protocol/json-rpc.ts'

export const waitingBytesMax = 8 * 1024 * 1024
/** What a message takes in memory besides its text. */
const messageBytes = 512

export class Listeners {
  readonly #queues = new Set<Queue<Message>>()
  readonly #unheard: { readonly message: Message; readonly bytes: number }[] = []
  #unheardBytes = 0
  #over = false

  /** What nobody has heard yet, for a question must not be lost because a stream opens a moment later, and all that follows until it is stopped. */
  listen(stop: Stop): Queue<Message> {
    const leave = (): void => queue.end()
    const queue = new Queue<Message>(() => {
      this.#queues.delete(queue)
      stop.offStop(leave)
    })
    this.#queues.add(queue)
    this.#unheardBytes = 0
    for (const { message, bytes } of this.#unheard.splice(0)) queue.push(message, bytes)
    stop.onStop(leave)
    if (this.#over) queue.end()
    return queue
  }

  /** Tells them a message whose text has so many bytes. */
  tell(message: Message, textBytes: number): void {
    const bytes = textBytes + messageBytes
    for (const queue of this.#queues) if (queue.weight < waitingBytesMax) queue.push(message, bytes)
    if (this.#queues.size > 0) return
    this.#unheard.push({ message, bytes })
    this.#unheardBytes += bytes
    while (this.#unheardBytes > waitingBytesMax) this.#unheardBytes -= this.#unheard.shift()?.bytes ?? 0
  }

  /** There will be nothing more to hear. */
  end(): void {
    this.#over = true
    for (const queue of this.#queues) queue.end()
  }
}
