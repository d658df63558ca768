/** A local server on its standard streams (2026-07-28 stdio): one message a line, stderr to the log. */
import { drained } from '../../lib/drained.ts'
import { LineSplitter } from '../../lib/lines.ts'
import { Refusal } from '../../pipeline/refusal.ts'
import { type Message, writeMessage } from '../../protocol/json-rpc.ts'
import { DuplexWire } from '../duplex.ts'
import { readUpstream } from '../read-message.ts'
import { heard } from './admit.ts'
import { type Child, ended, type SpawnOptions, start, stop } from './spawn.ts'

export interface StdioOptions extends SpawnOptions {
  readonly server: string
  /** One process for all callers. */
  readonly shared: boolean
  readonly lineBytesMax: number
  readonly depthMax: number
  /** Asked at its first word, before that is heard. */
  readonly confirm?: (() => Promise<void>) | undefined
  /** One line of the server's stderr, or one of ours about the server. Both are bounded. */
  log(line: string): void
}

const stderrLineBytesMax = 8192

export class StdioWire extends DuplexWire {
  readonly closed: Promise<void>
  protected readonly shared: boolean
  readonly #child: Child
  readonly #options: StdioOptions

  constructor(options: StdioOptions) {
    super()
    this.#options = options
    this.shared = options.shared
    this.#child = start(options)
    const stdout = new LineSplitter(
      options.lineBytesMax,
      (line) => this.#read(line),
      (fault) => {
        options.log(`a line on stdout was left out: ${fault}`)
        this.overflowed(new Refusal('RESULT_TOO_LARGE', { detail: options.lineBytesMax }))
      },
    )
    const stderr = new LineSplitter(
      stderrLineBytesMax,
      (line) => options.log(line),
      () => undefined,
    )
    heard(
      this.#child.stdout,
      options.confirm,
      (chunk) => stdout.push(chunk),
      (reason) => {
        options.log(reason instanceof Error ? reason.message : 'it is not confirmed')
        this.failed(reason instanceof Refusal ? reason : new Refusal('UPSTREAM_UNAVAILABLE', { detail: options.server }))
        void this.close()
      },
    )
    this.#child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
    this.#child.stdin.on('error', () => undefined) // the exit says the same, with the reason
    this.closed = ended(this.#child).then((how) => {
      options.log(how)
      this.failed(new Refusal('UPSTREAM_UNAVAILABLE', { detail: options.server, cause: how }))
    })
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  protected write(message: Message): Promise<void> | undefined {
    const line = `${JSON.stringify(writeMessage(message))}\n`
    return this.#child.stdin.write(line) ? undefined : drained(this.#child.stdin)
  }

  close(): Promise<void> {
    return stop(this.#child)
  }

  #read(line: string): void {
    let message: Message
    try {
      message = readUpstream(line, this.#options.depthMax)
    } catch (error) {
      this.#options.log(`a line on stdout was left out: ${error instanceof Error ? error.message : 'unreadable'}`)
      this.unreadable(line, error)
      return
    }
    this.arrived(message, line.length)
  }
}
