/**
 * A syslog collector that is away for minutes while the gateway is under load: when it is back it gets everything, in order,
 * and meanwhile nobody waits for it.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as delay } from 'node:timers/promises'
import {
  configFor,
  endGateway,
  everybodyIsAnswered,
  freePort,
  modernClient,
  startGateway,
  startUpstream,
  verified,
} from '../../test/e2e/kill-nine.test.ts'

const loadSeconds = 10
/** The gateway tries again after at most half a minute. */
const catchUpSeconds = 120

export async function sinkOutage(awaySeconds: number, say: (line: string) => void): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'sekisho-soak-sinks-'))
  const upstream = await startUpstream()
  const [port, sinkPort] = [await freePort(), await freePort()]
  const config = join(folder, 'sekisho.yaml')
  const sinks = `audit: { sinks: [{ kind: syslog, host: 127.0.0.1, port: ${sinkPort} }] }\n`
  writeFileSync(config, configFor(port, upstream.port, sinks))
  const collector = new Collector(sinkPort)
  await collector.come()
  const gateway = await startGateway(config)
  const stop = new AbortController()
  const clients = Array.from({ length: 4 }, (_, at) => modernClient(port, `client-${at}`))
  const loops = clients.map((client) => client.run(stop.signal))
  try {
    await wait(loadSeconds, (left) => say(`load before the outage, ${left} s to go, ${collector.seen.size} events arrived`))
    assert.ok(collector.seen.size > 0, 'nothing arrived before the outage')
    await collector.go()
    const before = collector.seen.size
    await wait(
      awaySeconds,
      (left) => say(`the collector is away, ${left} s to go, the lag is ${lag}`),
      async () => {
        lag = await lagOf(gateway.admin)
      },
    )
    await everybodyIsAnswered(clients)
    assert.ok(lag > 0, 'there is no lag, so nothing was tried')
    assert.equal(collector.seen.size, before)
    await collector.come()
    await wait(loadSeconds, (left) =>
      say(`the collector is back, ${left} s of load to go, ${collector.seen.size} events arrived`),
    )
    stop.abort()
    await Promise.all(loops)
    const until = performance.now() + catchUpSeconds * 1000
    while ((lag = await lagOf(gateway.admin)) > 0) {
      assert.ok(performance.now() < until, `after ${catchUpSeconds} s the lag is still ${lag}`)
      say(`the collector catches up, the lag is ${lag}`)
      await delay(1000)
    }
    await endGateway(gateway, 'SIGTERM')
    verified(config)
    const lost = outcomesIn(join(folder, 'data', 'audit.db')).filter((exchange) => !collector.seen.has(exchange))
    assert.deepEqual(lost.slice(0, 5), [], `${lost.length} events never arrived`)
    assert.equal(collector.outOfOrder, 0, 'events came out of order')
    return `${collector.seen.size} events, ${collector.seen.size - before} of them held up for ${awaySeconds} s; all arrived in order, ${collector.again} twice`
  } finally {
    stop.abort()
    gateway.child.kill('SIGKILL')
    upstream.close()
    await collector.go()
    rmSync(folder, { recursive: true, force: true })
  }
}

let lag = 0

/** Says every ten seconds how many are left. */
async function wait(
  seconds: number,
  say: (left: number) => void,
  look: () => Promise<void> = async () => undefined,
): Promise<void> {
  for (let left = seconds; left > 0; left -= 1) {
    await delay(Math.min(left, 1) * 1000)
    await look()
    say(Math.round(left))
  }
}

async function lagOf(admin: string): Promise<number> {
  const text = await (await fetch(`${admin}/metrics`)).text()
  return Number(/^sekisho_audit_sink_lag\{.*\} (\d+)/m.exec(text)?.[1] ?? Number.NaN)
}

function outcomesIn(path: string): string[] {
  const database = new DatabaseSync(path, { readOnly: true })
  const rows = database.prepare(`SELECT exchange FROM entry WHERE json_extract(text, '$.kind') = 'outcome'`).all()
  database.close()
  return (rows as { exchange: string }[]).map(({ exchange }) => exchange)
}

/** Reads octet-counted syslog (RFC 6587) and remembers what came. */
class Collector {
  /** Exchanges. */
  readonly seen = new Set<string>()
  /** Events that came a second time. */
  again = 0
  outOfOrder = 0
  readonly #port: number
  readonly #sockets = new Set<Socket>()
  #server: Server | undefined
  #lastSeq = 0

  constructor(port: number) {
    this.#port = port
  }

  async come(): Promise<void> {
    const server = createServer((socket) => {
      this.#sockets.add(socket)
      socket.on('error', () => undefined).on('close', () => this.#sockets.delete(socket))
      let rest: Buffer = Buffer.alloc(0)
      socket.on('data', (chunk) => {
        rest = this.#read(Buffer.concat([rest, chunk]))
      })
    })
    this.#server = server
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(this.#port, '127.0.0.1', resolve))
  }

  /** As a process does that is killed: what was on its way is gone. */
  async go(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    if (server === undefined) return
    for (const socket of this.#sockets) socket.resetAndDestroy()
    await new Promise((resolve) => server.close(resolve))
  }

  /** Takes every whole message; what is left is the beginning of another. */
  #read(arrived: Buffer): Buffer {
    for (let bytes = arrived; ; ) {
      const space = bytes.indexOf(0x20)
      const length = Number(bytes.toString('latin1', 0, Math.max(space, 0)))
      if (space === -1 || bytes.length < space + 1 + length) return bytes
      this.#take(bytes.toString('utf8', space + 1, space + 1 + length))
      bytes = bytes.subarray(space + 1 + length)
    }
  }

  #take(message: string): void {
    const [, exchange = ''] = / externalId=(\S+)/.exec(message) ?? []
    const seq = Number(/ cn1=(\d+)/.exec(message)?.[1])
    if (exchange === '') return
    if (this.seen.has(exchange)) this.again++
    else if (seq < this.#lastSeq) this.outOfOrder++
    else this.#lastSeq = seq
    this.seen.add(exchange)
  }
}
