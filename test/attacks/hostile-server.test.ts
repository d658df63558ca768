/**
 * A server that lies about what its messages are: names of our own acts, questions it may not ask, notices for the calls of
 * others. cves.md: CVE-2026-25536 (what belongs to one client went to another).
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { envelope, Legacy, modern, modernParts, Stream, send } from './support/client.ts'
import { type Echo, echo, type Json, saying, type Turn } from './support/echo.ts'
import { httpServer, keyed, node, open, passed, refused, until, yard } from './support/house.ts'

const house = yard()
const { identity, bindings, tokens } = keyed(['alice', 'bob'])
const { alice, bob } = tokens as { alice: string; bob: string }
const sharedFile = join(house.folder(), 'shared.jsonl')
const child = node(join(import.meta.dirname, 'support/child.ts'))
const capabilities = { elicitation: {}, sampling: {}, roots: {}, session: {}, notifications: {}, tools: {}, logging: {} }
/** What the next call makes the server say first. */
let says: Json[] = []
let newer: Echo
let older: Echo
let url: string

before(async () => {
  const speak = ({ send: tell }: Turn): Json => {
    for (const message of says) tell(message)
    return saying('done')
  }
  const astray = ({ response }: Turn): undefined =>
    void response
      .writeHead(200, { 'content-type': 'application/json' })
      .end('{"jsonrpc":"2.0","id":"somebody","result":{"resultType":"complete","messages":[]}}')
  newer = await echo({ era: 'modern', answers: { 'tools/call': speak, 'prompts/get': astray } })
  older = await echo({ era: 'legacy', answers: { 'tools/call': speak } })
  const servers = {
    newer: httpServer(newer, 'modern'),
    older: httpServer(older, 'legacy'),
    local: { command: child },
    shared: { command: [...child, sharedFile], shared: true },
  }
  url = (await house.gateway(open(servers, { identity, bindings }))).url
})
after(async () => {
  await house.close()
  await Promise.all([newer.close(), older.close()])
})

const internal = ['session/stream', 'session/streaming', 'session/paused', 'session/delete', 'HTTP POST']
const foreign = ['tools/call', 'initialize', 'ping2', 'notifications/cancelled', '__proto__', 'constructor', 'acme/ask']

describe('a server uses the names of our own acts, or asks what no server may ask', () => {
  for (const server of ['newer', 'older', 'local'] as const)
    for (const method of [...internal, ...foreign])
      it(`${server}: ${method}, as a question and as a notice`, async () => {
        const session = await Legacy.open(`${url}/${server}/mcp`, { token: alice, capabilities })
        const standing = new Stream(session.url, { method: 'GET', headers: session.headers() })
        await until('a standing stream', () => standing.status === 200)
        const params = { retryMs: 1, uri: 'x', name: 'x' }
        says = [{ id: 900, method, params }, ...(method === 'notifications/cancelled' ? [] : [{ method, params }])]
        for (const stream of older.standing)
          for (const message of says) stream.write(`data: ${JSON.stringify({ jsonrpc: '2.0', ...message })}\n\n`)
        const got = await session.call('tools/call', { name: 'say', arguments: { messages: says } })
        passed(got)
        assert.deepEqual(
          got.all.filter((message) => message['method'] !== undefined),
          [],
        )
        passed(await session.call('tools/list')) // the session is alive: nothing was ended or paused
        assert.ok(!standing.ended)
        assert.deepEqual(standing.messages, [])
        standing.close()
      })

  it('a legacy server is told that nobody can answer', async () => {
    const session = await Legacy.open(`${url}/older/mcp`, { token: alice, capabilities })
    says = [{ id: 901, method: 'session/delete', params: {} }]
    older.heard.length = 0
    passed(await session.call('tools/call', { name: 'x' }))
    const answer = await until('an answer', () => older.heard.find(({ message }) => message['id'] === 901))
    assert.equal((answer.message['error'] as Json)['code'], -32601)
  })
})

describe('a client uses the names of our own acts', () => {
  for (const method of internal)
    it(method, async () => {
      const session = await Legacy.open(`${url}/older/mcp`, { token: alice })
      passed(await session.call('tools/list'))
      older.heard.length = 0
      refused(await session.call(method), 200, 'UNKNOWN_METHOD', /Method not found/)
      assert.equal((await session.raw({ method })).status, 202)
      for (const route of ['newer/mcp', 'mcp'])
        refused(await modern(`${url}/${route}`, method, {}, { token: alice }), 404, 'UNKNOWN_METHOD', /Method not found/)
      assert.deepEqual(older.methods(), [])
      passed(await session.call('tools/list'))
    })
})

