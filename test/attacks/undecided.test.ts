/**
 * AUTH-R1, beside the matrix in test/e2e/deny.test.ts: what is listed is what may be called, a method that somebody adds is
 * denied until somebody decides about it, and a server asks the client nothing without a rule. cves.md: Obot /mcp-connect
 * (hidden in one place, not checked in another), ContextForge #3891 (an unknown id falls back to everything).
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { type Got, Legacy, modern } from './support/client.ts'
import { echo, tool } from './support/echo.ts'
import { codeOf, httpServer, node, open, passed, refused, yard } from './support/house.ts'

const house = yard()
after(() => house.close())

describe('what is listed is what may be called', () => {
  const tools = ['read_a', 'read_b', 'write_a', 'delete_a', 'Read_a', 'read', 'a'].map((name) => tool(name))
  const rules = [
    { effect: 'allow', server: 'x', tools: ['read_*', 'write_?', 'a'], class: ['read', 'write'] },
    { effect: 'deny', server: '*', tools: ['*_b'] },
  ]
  const classes = { read: ['read*', 'a'], write: ['write*'] }
  for (const era of ['modern', 'legacy'] as const)
    it(`${era} client, on its own route and among all servers`, async () => {
      const upstream = await echo({ era, tools })
      const { url } = await house.gateway(open({ x: httpServer(upstream, era, { tools: classes }) }, { roles: { all: rules } }))
      for (const [at, prefix] of [
        [`${url}/x/mcp`, ''],
        [`${url}/mcp`, 'x__'],
      ] as const) {
        const session = era === 'legacy' ? await Legacy.open(at) : undefined
        const ask = (method: string, given: Record<string, unknown>): Promise<Got> =>
          session ? session.call(method, given) : modern(at, method, given)
        const listed = (passed(await ask('tools/list', {}))['tools'] as { name: string }[]).map(({ name }) => name)
        const callable: string[] = []
        for (const { name } of tools)
          if (codeOf(await ask('tools/call', { name: `${prefix}${name}`, arguments: {} })) === undefined)
            callable.push(`${prefix}${name}`)
        assert.deepEqual(listed, callable)
        assert.deepEqual(listed, [`${prefix}read_a`, `${prefix}write_a`, `${prefix}a`])
      }
      await upstream.close()
    })
})

describe('a method that somebody adds is denied until somebody decides', () => {
  it('an operator’s row alone lets nothing pass; a rule for its class does', async () => {
    const upstream = await echo()
    const methods = { 'acme/search': { leg: 'call', class: 'read' }, 'acme/erase': { leg: 'call', class: 'destructive' } }
    const servers = { x: httpServer(upstream, 'modern') }
    const closed = await house.gateway(open(servers, { methods, roles: { all: [] } }))
    const reading = await house.gateway(
      open(servers, { methods, roles: { all: [{ effect: 'allow', server: 'x', tools: ['*'], class: ['read'] }] } }),
    )
    for (const [at, method, code] of [
      [closed.url, 'acme/search', 'POLICY_DENIED'],
      [closed.url, 'acme/erase', 'POLICY_DENIED'],
      [reading.url, 'acme/erase', 'POLICY_DENIED'],
      [reading.url, 'acme/other', 'UNKNOWN_METHOD'],
      [reading.url, 'Acme/search', 'UNKNOWN_METHOD'],
    ] as const)
      assert.equal(codeOf(await modern(`${at}/x/mcp`, method)), code, method)
    assert.deepEqual(upstream.methods(), [])
    passed(await modern(`${reading.url}/x/mcp`, 'acme/search'))
    assert.deepEqual(upstream.methods(), ['acme/search'])
    await upstream.close()
  })
})

describe('a server may not ask the client anything without a rule', () => {
  const asking = {
    'elicitation/create': { message: 'Password?', requestedSchema: { type: 'object', properties: {} } },
    'sampling/createMessage': { messages: [], maxTokens: 1 },
    'roots/list': {},
  }
  const capabilities = { elicitation: {}, sampling: {}, roots: {} }
  for (const [method, given] of Object.entries(asking))
    it(`${method}, in both eras`, async () => {
      const inputRequests = { q: { method, params: given } }
      const upstream = await echo({
        answers: { 'tools/call': () => ({ resultType: 'input_required', inputRequests, requestState: 's' }) },
      })
      const local = { command: node(join(import.meta.dirname, 'support/child.ts')) }
      const { url } = await house.gateway(
        open({ x: httpServer(upstream, 'modern'), local }, { roles: { all: [{ effect: 'allow', server: '*', tools: ['*'] }] } }),
      )
      refused(
        await modern(`${url}/x/mcp`, 'tools/call', { name: 'a', arguments: {} }, { capabilities }),
        200,
        'POLICY_DENIED',
        /does not allow the question/,
      )
      const session = await Legacy.open(`${url}/local/mcp`, { capabilities })
      const got = await session.call('tools/call', { name: 'ask', arguments: { method, params: given } })
      assert.ok(!got.all.some((message) => message['method'] === method), got.text)
      assert.match(JSON.stringify(passed(got)), /Policy does not allow the question/)
      await upstream.close()
    })
})

describe('what is named beside the subject is decided on too', () => {
  const rules = [{ effect: 'allow', server: 'x', tools: ['*'], prompts: ['*'], resources: ['public://*'] }]
  const ref = { type: 'ref/resource', uri: 'secret://a' }
  const rows: readonly (readonly [says: string, method: string, params: Record<string, unknown>])[] = [
    [
      'a subscription to a resource',
      'subscriptions/listen',
      { notifications: { resourceSubscriptions: ['public://a', 'secret://a'] } },
    ],
    ['a folder of resources', 'resources/directory/read', { uri: 'secret://a' }],
    ['a skill', 'skills/get', { uri: 'secret://a' }],
    ['a completion', 'completion/complete', { ref, argument: { name: 'a', value: '' } }],
    ['a completion that says it is for a prompt', 'completion/complete', { ref: { ...ref, type: 'ref/prompt', name: 'p' } }],
  ]
  for (const [says, method, params] of rows)
    it(`${says}: ${method}`, async () => {
      const upstream = await echo()
      const { url } = await house.gateway(open({ x: httpServer(upstream) }, { roles: { all: rules } }))
      refused(await modern(`${url}/x/mcp`, method, params), 200, 'POLICY_DENIED', /does not allow the resource "secret:\/\/a"/)
      assert.deepEqual(upstream.methods(), [])
      await upstream.close()
    })

  it('a client’s notices count towards its rate', async () => {
    const upstream = await echo({ era: 'legacy' })
    const limits = { principal: { perMinute: 10, burst: 10, concurrent: 10 } }
    const { url } = await house.gateway(open({ x: httpServer(upstream, 'legacy') }, { limits }))
    const session = await Legacy.open(`${url}/x/mcp`)
    for (let sent = 0; sent < 40; sent++)
      await session.raw({ method: 'notifications/progress', params: { progressToken: 1, progress: sent } })
    await session.call('ping')
    const arrived = upstream.methods().filter((method) => method === 'notifications/progress').length
    await upstream.close()
    assert.ok(arrived <= 10, `${arrived} of 40 reached the server`)
  })
})
