/**
 * Where the eras meet, on the wire: versions and batches of the legacy era, questions nobody may ask, states nobody may
 * change, and what it means when a client goes away. The matrix of clients and servers is in eras.test.ts.
 */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { connect, flavours } from './support/peers.ts'
import { type Message, Raw, refusalIn, textIn } from './support/raw.ts'
import { until, within } from './support/until.ts'
import { configFor, everything, type Gateway, node, upstreamOne, upstreamTwo, Yard } from './support/yard.ts'

const yard = new Yard()
after(() => yard.close())
let gateway: Gateway
const raw = (server: string): Raw => new Raw(`${gateway.url}/${server}/mcp`)
const call = (client: Raw, name: string, given: object = {}): Message => client.request('tools/call', { name, arguments: given })

before(async () => {
  const [one, sse, modern] = await Promise.all([
    yard.upstream(upstreamOne),
    yard.upstream(upstreamOne, '--transport', 'sse'),
    yard.upstream(upstreamTwo, '--era', 'modern'),
  ])
  const servers = {
    one: { url: one.url },
    sse: { url: sse.url, transport: 'http+sse' },
    modern: { url: modern.url },
    local: { command: node(upstreamOne, '--transport', 'stdio') },
  }
  const all = [everything, { effect: 'deny', server: '*', tools: ['test_error_handling'] }]
  gateway = await yard.gateway(configFor(servers, { roles: { all } }))
})
const servers = ['one', 'sse', 'modern', 'local'] as const

describe('GEN-2 legacy versions', () => {
  it('a version that nobody serves is refused in the header (46)', async () => {
    const client = raw('one')
    await client.open('2025-06-18')
    for (const version of ['2024-01-01', 'latest', '']) {
      const { status, only } = await client.legacy(client.request('tools/list'), { 'mcp-protocol-version': version })
      assert.deepEqual([status, only.error?.code], [400, -32600], version)
    }
  })

  const versions = [
    ['2025-11-25', '2025-11-25'],
    ['2025-06-18', '2025-06-18'],
    ['2025-03-26', '2025-03-26'],
    ['2024-11-05', '2024-11-05'],
    ['2024-10-07', '2024-11-05'],
    ['2999-12-31', '2025-11-25'],
  ] as const
  for (const [asked, answered] of versions)
    for (const server of servers)
      it(`${asked} in front of ${server} is ${answered}, and works (45)`, async () => {
        const client = raw(server)
        await client.open(asked)
        assert.equal(client.version, answered)
        const { only } = await client.legacy(call(client, 'test_simple_text'))
        assert.equal(textIn(only), 'Plain text from the fixture.')
      })
})

describe('batches (47)', () => {
  const opened = async (server: string, version: string): Promise<Raw> => {
    const client = raw(server)
    await client.open(version)
    return client
  }
  const initialize = {
    jsonrpc: '2.0',
    id: 99,
    method: 'initialize',
    params: { protocolVersion: '2025-03-26', capabilities: {}, clientInfo: { name: 'raw', version: '1' } },
  }
  const refusals: readonly (readonly [says: string, version: string, batch: (client: Raw) => unknown[]])[] = [
    ['2025-11-25 has none', '2025-11-25', (client) => [client.request('ping'), client.request('tools/list')]],
    ['2025-06-18 has none', '2025-06-18', (client) => [client.request('ping')]],
    ['an empty one', '2025-03-26', () => []],
    ['one with a message of 2026-07-28', '2025-03-26', (client) => [client.request('ping'), client.modernMessage('tools/list')]],
    ['one of initialize alone', '2025-03-26', () => [initialize]],
    ['one with initialize first', '2025-03-26', (client) => [initialize, client.request('ping')]],
    ['one with initialize later', '2025-03-26', (client) => [client.request('ping'), initialize]],
    ['one that holds a batch', '2025-03-26', (client) => [[client.request('ping')]]],
    ['one that is too long', '2025-03-26', (client) => Array.from({ length: 51 }, () => client.request('ping'))],
    [
      'one that uses an id twice',
      '2025-03-26',
      (client) => [
        { ...client.request('ping'), id: 7 },
        { ...client.request('ping'), id: 7 },
      ],
    ],
  ]
  for (const [says, version, batch] of refusals)
    it(`refused: ${says}`, async () => {
      const client = await opened('one', version)
      const { status, only } = await client.legacy(batch(client))
      assert.deepEqual([status, only.error?.code], [400, -32600])
      for (const id of [7, 99])
        assert.equal((await client.legacy({ ...client.request('ping'), id })).status, 200, 'the session goes on')
    })

  for (const server of servers)
    it(`accepted in front of ${server}, and judged one by one`, async () => {
      const client = await opened(server, '2025-03-26')
      const [allowed, denied, list] = [
        call(client, 'test_simple_text'),
        call(client, 'test_error_handling'),
        client.request('tools/list'),
      ]
      const notice = { jsonrpc: '2.0', method: 'notifications/roots/list_changed' }
      const { status, messages } = await client.legacy([allowed, denied, notice, list])
      const answerTo = ({ id }: Message): Message => messages.find((message) => message.id === id) ?? {}
      assert.deepEqual([status, messages.length], [200, 3])
      assert.equal(textIn(answerTo(allowed)), 'Plain text from the fixture.')
      assert.deepEqual([answerTo(denied).result?.['isError'], refusalIn(answerTo(denied))], [true, 'POLICY_DENIED'])
      const names = (answerTo(list).result?.['tools'] as { name: string }[]).map(({ name }) => name)
      assert.deepEqual([names.includes('test_simple_text'), names.includes('test_error_handling')], [true, false])
    })

  it('one of nothing but notices is accepted without an answer (7)', async () => {
    const client = await opened('one', '2025-03-26')
    const { status, body } = await client.legacy([{ jsonrpc: '2.0', method: 'notifications/roots/list_changed' }])
    assert.deepEqual([status, body], [202, ''])
  })
})

