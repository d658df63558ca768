/**
 * An internet on this machine: every connection that this process begins is led to a listener on loopback, whatever its address,
 * and written down. So a test can say what would have been reached, without leaving the machine.
 */
import { createServer as createPlain, type RequestListener, type Server } from 'node:http'
import { createServer as createSecure } from 'node:https'
import { type AddressInfo, isIP, type LookupFunction, Socket, type TcpNetConnectOpts } from 'node:net'
import { mock } from 'node:test'
import { TLSSocket } from 'node:tls'

export interface Keys {
  readonly cert: Buffer
  readonly key: Buffer
}
type Answers = readonly string[] | (() => readonly string[])

/** The one address outside. Everything else is inside, where nobody from outside should get. */
export const outsideAddress = '93.184.215.14'

const outsideListener = '127.0.0.2'
const insideListener = '127.0.0.3'

export class SmallInternet {
  /** Addresses and ports that were connected to. */
  readonly reached: string[] = []
  readonly asked: string[] = []
  readonly names = new Map<string, Answers>()
  readonly #servers: Server[] = []
  readonly #ports = new Map<'http' | 'https', number>()
  /** Listeners of the test's own: a proxy, say. */
  readonly passing = new Set<number>()

  static async open(outside: RequestListener, inside: RequestListener, keys: Keys): Promise<SmallInternet> {
    const internet = new SmallInternet()
    await internet.#listen('http', createPlain, outside, inside)
    await internet.#listen('https', (listener) => createSecure(keys, listener), outside, inside)
    internet.#lead()
    return internet
  }

  /** As a name server answers; every name that is not known here is an address inside. */
  readonly lookup = async (name: string) => {
    this.asked.push(name)
    const known = this.names.get(name) ?? ['10.0.0.1']
    return (typeof known === 'function' ? known() : known).map((address) => ({ address, family: isIP(address) }))
  }

  /** The same, as `net.connect` asks. */
  readonly lookupForConnect: LookupFunction = (name, { all }, found) => {
    this.lookup(name).then((addresses) =>
      all ? found(null, addresses) : found(null, addresses[0]?.address ?? '', addresses[0]?.family ?? 0),
    )
  }

  forget(): void {
    this.reached.length = 0
    this.asked.length = 0
  }

  async close(): Promise<void> {
    mock.restoreAll()
    for (const server of this.#servers) {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    }
  }

  /** Inside and outside are two addresses of loopback with the same port: where to is known before the name is resolved, who is not. */
  async #listen(
    kind: 'http' | 'https',
    make: (listener: RequestListener) => Server,
    outside: RequestListener,
    inside: RequestListener,
  ) {
    for (const [address, listener] of [
      [outsideListener, outside],
      [insideListener, inside],
    ] as const) {
      const server = make(listener)
      await new Promise<void>((resolve, reject) =>
        server.once('error', reject).listen(this.#ports.get(kind) ?? 0, address, resolve),
      )
      this.#ports.set(kind, (server.address() as AddressInfo).port)
      this.#servers.push(server)
    }
  }

  #lead(): void {
    const { connect } = Socket.prototype
    const internet = this
    const led = function (this: Socket, ...args: unknown[]): Socket {
      const given = Array.isArray(args[0]) ? args[0] : args
      const options = given[0] as TcpNetConnectOpts
      const passed = internet.passing.has(Number(options.port))
      return connect.call(
        this,
        ...((passed
          ? args
          : [
              internet.#local(options, this instanceof TLSSocket || Number(options.port) === 443 ? 'https' : 'http'),
              given[1],
            ]) as Parameters<typeof connect>),
      )
    }
    mock.method(Socket.prototype, 'connect', led as typeof connect)
  }

  /** The same connection, to the listener that stands for where it leads. */
  #local(options: TcpNetConnectOpts, kind: 'http' | 'https'): TcpNetConnectOpts {
    const { host = '', lookup } = options
    const port = this.#ports.get(kind) as number
    const lead = (address: string): string => {
      this.reached.push(`${address} ${options.port}`)
      return address === outsideAddress ? outsideListener : insideListener
    }
    if (isIP(host) !== 0) return { ...options, port, host: lead(host) }
    return {
      ...options,
      port,
      autoSelectFamily: false,
      lookup: (name, asked, found) =>
        (lookup as LookupFunction)(name, { ...asked, all: false }, (error, address) =>
          found(error, error ? '' : lead(address as string), 4),
        ),
    }
  }
}
