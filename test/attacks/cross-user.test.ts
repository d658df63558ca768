/**
 * What one person was given is nothing in another's hands, nor in the hands of another program that acts for the same person
 * (SES-R1 to SES-R3, SES-C1, SES-C3, SES-C4, SES-C6; TPT-R2; CVE-2026-52869, CVE-2026-52870). Everybody here has a good
 * token of the same provider for the same server: only whose it is differs.
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { openStore } from '../../src/storage/embedded.ts'
import type { Gateway } from '../e2e/support/yard.ts'
import { type Got, Legacy, modern, modernParts, type Sending, Stream, send } from './support/client.ts'
import { type Echo, echo, type Json, saying, type Turn, tool } from './support/echo.ts'
import { codeOf, httpServer, open, passed, refused, textOf, until, yard } from './support/house.ts'
import { type Issuer, issuer } from './support/issuer.ts'

const house = yard()
const resource = (server: string): string => `${url}/${server}/mcp`
const capabilities = { elicitation: {}, extensions: { 'io.modelcontextprotocol/tasks': {} } }
const listening = new Set<Turn>()
let provider: Issuer
let upstream: Echo
let older: Echo
let gateway: Gateway
let url: string
let release = (): void => undefined

type Who = 'alice' | 'alice elsewhere' | 'bob'
const who = (name: Who, claims: object = {}, server = 'x'): string =>
  provider.token(resource(server), name === 'bob' ? 'bob' : 'alice', {
    ...(name === 'alice elsewhere' && { client_id: 'other-program' }),
    ...claims,
  })
const others: readonly Who[] = ['bob', 'alice elsewhere']

before(async () => {
  provider = await issuer({ scopes: {}, clients: ['editor', 'other-program'] })
  const results = new Map<unknown, Json>()
  const known = ({ params }: { params: Json }): Json => results.get(params['taskId']) ?? { code: -32602, message: 'no such task' }
  const ask = { method: 'elicitation/create', params: { message: 'PIN?', requestedSchema: { type: 'object', properties: {} } } }
  const call = ({ params }: Turn): Json | Promise<Json> => {
    if (params['name'] === 'hang')
      return new Promise((resolve) => {
        release = () => resolve(saying('too late'))
      })
    if (params['name'] === 'ask')
      return params['requestState'] === undefined
        ? { resultType: 'input_required', inputRequests: { pin: ask }, requestState: 'of the server' }
        : saying('went on')
    if (params['name'] !== 'task') return saying(`hello ${JSON.stringify(params['arguments'])}`)
    const taskId = `task-${results.size}`
    results.set(taskId, { taskId, status: 'completed', result: { content: [{ type: 'text', text: 'a secret of alice' }] } })
    return { resultType: 'task', taskId, status: 'working', ttlMs: 60_000 }
  }
  const listen = (turn: Turn): undefined => {
    listening.add(turn)
    turn.response.once('close', () => listening.delete(turn))
    const _meta = { 'io.modelcontextprotocol/subscriptionId': turn.message['id'] }
    const params = { notifications: turn.params['notifications'], _meta }
    turn.send({ method: 'notifications/subscriptions/acknowledged', params })
    return undefined
  }
  const tools = [tool('hello'), tool('task'), tool('ask'), tool('hang')]
  const tasks = { 'tasks/get': known, 'tasks/update': known, 'tasks/cancel': known }
  upstream = await echo({ tools, answers: { 'tools/call': call, 'subscriptions/listen': listen, ...tasks } })
  older = await echo({ era: 'legacy', tools, answers: { 'tools/call': call } })
  const bindings = [
    { role: 'all', client: 'editor' },
    { role: 'all', client: 'other-program' },
  ]
  const servers = { x: httpServer(upstream, 'modern'), old: httpServer(older, 'legacy') }
  gateway = await house.gateway(open(servers, { identity: provider.identity, bindings }))
  url = gateway.url
})
after(async () => {
  release()
  await house.close()
  await Promise.all([upstream.close(), older.close(), provider.close()])
})

const xs = (): string => `${url}/x/mcp`
const pay = { name: 'ask', arguments: { amount: 1 } }

it('the exploit: the server itself takes every handle from anybody', async () => {
  const started = await modern(xs(), 'tools/call', { name: 'task' }, { token: who('alice'), capabilities })
  assert.match((await modern(upstream.url, 'tasks/get', { taskId: passed(started)['taskId'] })).text, /a secret of alice/)
  assert.match((await modern(upstream.url, 'tools/call', { ...pay, requestState: 'of the server' })).text, /went on/)
})

for (const thief of others) {
  describe(`${thief}, with what alice was given`, () => {
    it('has no requestState', async () => {
      const asked = await modern(xs(), 'tools/call', pay, { token: who('alice'), capabilities })
      const requestState = passed(asked)['requestState'] as string
      const answered = { inputResponses: { pin: { action: 'accept', content: {} } }, requestState }
      refused(
        await modern(xs(), 'tools/call', { ...pay, ...answered }, { token: who(thief), capabilities }),
        400,
        'STATE_REFUSED',
        /not one that was given to you/,
      )
      assert.equal(
        textOf(await modern(xs(), 'tools/call', { ...pay, ...answered }, { token: who('alice'), capabilities })),
        'went on',
      )
    })

    for (const method of ['tasks/get', 'tasks/update', 'tasks/cancel'])
      it(`has no task: ${method}`, async () => {
        const started = await modern(xs(), 'tools/call', { name: 'task' }, { token: who('alice'), capabilities })
        const { taskId } = passed(started)
        const asked = upstream.methods().filter((one) => one === method).length
        const got = await modern(xs(), method, { taskId }, { token: who(thief), capabilities })
        assert.ok(codeOf(got) !== undefined && !got.text.includes('secret'), got.text)
        assert.equal(upstream.methods().filter((one) => one === method).length, asked)
      })

    it('has no subscription to alice’s tasks', async () => {
      const started = await modern(xs(), 'tools/call', { name: 'task' }, { token: who('alice'), capabilities })
      const params = { notifications: { taskIds: [passed(started)['taskId']] } }
      const got = await modern(xs(), 'subscriptions/listen', params, { token: who(thief), capabilities })
      assert.ok(codeOf(got) !== undefined, got.text)
    })

    for (const server of ['x', 'old'])
      describe(`has no session of alice on /${server}`, () => {
        const at = (): string => `${url}/${server}/mcp`
        const ways: readonly (readonly [says: string, sending: (eventId: string) => Sending])[] = [
          [
            'POST a call',
            () => ({ body: '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"hello","arguments":{}}}' }),
          ],
          ['POST a list', () => ({ body: '{"jsonrpc":"2.0","id":1,"method":"tools/list"}' })],
          ['POST ping', () => ({ body: '{"jsonrpc":"2.0","id":1,"method":"ping"}' })],
          [
            'POST a cancellation',
            () => ({ body: '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}' }),
          ],
          ['POST an answer', () => ({ body: '{"jsonrpc":"2.0","id":"sekisho-1","result":{}}' })],
          ['GET the stream', () => ({ method: 'GET' })],
          ['GET with alice’s event id', (eventId) => ({ method: 'GET', headers: { 'last-event-id': eventId } })],
          ['DELETE', () => ({ method: 'DELETE' })],
        ]
        for (const [says, sending] of ways)
          it(`${says}: the same 404 as for an id that never was`, async () => {
            const session = await Legacy.open(at(), { token: who('alice', {}, server) })
            const eventId = `${'A'.repeat(43)}_1`
            const as = (id: string): Promise<Got> => {
              const { headers, ...rest } = sending(eventId)
              return send(at(), {
                ...rest,
                headers: { ...headers, authorization: `Bearer ${who(thief, {}, server)}`, 'mcp-session-id': id },
              })
            }
            const theirs = await as(session.session)
            refused(theirs, 404, 'SESSION_UNKNOWN', /no such session/)
            const plain = ({ text }: Got): string => text.replaceAll(/"exchange":"[\w-]+"|audit trace [\w-]+/g, '')
            assert.equal(plain(theirs), plain(await as('B'.repeat(43))))
            assert.equal(textOf(await session.call('tools/call', { name: 'hello', arguments: {} })), 'hello {}')
          })
      })
  })
}

describe('one person, one program, many tokens', () => {
  it('a session goes on with the next token of its owner', async () => {
    const session = await Legacy.open(xs(), { token: who('alice') })
    const next = await send(xs(), {
      body: '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"hello","arguments":{}}}',
      headers: { authorization: `Bearer ${who('alice')}`, 'mcp-session-id': session.session },
    })
    assert.equal(textOf(next), 'hello {}')
  })

  it('a step-up gives the session a new name, and the old one is dead (SES-C4)', async () => {
    const session = await Legacy.open(xs(), { token: who('alice') })
    const list = (id: string, token: string): Promise<Got> =>
      send(xs(), {
        body: '{"jsonrpc":"2.0","id":1,"method":"tools/list"}',
        headers: { authorization: `Bearer ${token}`, 'mcp-session-id': id },
      })
    const more = who('alice', { scope: 'mcp pay' })
    const first = await list(session.session, more)
    const renamed = String(first.headers['mcp-session-id'])
    assert.match(renamed, /^[A-Za-z0-9_-]{43}$/)
    assert.notEqual(renamed, session.session)
    refused(await list(session.session, who('alice')), 404, 'SESSION_UNKNOWN', /no such session/)
    assert.equal((await list(session.session, more)).headers['mcp-session-id'], renamed, 'what was on its way arrives')
    await wait(5500)
    refused(await list(session.session, more), 404, 'SESSION_UNKNOWN', /no such session/)
    assert.equal((await list(renamed, more)).status, 200)
    assert.equal((await list(renamed, who('alice'))).headers['mcp-session-id'], undefined, 'less is not a step up')
  })
})

describe('SES-C1: a revocation ends what is under way within a second', () => {
  /** As another process on the same store does it. */
  async function revoke(kind: 'user' | 'client' | 'holder' | 'token', value: string): Promise<void> {
    const store = await openStore(`sqlite:${join(gateway.folder, 'data/sekisho.db')}`)
    await store.revoke(kind, value, 'operator', 'test')
    await store.close()
  }
  const idOf = async (): Promise<string> => {
    const { principal } = gateway.outcomes().at(-1) as { principal: string }
    return principal
  }

  for (const kind of ['user', 'client', 'holder', 'token'] as const)
    it(`by ${kind}: stream closed, session gone, running call without a result, the next request a 401`, async () => {
      const sub = `victim-${kind}`
      const client = kind === 'client' ? 'other-program' : 'editor'
      const token = provider.token(resource('x'), sub, { jti: `jti-${kind}`, client_id: client })
      const session = await Legacy.open(xs(), { token })
      const standing = new Stream(xs(), { method: 'GET', headers: session.headers() })
      const parts = modernParts('subscriptions/listen', { notifications: { toolsListChanged: true } }, { token })
      const subscription = new Stream(xs(), parts)
      await until('both streams', () => subscription.text.includes('acknowledged'))
      const running = session.call('tools/call', { name: 'hang', arguments: {} })
      await until('a running call', () =>
        upstream.heard.some(({ message }) => (message['params'] as Json | undefined)?.['name'] === 'hang'),
      )
      const user = await idOf()
      const value = { user, client, holder: `${user} ${client}`, token: `jti-${kind}` }[kind]
      await revoke(kind, value)
      await until('the streams end', () => standing.ended && subscription.ended)
      release()
      const { text } = await running
      assert.ok(!text.includes('too late'), text)
      assert.equal((await modern(xs(), 'tools/list', {}, { token })).status, 401)
      refused(await session.call('ping'), 401, 'UNAUTHENTICATED', /No valid credential/)
      upstream.heard.length = 0
    })

  it('a stream ends with its token; nothing arrives after it', async () => {
    const token = who('alice', { exp: Math.floor(Date.now() / 1000) - 28 }) // two seconds are left of the skew of thirty
    const parts = modernParts('subscriptions/listen', { notifications: { toolsListChanged: true } }, { token })
    const subscription = new Stream(xs(), parts)
    await until('the subscription ends', () => subscription.ended)
    assert.ok(!subscription.text.includes('list_changed'))
  })
})
