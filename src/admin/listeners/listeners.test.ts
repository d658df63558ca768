/** Where is asked, and what is made of the answers. Nothing here opens a port. */
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import type { Knocked } from './knock.ts'
import { type Known, type Looking, listenersAt, type Outside } from './listeners.ts'

const nothing: Known = { gateways: [], servers: [], isConfigured: false }
const known: Known = {
  gateways: ['http://127.0.0.1:4180'],
  servers: [{ id: 'crm', url: 'http://localhost:3000/mcp' }],
  isConfigured: true,
}
const mcp = (port: number, more: object = {}): Knocked => ({
  ...{ kind: 'mcp', url: `http://127.0.0.1:${port}/mcp`, transport: 'http', name: 'x', version: '1' },
  ...{ isSekisho: false, wantsLogin: false },
  ...more,
})

function outside(answers: Readonly<Record<number, Knocked>>, more: Partial<Outside> = {}): Outside & { asked: string[] } {
  const asked: string[] = []
  return {
    asked,
    platform: 'linux',
    lookup: async (name) => [{ address: name === 'meta.test' ? '169.254.169.254' : '10.0.0.7', family: 4 }],
    sockets: async () => ['head\n 0: 0100007F:0BB8 0:0 0A\n'],
    knock: async ({ address, port }) => {
      asked.push(`${address} ${port}`)
      return address === '::1' ? { kind: 'closed' } : (answers[port] ?? { kind: 'closed' })
    },
    ...more,
  }
}

describe('is refused', () => {
  const cases: readonly (readonly [says: string, looking: Looking, message: RegExp, fix: RegExp, more?: Partial<Outside>])[] = [
    ['no port', { ports: 'all' }, /names no ports/, /write numbers/],
    ['all ports of a host', { ports: 'listening', host: 'a.test' }, /of this machine only/, /name the ports/],
    ['all ports elsewhere than on Linux', { ports: 'listening' }, /on Linux only/, /name them/, { platform: 'darwin' }],
    ['a metadata service', { ports: '80', host: 'meta.test' }, /never a server/, /of your own network/],
    ['a link-local address', { ports: '80', host: '169.254.169.254' }, /never a server/, /of your own network/],
    [
      'a name without an address',
      { ports: '80', host: 'gone.test' },
      /has no address/,
      /check/,
      { lookup: () => Promise.reject(new Error()) },
    ],
  ]
  for (const [says, looking, message, fix, more] of cases)
    test(says, async () => {
      const hand = outside({}, more)
      await assert.rejects(listenersAt(looking, nothing, hand), { message, fix })
      assert.deepEqual(hand.asked, [])
    })
})

test('only loopback is asked, unless a host is named', async () => {
  for (const [looking, asked] of [
    [{ ports: '80,81' }, ['127.0.0.1 80', '127.0.0.1 81', '::1 80', '::1 81']],
    [{ ports: 'listening' }, ['127.0.0.1 3000']],
    [{ ports: '80', host: 'a.test' }, ['10.0.0.7 80']],
  ] as const) {
    const hand = outside({})
    await listenersAt(looking, nothing, hand)
    assert.deepEqual(hand.asked, asked)
  }
})

describe('standing', () => {
  const sekisho = { name: 'sekisho', isSekisho: true }
  const cases: readonly (readonly [says: string, port: number, more: object, known: Known, standing: string])[] = [
    ['somebody, with no configuration', 5000, {}, nothing, 'shadow'],
    ['somebody whom no configuration names', 5000, {}, known, 'shadow'],
    ['somebody else at the port of the gateway', 4180, {}, known, 'shadow'],
    ['what says to be Sekisho, at another port', 5000, sekisho, known, 'shadow'],
    ['what says to be Sekisho, with no configuration', 5000, sekisho, nothing, 'gateway'],
    ['the gateway', 4180, sekisho, known, 'gateway'],
    ['a server that is configured', 3000, {}, known, 'configured'],
  ]
  for (const [says, port, more, hand, standing] of cases)
    test(`${says}: ${standing}`, async () => {
      const { listeners } = await listenersAt({ ports: String(port) }, hand, outside({ [port]: mcp(port, more) }))
      assert.deepEqual(
        listeners.map((one) => [one.standing, one.server]),
        [[standing, standing === 'configured' ? 'crm' : undefined]],
      )
    })

  test('of another host, a server that has the same port here is none of ours', async () => {
    const answer = { ...mcp(3000), url: 'http://a.test:3000/mcp' } as Knocked
    const { listeners } = await listenersAt({ ports: '3000', host: 'a.test' }, known, outside({ 3000: answer }))
    assert.equal(listeners[0]?.standing, 'shadow')
  })
})

test('one server on both loopbacks is one; what is unclear is said', async () => {
  const twice = outside(
    {},
    {
      knock: async ({ port, address }) =>
        ({ ...mcp(port), url: `http://${address === '::1' ? '[::1]' : address}:${port}/mcp` }) as Knocked,
    },
  )
  assert.equal((await listenersAt({ ports: '5000' }, known, twice)).listeners.length, 1)
  const { unclear, ports } = await listenersAt({ ports: '5000-5009' }, known, outside({ 5003: { kind: 'unclear', why: 'late' } }))
  assert.deepEqual([unclear, ports], [[{ address: '127.0.0.1', port: 5003, why: 'late' }], 10])
})