describe('a server speaks to somebody else’s request', () => {
  const progress = (progressToken: unknown): Json => ({
    method: 'notifications/progress',
    params: { progressToken, progress: 1 },
  })
  const tokensIn = (all: readonly Json[]): unknown[] =>
    all.filter(({ method }) => method === 'notifications/progress').map(({ params }) => (params as Json)['progressToken'])

  it('progress under any token arrives under the token of the call it came with', async () => {
    says = [progress('of-somebody'), progress(1), progress(null)]
    for (const server of ['newer', 'older']) {
      const got = await modern(
        `${url}/${server}/mcp`,
        'tools/call',
        { name: 'x', _meta: { progressToken: 'mine' } },
        { token: alice },
      )
      assert.deepEqual(tokensIn(got.all), ['mine', 'mine', 'mine'])
      const silent = await modern(`${url}/${server}/mcp`, 'tools/call', { name: 'x' }, { token: alice })
      assert.deepEqual(tokensIn(silent.all), [])
    }
  })

  it('on a shared child, progress for the call of another does not leave that other’s exchange', async () => {
    const at = `${url}/shared/mcp`
    const waiting = modern(
      at,
      'tools/call',
      { name: 'wait', arguments: { ms: 300 }, _meta: { progressToken: 'bob' } },
      { token: bob },
    )
    const messages = Array.from({ length: 40 }, (_, id) => progress(id))
    const got = await modern(
      at,
      'tools/call',
      { name: 'say', arguments: { messages }, _meta: { progressToken: 'alice' } },
      { token: alice },
    )
    assert.deepEqual([...new Set(tokensIn(got.all))], ['alice'])
    assert.ok(tokensIn((await waiting).all).every((token) => token === 'bob'))
  })

  it('progress for a call that is over does not turn up on the standing stream, under a token the client may be using', {}, async () => {
    for (const server of ['local', 'older']) {
      const session = await Legacy.open(`${url}/${server}/mcp`, { token: alice })
      const standing = new Stream(session.url, { method: 'GET', headers: session.headers() })
      await until('a standing stream', () => standing.status === 200 && (server === 'local' || older.standing.size > 0))
      const last = { method: 'notifications/tools/list_changed' }
      const messages = [progress(2), last]
      if (server === 'local') await session.call('tools/call', { name: 'later', arguments: { messages, ms: 50 } })
      for (const stream of older.standing)
        for (const message of messages) stream.write(`data: ${JSON.stringify({ jsonrpc: '2.0', ...message })}\n\n`)
      await until('the last message', () => standing.messages.some(({ method }) => method === last.method))
      standing.close()
      assert.deepEqual(tokensIn(standing.messages), [])
    }
  })

  it('a notice on a call does not carry the id of a subscription', async () => {
    const _meta = { 'io.modelcontextprotocol/subscriptionId': 'the-clients-own' }
    says = [{ method: 'notifications/tools/list_changed', params: { _meta } }]
    const got = await modern(`${url}/newer/mcp`, 'tools/call', { name: 'x' }, { token: alice })
    assert.ok(!JSON.stringify(got.all).includes('the-clients-own'))
  })

  it('an answer under another id is the answer to the request that was sent, and carries its id', async () => {
    const wrong = await echo({
      answers: {
        'tools/call': ({ response }) =>
          void response
            .writeHead(200, { 'content-type': 'application/json' })
            .end('{"jsonrpc":"2.0","id":"somebody","result":{"resultType":"complete","content":[]}}'),
      },
    })
    const { url: at } = await house.gateway(open({ x: httpServer(wrong) }))
    const got = await modern(`${at}/x/mcp`, 'tools/call', { name: 'x' }, { id: 'mine' })
    assert.ok(got.json['id'] === 'mine' && !got.text.includes('somebody'))
    await wrong.close()
  })
})

describe('one child for all (shared: true) is one process, and still not one client', () => {
  const question = {
    id: 77,
    method: 'elicitation/create',
    params: { message: 'alice, your PIN?', requestedSchema: { type: 'object', properties: {} } },
  }
  const log = { method: 'notifications/message', params: { level: 'error', data: 'a secret of alice' } }
  const meta = { ...envelope({ elicitation: {} }), 'io.modelcontextprotocol/logLevel': 'debug' }
  for (const [what, message] of [
    ['question', question],
    ['log line', log],
  ] as const)
    it(`a ${what} that belongs to alice does not reach bob, whose call is the latest`, async () => {
      const at = `${url}/shared/mcp`
      passed(await modern(at, 'tools/call', { name: 'later', arguments: { messages: [message], ms: 150 } }, { token: alice }))
      const got = await modern(
        at,
        'tools/call',
        { name: 'wait', arguments: { ms: 500 }, _meta: meta },
        { token: bob, capabilities: { elicitation: {} } },
      )
      assert.ok(!got.text.includes('alice'), got.text)
    })

  it('a modern client cannot cancel by an id of ours (the call of another, on a shared child)', {}, async () => {
    for (let requestId = 0; requestId < 10; requestId++) {
      const { body, headers } = modernParts('notifications/cancelled', { requestId, reason: 'bob' }, { token: bob })
      await send(`${url}/shared/mcp`, { headers, body: body.toString().replace('"id":1,', '') })
    }
    assert.ok(!readFileSync(sharedFile, 'utf8').includes('notifications/cancelled'))
  })
})
