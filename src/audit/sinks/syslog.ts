/**
 * Syslog over TCP or TLS, one CEF message for every outcome and every operator's action.
 *
 * Syslog has no acknowledgement: bytes that the kernel took may still be lost when the collector dies. So a message counts
 * as arrived only when the connection has outlived it by a second, or was closed by the collector after we had closed our
 * side; else it is sent again. Duplicates are possible (`externalId` and `seq` tell them), losses only where a network is
 * cut for longer than that second and the far end never comes back to the connection.
 */
import { readFileSync } from 'node:fs'
import { connect as connectPlain, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { readEntry } from '../entry.ts'
import type { AuditSink } from '../sink.ts'
import { cefOf } from './cef.ts'
import { type Facility, formatMessage, framed, type SyslogSeverity } from './rfc5424.ts'

export interface SyslogOptions {
  readonly host: string
  readonly port: number
  /** PEM files, read anew for every connection, so that a renewed certificate is taken up. */
  readonly tls?:
    | {
        readonly ca?: string | undefined
        readonly cert?: string | undefined
        readonly key?: string | undefined
        readonly servername?: string | undefined
      }
    | undefined
  readonly facility: Facility
  readonly appName: string
  readonly hostname: string
  /** Sekisho's, for the CEF header. */
  readonly version?: string | undefined
}

const connectMsMax = 5000
const outliveMs = 1000
const hangUpMsMax = 2000

export function syslogSink(options: SyslogOptions): AuditSink {
  const name = `syslog:${options.host}:${options.port}`
  let line: Promise<Line> | undefined
  let sequence = 0
  const message = (text: string): Buffer | undefined => {
    if (text.includes('"kind":"intent"')) return undefined // inside a string the quotes would be escaped
    const entry = readEntry(text)
    const event = cefOf(entry, options.version ?? '0')
    if (event === undefined) return undefined
    sequence = (sequence % 2_147_483_647) + 1
    const { facility, hostname, appName } = options
    const data = { meta: { sequenceId: String(sequence) }, origin: { software: 'Sekisho', swVersion: options.version ?? '0' } }
    return framed(
      formatMessage({
        facility,
        severity: syslogSeverity(event.severity),
        time: entry.time,
        hostname,
        appName,
        messageId: entry.kind,
        data,
        text: event.text,
      }),
    )
  }
  return {
    name,
    async write(entries) {
      const messages = entries.map(message).filter((one) => one !== undefined)
      if (messages.length === 0) return
      line ??= Line.open(options)
      const mine = line
      try {
        await (await mine).send(Buffer.concat(messages))
      } catch (error) {
        if (line === mine) line = undefined
        throw error
      }
    },
    async close() {
      const mine = line
      line = undefined
      await mine?.then(
        (open) => open.hangUp(),
        () => {},
      )
    },
  }
}

function syslogSeverity(cef: number): SyslogSeverity {
  if (cef >= 9) return 'critical'
  if (cef >= 7) return 'error'
  if (cef >= 5) return 'warning'
  return cef >= 3 ? 'notice' : 'informational'
}

/** One connection. It is used until it breaks. */
class Line {
  readonly #socket: Socket
  readonly #ended = Promise.withResolvers<void>()
  #broken: Error | undefined
  #hungUp = false

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setKeepAlive(true, 10_000)
    socket.on('error', (error) => (this.#broken ??= error))
    socket.on('close', () => {
      // A collector that closes after us has read to the end; one that closes before us may have left things unread.
      if (!this.#hungUp) this.#broken ??= new Error('the collector closed the connection')
      this.#ended.resolve()
    })
    socket.resume()
  }

  static open({ host, port, tls }: SyslogOptions): Promise<Line> {
    return new Promise((resolve, reject) => {
      const socket =
        tls === undefined
          ? connectPlain({ host, port })
          : connectTls({ host, port, rejectUnauthorized: true, minVersion: 'TLSv1.2', ...material(tls) })
      const late = setTimeout(() => socket.destroy(new Error(`no connection in ${connectMsMax} ms`)), connectMsMax)
      socket.once('error', reject)
      socket.once('close', () => {
        clearTimeout(late)
        reject(new Error('the connection was closed'))
      })
      socket.once(tls === undefined ? 'connect' : 'secureConnect', () => {
        clearTimeout(late)
        resolve(new Line(socket))
      })
    })
  }

  async send(bytes: Buffer): Promise<void> {
    if (this.#broken !== undefined) throw this.#broken
    const taken = new Promise<void>((resolve) => this.#socket.write(bytes, () => resolve()))
    await Promise.race([taken, this.#ended.promise])
    await this.outlives()
  }

  /** Resolves a second from now, or when it was hung up in good order. Rejects when it broke before. */
  async outlives(): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const later = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, outliveMs)
    })
    await Promise.race([later, this.#ended.promise])
    clearTimeout(timer)
    if (this.#broken !== undefined) throw this.#broken
  }

  /** Closes our side and waits until the collector has read to the end and closes its own. */
  async hangUp(): Promise<void> {
    this.#hungUp = true
    const late = setTimeout(() => {
      this.#broken ??= new Error('the collector did not close the connection')
      this.#socket.destroy()
    }, hangUpMsMax)
    this.#socket.end()
    await this.#ended.promise
    clearTimeout(late)
  }
}

function material({ ca, cert, key, servername }: NonNullable<SyslogOptions['tls']>) {
  const pem = (path: string | undefined) => path && readFileSync(path)
  return {
    ...(ca && { ca: pem(ca) }),
    ...(cert && { cert: pem(cert) }),
    ...(key && { key: pem(key) }),
    ...(servername && { servername }),
  }
}
