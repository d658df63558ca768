/** What a real collector does only by bad luck; the real one is in test/e2e/syslog.test.ts. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import test from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { makeLog, passMany, passOne } from '../fixture.test.ts'
import { syslogSink } from './syslog.ts'

/** A collector that does with its first connections what the test says, and reads all later ones. */
async function collector(
  ...first: readonly ((socket: Socket) => void)[]
): Promise<{ server: Server; port: number; text(): string }> {
  let connections = 0
  let text = ''
  const server = createServer((socket) => {
    socket.on('error', () => {})
    const misbehave = first[connections++]
    if (misbehave !== undefined) misbehave(socket)
    else socket.on('data', (bytes) => (text += bytes))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { server, port: (server.address() as AddressInfo).port, text: () => text }
}

const sinkTo = (port: number) => syslogSink({ host: '127.0.0.1', port, facility: 'local0', appName: 'sekisho', hostname: 'gw-1' })
const numbers = (text: string): number[] => [...new Set([...text.matchAll(/ cn1=(\d+) /g)].map(([, seq]) => Number(seq)))]

const losses: readonly (readonly [name: string, lose: (socket: Socket) => void])[] = [
  ['takes everything in, reads none of it and dies', (socket) => void setTimeout(() => socket.resetAndDestroy(), 600)],
  ['closes in good order without having read', (socket) => void setTimeout(() => socket.end(), 600)],
  ['hangs up at once', (socket) => void socket.destroy()],
]
for (const [name, lose] of losses) {
  test(`what a collector that ${name} had been sent is sent again`, async () => {
    const { server, port, text } = await collector(lose, lose)
    const log = makeLog()
    const audit = await log.open({ sinks: [sinkTo(port)] })
    await passMany(audit, 10)
    while (numbers(text()).length < 10) await delay(50)
    assert.deepEqual(
      numbers(text()),
      log
        .entries()
        .filter(({ kind }) => kind === 'outcome')
        .map(({ seq }) => seq),
    )
    await audit.close()
    server.close()
    log.remove()
  })
}

test('a collector that never closes its side does not hold up the end', { timeout: 60_000 }, async () => {
  const silent: Socket[] = []
  const server = createServer({ allowHalfOpen: true }, (socket) => void silent.push(socket.on('error', () => {}))).listen(
    0,
    '127.0.0.1',
  )
  await once(server, 'listening')
  const log = makeLog()
  const audit = await log.open({ sinks: [sinkTo((server.address() as AddressInfo).port)] })
  await passOne(audit)
  await delay(200)
  await audit.close()
  for (const socket of silent) socket.destroy()
  server.close()
  log.remove()
})