describe('questions of a server', () => {
  for (const flavour of flavours)
    for (const server of servers)
      it(`${server} may not ask ${flavour} what it did not declare (32, 53)`, async () => {
        const peer = await connect(flavour, `${gateway.url}/${server}/mcp`, {})
        try {
          const outcome = await within(
            5000,
            'an answer',
            peer.call('test_sampling', { prompt: 'Yes?' }).catch((error: Error) => error),
          )
          assert.ok(outcome instanceof Error || outcome.isError, JSON.stringify(outcome))
          assert.deepEqual(peer.asked, [])
          assert.equal((await peer.call('test_simple_text')).isError, false)
        } finally {
          await peer.close()
        }
      })

  const filled = { action: 'accept', content: { username: 'ada', email: 'ada@example.com' } }
  for (const server of servers) {
    it(`of ${server}, answered in a second request: only as it was asked (50-52)`, async () => {
      const client = raw(server)
      const asking = { name: 'test_elicitation', arguments: { message: 'Who?' } }
      const { only } = await client.modern('tools/call', asking)
      assert.equal(only.result?.['resultType'], 'input_required')
      const requestState = only.result?.['requestState'] as string
      const [key] = Object.keys(only.result?.['inputRequests'] as object)
      const inputResponses = { [key as string]: filled }
      const answering = { ...asking, inputResponses, ...(requestState !== undefined && { requestState }) }
      if (requestState !== undefined) {
        const forged: readonly (readonly [string, { name: string }])[] = [
          [
            'a changed state',
            { ...answering, requestState: `${requestState.slice(0, -2)}${requestState.endsWith('AA') ? 'BB' : 'AA'}` },
          ],
          ['a state of another call', { ...answering, name: 'test_simple_text' }],
          ['a state of other arguments', { ...answering, arguments: { message: 'Who else?' } }],
        ]
        for (const [says, params] of forged) {
          const { status, only } = await client.modern('tools/call', params)
          assert.deepEqual([status, only.error?.code], [400, -32602], says)
        }
      }
      const answered = await within(5000, 'the answer', client.modern('tools/call', answering))
      assert.match(textIn(answered.only), /ada/)
      if (server === 'modern') return // a stateless server decides by itself what may come twice
      const again = await within(5000, 'a refusal', client.modern('tools/call', answering))
      assert.deepEqual([again.status, again.only.error?.code], [400, -32602])
    })
  }
})

describe('a client that goes away', () => {
  const witness = async (client: Raw): Promise<readonly string[]> =>
    JSON.parse(textIn((await client.modern('tools/call', { name: 'witness', arguments: {} })).only)) as string[]

  for (const server of ['one', 'modern', 'sse'] as const) {
    it(`of 2026-07-28 has cancelled its call at ${server} (58)`, async () => {
      const client = raw(server)
      const name = `gone-modern-${server}`
      const stop = new AbortController()
      const gone = client.modern('tools/call', { name: 'wait', arguments: { name } }, stop.signal)
      await until('it is under way', async () => (await witness(client)).includes(`began ${name}`))
      stop.abort()
      await assert.rejects(gone)
      await until('it is cancelled', async () => (await witness(client)).includes(`cancelled ${name}`), 5000)
    })

    it(`of 2025-11-25 has not, until it says so, at ${server} (59)`, async () => {
      const client = raw(server)
      await client.open('2025-11-25')
      const name = `gone-legacy-${server}`
      const stop = new AbortController()
      const waiting = call(client, 'wait', { name })
      const gone = client.legacy(waiting, {}, stop.signal)
      await until('it is under way', async () => (await witness(client)).includes(`began ${name}`))
      stop.abort()
      await assert.rejects(gone)
      await client.legacy(client.request('ping'))
      assert.ok(!(await witness(client)).includes(`cancelled ${name}`))
      await client.legacy({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: waiting.id } })
      await until('it is cancelled', async () => (await witness(client)).includes(`cancelled ${name}`), 5000)
    })
  }
})
