/** One response as undici dispatches it: gathered whole, or handed on as it comes with the server held back meanwhile. */
import type { Dispatcher } from 'undici'
import type { Stop } from '../../lib/stop.ts'
import type { HttpResponse } from './transport.ts'

/** Chunks that may wait for a slow reader before the server is held back. */
const waitingMax = 16
/** Up to this much is read to the end, so that the connection can be used again; more is cut off. */
const drainedMax = 65_536

export class Incoming implements Dispatcher.DispatchHandler, HttpResponse {
  status = 0
  readonly head: Promise<HttpResponse>
  readonly #stop: Stop
  readonly #abort = (): void => {
    const reason = this.#stop.reason instanceof Error ? this.#stop.reason : new Error('stopped')
    this.#failed(reason) // there is no controller before there is a connection
    this.#controller?.abort(reason)
  }
  #controller: Dispatcher.DispatchController | undefined
  #headers: Record<string, string | string[] | undefined> = {}
  #arrived!: (response: HttpResponse) => void
  #failed!: (error: unknown) => void
  #chunks: Uint8Array[] = []
  #size = 0
  #over = false
  #error: unknown
  /** Called when a chunk came, or the end. */
  #wake: (() => void) | undefined
  #gather: { readonly bytesMax: number; full(): void } | undefined

  constructor(stop: Stop) {
    this.#stop = stop
    this.head = new Promise((resolve, reject) => {
      this.#arrived = resolve
      this.#failed = reject
    })
    stop.onStop(this.#abort)
  }

  header(name: string): string | undefined {
    const value = this.#headers[name]
    if (!Array.isArray(value)) return value
    return name === 'www-authenticate' ? value.join(', ') : value[0] // a list, as RFC 9110 section 5.3 has it
  }

  bytes(bytesMax: number, tooLong: () => Error): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const full = (): void => {
        reject(tooLong())
        this.#cut()
      }
      this.#gather = { bytesMax, full }
      this.#wake = () => {
        if (!this.#over) return
        if (this.#error !== undefined) reject(this.#error)
        else resolve(this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks))
      }
      this.#controller?.resume()
      if (this.#size > bytesMax) full()
      else this.#wake()
    })
  }

  get body(): AsyncIterable<Uint8Array> {
    return {
      [Symbol.asyncIterator]: () => ({
        next: () => this.#next(),
        return: async () => this.#cut(),
      }),
    }
  }

  discard(): void {
    if (this.#over) return
    this.#gather = { bytesMax: drainedMax, full: () => this.#cut() }
    this.#controller?.resume()
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#stop.stopped) this.#abort()
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (status < 200) return
    this.status = status
    this.#headers = headers
    this.#arrived(this)
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Uint8Array): void {
    this.#chunks.push(chunk)
    this.#size += chunk.length
    if (this.#gather === undefined) {
      if (this.#chunks.length > waitingMax) controller.pause()
      this.#wake?.()
    } else if (this.#size > this.#gather.bytesMax) this.#gather.full()
  }

  onResponseEnd(): void {
    this.#end(undefined)
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#failed(error)
    this.#end(error)
  }

  #cut(): IteratorReturnResult<undefined> {
    if (!this.#over) this.#controller?.abort(new Error('not wanted any more'))
    return { done: true, value: undefined }
  }

  #end(error: unknown): void {
    this.#over = true
    this.#error = error
    this.#stop.offStop(this.#abort)
    this.#wake?.()
  }

  async #next(): Promise<IteratorResult<Uint8Array, undefined>> {
    while (this.#chunks.length === 0) {
      if (this.#error !== undefined) throw this.#error
      if (this.#over) return { done: true, value: undefined }
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    const value = this.#chunks.shift() as Uint8Array
    if (this.#controller?.paused && this.#chunks.length === 0) this.#controller.resume()
    return { done: false, value }
  }
}
