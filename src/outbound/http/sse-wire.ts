/**
 * HTTP+SSE towards a server of 2024-11-05: one GET stream carries everything it says, its first event names the path to
 * POST to. The path must be of the server's own origin, so that the stream cannot send us elsewhere.
 */
import { readEvents } from '../../lib/sse.ts'
import { inTime, Stop } from '../../lib/stop.ts'
import { Refusal } from '../../pipeline/refusal.ts'
import { type Message, writeMessage } from '../../protocol/json-rpc.ts'
import { DuplexWire } from '../duplex.ts'
import { readUpstream } from '../read-message.ts'
import { WireError } from '../wire.ts'
import { type HttpWireOptions, sendMsMax, tooLate } from './wire.ts'

const endpointTimeoutMs = 10_000

export class SseWire extends DuplexWire {
  readonly closed: Promise<void>
  protected readonly shared = false
  readonly #options: HttpWireOptions & { readonly url: string }
  readonly #stop = new Stop()
  readonly #path: Promise<string>

  constructor(options: HttpWireOptions & { readonly url: string }) {
    super()
    this.#options = options
    let found!: (path: string) => void
    let lost!: (error: unknown) => void
    this.#path = new Promise((resolve, reject) => {
      found = resolve
      lost = reject
    })
    this.#path.catch(() => undefined)
    const timer = setTimeout(() => this.#stop.stop(this.#gone()), endpointTimeoutMs)
    const opened = (path: string): void => {
      clearTimeout(timer)
      found(path)
    }
    this.closed = this.#read(opened).then(
      () => this.#end(this.#gone(), lost, timer),
      (error: unknown) => this.#end(error instanceof WireError || error instanceof Refusal ? error : this.#gone(), lost, timer),
    )
  }

  protected async write(message: Message): Promise<void> {
    const { transport } = this.#options
    const path = await this.#path
    const body = JSON.stringify(writeMessage(message))
    const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
    const response = await inTime(
      sendMsMax,
      tooLate,
      (stop) => transport.send({ method: 'POST', headers, body, stop }, path),
      this.#stop,
    )
    response.discard()
    if (response.status >= 400) throw new WireError(response.status, `HTTP ${response.status}`)
  }

  async close(): Promise<void> {
    this.#stop.stop(this.#gone())
    await this.closed
  }

  async #read(opened: (path: string) => void): Promise<void> {
    const { transport, url, depthMax, resultBytesMax } = this.#options
    const response = await transport.send({ method: 'GET', headers: { accept: 'text/event-stream' }, stop: this.#stop })
    if (response.status !== 200) {
      response.discard()
      throw new WireError(response.status, `HTTP ${response.status}`)
    }
    for await (const event of readEvents(response.body, resultBytesMax)) {
      if (event.data === undefined) continue
      if (event.event === 'endpoint') opened(pathWithin(url, event.data))
      else this.#arrive(event.data, depthMax)
    }
  }

  #arrive(text: string, depthMax: number): void {
    try {
      this.arrived(readUpstream(text, depthMax), text.length)
    } catch (error) {
      this.unreadable(text, error)
    }
  }

  #end(error: Error, lost: (error: unknown) => void, timer: NodeJS.Timeout): void {
    clearTimeout(timer)
    lost(error)
    this.failed(error)
  }

  #gone(): Refusal {
    return new Refusal('UPSTREAM_UNAVAILABLE', { detail: this.#options.server })
  }
}

function pathWithin(base: string, endpoint: string): string {
  const url = new URL(endpoint, base)
  if (url.origin !== new URL(base).origin)
    throw new Refusal('UPSTREAM_INVALID', { detail: 'the endpoint event names another origin' })
  return url.pathname + url.search
}
