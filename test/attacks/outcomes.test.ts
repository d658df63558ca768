/** What the record says of what was never handed over, and what it does not say of what was sent on. */
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, it } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { Legacy, modern } from './support/client.ts'
import { type Echo, type EchoOptions, echo, saying } from './support/echo.ts'
import { httpServer, open, recordOf, until, yard } from './support/house.ts'

const house = yard()
const upstreams: Echo[] = []
const server = async (options: EchoOptions): Promise<Echo> => {
  const one = await echo(options)
  upstreams.push(one)
  return one
}
after(async () => {
  await house.close()
  await Promise.all(upstreams.map((one) => one.close()))
})

it('a legacy client that hung up before the answer was not "delivered" it', async () => {
  const upstream = await server({ era: 'legacy', answers: { 'tools/call': async () => (await wait(800), saying('late')) } })
  const gateway = await house.gateway(open({ x: httpServer(upstream, 'legacy') }))
  const session = await Legacy.open(`${gateway.url}/x/mcp`)
  const { port, host } = new URL(gateway.url)
  const body = JSON.stringify({ jsonrpc: '2.0', id: 9, method: 'tools/call', params: { name: 'x' } })
  const socket = connect(Number(port), '127.0.0.1')
  socket.write(
    `POST /x/mcp HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\nMcp-Session-Id: ${session.session}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  )
  await until('the server is asked', () => upstream.methods().includes('tools/call'))
  socket.destroy()
  await wait(1800)
  const outcome = recordOf(gateway).findLast(({ kind, method }) => kind === 'outcome' && method === 'tools/call')
  assert.notEqual(outcome?.['ending'], 'delivered', JSON.stringify(outcome))
})

it('what a relayed Mcp-Param header said is in the record', async () => {
  const upstream = await server({})
  const gateway = await house.gateway(open({ x: httpServer(upstream) }))
  for (const value of ['one', 'two'])
    await modern(`${gateway.url}/x/mcp`, 'tools/call', { name: 'read_note' }, { headers: { 'mcp-param-account': value } })
  await wait(300)
  assert.ok(upstream.heard.some(({ headers }) => headers['mcp-param-account'] === 'two'))
  const digests = recordOf(gateway)
    .filter(({ kind, method }) => kind === 'intent' && method === 'tools/call')
    .map(({ headersDigest }) => headersDigest)
  assert.deepEqual([digests.length, new Set(digests).size], [2, 2], 'two calls that the server saw differently look alike')
})
