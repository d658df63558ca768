/**
 * The door to all servers, `/mcp`: three servers of three kinds and one that is down, for clients of both eras. One role
 * may use everything; the other, with an API key of its own, may not use `two`.
 */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { newApiKey } from '../../src/identity/api-keys.ts'
import { Legacy, modernParts, Stream } from '../attacks/support/client.ts'
import { type Echo, echo, type Turn, tool } from '../attacks/support/echo.ts'
import { httpServer, passed } from '../attacks/support/house.ts'
import { connect, flavours, type Peer, refusalOf } from './support/peers.ts'
import { Raw, refusalIn } from './support/raw.ts'
import { until } from './support/until.ts'
import { configFor, everything, type Gateway, node, type Running, upstreamOne, upstreamTwo, Yard } from './support/yard.ts'

const yard = new Yard()
after(() => yard.close())
let gateway: Gateway
let two: Running & { readonly url: string }
let dead: Running & { readonly url: string }

before(async () => {
  dead = await yard.upstream(upstreamOne)
  dead.child.kill('SIGKILL')
  await dead.ended
  two = await yard.upstream(upstreamTwo, '--era', 'modern')
  gateway = await yard.gateway(
    configFor({
      zulu: { command: node(upstreamOne, '--transport', 'stdio') },
      two: { url: two.url },
      gone: { url: dead.url },
      bare: { command: node(upstreamOne, '--transport', 'stdio', '--bare') },
    }),
  )
})

const watched = 'test://watched-resource'
const shownUri = (server: string, uri: string): string => `sekisho://${server}/${encodeURIComponent(uri)}`
const serverOf = (name: string): string => name.slice(0, name.indexOf('__'))

for (const flavour of flavours)
  describe(`all servers for ${flavour} (69)`, () => {
    let peer: Peer
    before(async () => {
      peer = await connect(flavour, `${gateway.url}/mcp`)
    })
    after(() => peer?.close())

    it('a name without a server, or of none that is there, is refused', async () => {
      for (const name of ['test_simple_text', '__test_simple_text', 'two_test_simple_text', 'two', ''])
        assert.equal(await refusalOf(peer.call(name)), 'INVALID_PARAMS', name)
      assert.equal(await refusalOf(peer.call('nobody__test_simple_text')), 'SERVER_UNKNOWN')
      await assert.rejects(peer.call('zulu__no_such_tool'), { code: -32602 })
    })

    it('a resource that is not an address of ours is refused', async () => {
      for (const uri of ['test://static-text', 'sekisho://nobody/x', 'sekisho://two', 'sekisho://two/%zz'])
        assert.match(String(await refusalOf(peer.client.readResource({ uri }))), /^(INVALID_PARAMS|SERVER_UNKNOWN)$/, uri)
    })

    it('a server that is down says so to a call, and is missing from lists', async () => {
      assert.equal(await refusalOf(peer.call('gone__test_simple_text')), 'UPSTREAM_UNAVAILABLE')
      assert.ok(!(await peer.tools()).some((name) => name.startsWith('gone__')))
    })

    it('tools come with the id before them, in the order of the configuration (64)', async () => {
      const names = await peer.tools()
      assert.deepEqual([...new Set(names.map(serverOf))], ['zulu', 'two', 'bare'])
      assert.equal(new Set(names).size, names.length)
      assert.deepEqual(await peer.tools(), names)
      const of = (server: string) =>
        names.filter((name) => serverOf(name) === server).map((name) => name.slice(server.length + 2))
      const shared = of('zulu').filter((name) => of('two').includes(name))
      assert.ok(
        shared.includes('test_simple_text') && shared.includes('wait'),
        'the same names at several servers do not collide',
      )
    })

    it('a call goes to the server in its name', async () => {
      const pids = await Promise.all(['zulu__pid', 'bare__pid'].map(async (name) => (await peer.call(name)).text))
      assert.equal(new Set(pids).size, 2)
      for (const name of ['zulu__test_simple_text', 'two__test_simple_text', 'bare__test_simple_text'])
        assert.equal((await peer.call(name)).text, 'Plain text from the fixture.')
    })

    it('a name over 64 characters is shortened, unlike any other, and called by the short one', async () => {
      const names = await peer.tools()
      assert.ok(names.every((name) => name.length <= 64 && /^[A-Za-z0-9_.-]+$/.test(name)))
      const long = names.filter((name) => name.includes('look_up_'))
      assert.deepEqual(long.map(serverOf), ['zulu', 'bare'])
      for (const name of long) assert.equal((await peer.call(name)).text, 'The long one.')
    })

    it('a tool’s ui:// resource has moved with it, and can be read there (156)', async () => {
      const { tools } = await peer.client.listTools()
      const meta = tools.find(({ name }) => name === 'zulu__show')?._meta as { ui: { resourceUri: string } }
      assert.equal(meta.ui.resourceUri, shownUri('zulu', 'ui://panel/main.html'))
      const [part] = (await peer.client.readResource({ uri: meta.ui.resourceUri })).contents
      assert.deepEqual([part?.uri, part && 'text' in part && part.text], [meta.ui.resourceUri, 'This is ui://panel/main.html'])
    })

    it('resources are listed with addresses that can be read, templates with their variables', async () => {
      const uris = (await peer.client.listResources()).resources.map(({ uri }) => uri)
      assert.ok(uris.includes(shownUri('zulu', watched)) && uris.includes(shownUri('two', watched)), String(uris))
      for (const server of ['zulu', 'two']) {
        const uri = shownUri(server, 'test://static-text')
        const [part] = (await peer.client.readResource({ uri })).contents
        assert.deepEqual([part?.uri, part && 'text' in part && part.text], [uri, 'Text that never changes.'])
      }
      const templates = (await peer.client.listResourceTemplates()).resourceTemplates.map(({ uriTemplate }) => uriTemplate)
      assert.deepEqual(
        templates,
        ['zulu', 'two'].map((server) => `sekisho://${server}/test%3A%2F%2Ftemplate%2F{id}%2Fdata`),
      )
      const filled = (templates[1] as string).replace('{id}', '42')
      const [part] = (await peer.client.readResource({ uri: filled })).contents
      assert.match(String(part && 'text' in part && part.text), /"id":"42"/)
    })

    it('prompts are listed, fetched and completed at the server in their name', async () => {
      const names = (await peer.client.listPrompts()).prompts.map(({ name }) => name)
      assert.ok(names.includes('zulu__test_simple_prompt') && names.includes('two__test_simple_prompt'), String(names))
      const { messages } = await peer.client.getPrompt({ name: 'two__test_simple_prompt' })
      assert.deepEqual(messages[0]?.content, { type: 'text', text: 'Say hello.' })
      const argument = { name: 'arg1', value: 'par' }
      const complete = async (name: string) =>
        (await peer.client.complete({ ref: { type: 'ref/prompt', name }, argument })).completion.values
      assert.deepEqual(await complete('two__test_prompt_with_arguments'), ['paris', 'parma'])
      assert.deepEqual(await complete('zulu__test_simple_prompt'), ['paris'])
      const [uri] = [`sekisho://zulu/test%3A%2F%2Ftemplate%2F{id}%2Fdata`]
      assert.deepEqual(
        (await peer.client.complete({ ref: { type: 'ref/resource', uri: uri as string }, argument })).completion.values,
        ['paris'],
      )
    })

    it('changes are heard of under the address they have here (55)', async () => {
      const updates = () =>
        peer.notices.filter(({ method }) => method === 'notifications/resources/updated').map(({ params }) => params['uri'])
      for (const server of ['zulu', 'two']) {
        const uri = shownUri(server, watched)
        await peer.follow(uri)
        await until(`a change at ${server}`, async () => {
          await peer.call(`${server}__test_trigger_resource_change`)
          return until('', () => updates().includes(uri), 1000).catch(() => false)
        })
      }
      assert.ok(updates().every((uri) => [shownUri('zulu', watched), shownUri('two', watched)].includes(String(uri))))
    })

    it('a server’s question is answered here too', async () => {
      for (const server of ['zulu', 'two'])
        assert.match((await peer.call(`${server}__test_elicitation`, { message: 'Who?' })).text, /ada/)
    })
  })

for (const flavour of flavours)
  it(`a server that wants to know something before it lists its tools is listed for ${flavour}`, async () => {
    const curious = await echo({
      era: 'legacy',
      answers: {
        'tools/list': async ({ send }: Turn) => {
          send({ id: 'before', method: 'roots/list' })
          const answer = await until('an answer', () => curious.heard.find(({ message }) => message['id'] === 'before')?.message)
          return { tools: [tool('result' in answer ? 'told' : 'untold')] }
        },
      },
    })
    const peer = await connect(flavour, `${(await yard.gateway(configFor({ curious: httpServer(curious, 'legacy') }))).url}/mcp`)
    assert.deepEqual(await peer.tools(), [peer.era === 'legacy' ? 'curious__told' : 'curious__untold'])
    await peer.close()
    await curious.close()
  })

it('tasks of 2025-11-25 are of the server that made them: listed together, and come back to', async () => {
  const server = (name: string): Promise<Echo> =>
    echo({
      era: 'legacy',
      answers: {
        'tools/call': ({ send }) => {
          send({ method: 'notifications/tasks/status', params: { taskId: '1', status: 'working' } })
          return { task: { taskId: '1', status: 'working' } }
        },
        'tasks/list': ({ params }) =>
          params['cursor'] === undefined
            ? { tasks: [{ taskId: '1', status: name }], nextCursor: 'more' }
            : { tasks: [{ taskId: '2', status: name }] },
        'tasks/get': ({ params }) => ({ taskId: params['taskId'], status: name }),
      },
    })
  const [one, other] = [await server('one'), await server('other')]
  const servers = { one: httpServer(one, 'legacy'), other: httpServer(other, 'legacy') }
  const client = await Legacy.open(`${(await yard.gateway(configFor(servers))).url}/mcp`)
  const got = await client.call('tools/call', { name: 'other__read_note', arguments: {}, task: {} })
  assert.deepEqual(
    got.all.map(({ params, result }) => (params ?? result) as unknown),
    [{ taskId: 'other__1', status: 'working' }, { task: { taskId: 'other__1', status: 'working' } }],
  )
  assert.deepEqual(passed(await client.call('tasks/list')), {
    tasks: ['one', 'other'].flatMap((status) => ['1', '2'].map((id) => ({ taskId: `${status}__${id}`, status }))),
  })
  assert.deepEqual(passed(await client.call('tasks/get', { taskId: 'other__1' })), { taskId: 'other__1', status: 'other' })
  await Promise.all([one.close(), other.close()])
})

describe('forty servers, and the limits that a caller has by default', () => {
  let most = 0
  let many: Echo
  const forty = () => Object.fromEntries(Array.from({ length: 40 }, (_, at) => [`s${at}`, httpServer(many)]))
  before(async () => {
    let underWay = 0
    many = await echo({
      answers: {
        'tools/list': async () => {
          most = Math.max(most, ++underWay)
          await new Promise((resolve) => setImmediate(resolve))
          underWay--
          return { tools: [tool('one')], ttlMs: 0, cacheScope: 'public' }
        },
        'subscriptions/listen': ({ send, message, params }) => {
          const _meta = { 'io.modelcontextprotocol/subscriptionId': message['id'] }
          send({
            method: 'notifications/subscriptions/acknowledged',
            params: { notifications: params['notifications'], _meta },
          })
          return undefined
        },
      },
    })
  })
  after(() => many.close())

  it('all are listed every time, and few of them asked at a time', async () => {
    const client = new Raw(`${(await yard.gateway(configFor(forty(), { limits: {} }))).url}/mcp`)
    for (let time = 0; time < 5; time++) {
      const { only } = await client.modern('tools/list')
      assert.equal((only.result?.['tools'] as unknown[] | undefined)?.length, 40, JSON.stringify(only).slice(0, 300))
    }
    assert.ok(most > 1 && most <= 16, `${most} at a time`)
  })

  it('a subscription to all of them is one stream, and no call under way', async () => {
    const { url } = await yard.gateway(
      configFor(forty(), { limits: { principal: { concurrent: 1 }, stream: { concurrent: 2 } } }),
    )
    const listen = (): Stream => new Stream(`${url}/mcp`, modernParts('subscriptions/listen', { notifications: {} }))
    const streams = [listen(), listen()]
    for (const stream of streams) await until('it stands', () => stream.text.includes('acknowledged'))
    assert.equal((await new Raw(`${url}/mcp`).modern('tools/list')).status, 200)
    const third = listen()
    await until('the third is refused', () => third.text.includes('RATE_LIMITED'))
    streams[0]?.close()
    await until('there is room again', async () => {
      const next = listen()
      await until('an answer', () => next.text.includes('acknowledged') || next.text.includes('RATE_LIMITED'))
      next.close()
      return next.text.includes('acknowledged')
    })
    for (const stream of [...streams, third]) stream.close()
  })
})

describe('all servers, by role', () => {
  const { key: secret, sha256 } = newApiKey('some')
  let restricted: Gateway
  before(async () => {
    const some = [
      { ...everything, server: 'zulu' },
      { ...everything, server: 'bare', tools: ['test_*'] },
    ]
    restricted = await yard.gateway(
      configFor(
        {
          zulu: { command: node(upstreamOne, '--transport', 'stdio') },
          two: { url: two.url },
          bare: { command: node(upstreamOne, '--transport', 'stdio', '--bare') },
        },
        {
          identity: { mode: 'api-keys', keys: [{ id: 'some', sha256 }] },
          roles: { some },
          bindings: [{ role: 'some', apiKey: 'some' }],
        },
      ),
    )
  })
  const bearer = (key: string) => ({ authorization: `Bearer ${key}`, 'mcp-protocol-version': '2026-07-28' })
  const ask = (client: Raw, method: string, params: { name?: string; uri?: string; arguments?: object } = {}, key = secret) => {
    const named = params.name ?? params.uri
    return client.post(client.modernMessage(method, params), {
      ...bearer(key),
      'mcp-method': method,
      ...(named !== undefined && { 'mcp-name': named }),
    })
  }

  it('nobody without a key gets a list (90)', async () => {
    const client = new Raw(`${restricted.url}/mcp`)
    for (const key of ['', 'sk-guessed', newApiKey('some').key])
      assert.equal((await ask(client, 'tools/list', {}, key)).status, 401)
  })

  it('a server that the role cannot use is absent, by whatever way it is asked for (PERM-C1)', async () => {
    const client = new Raw(`${restricted.url}/mcp`)
    const discovered = await ask(client, 'server/discover')
    assert.ok(!JSON.stringify(discovered.only.result).includes('two'))
    const { only } = await ask(client, 'tools/list')
    const names = (only.result?.['tools'] as { name: string }[]).map(({ name }) => name)
    assert.deepEqual([...new Set(names.map(serverOf))], ['zulu', 'bare'])
    assert.ok(names.filter((name) => serverOf(name) === 'bare').every((name) => name.startsWith('bare__test_')))
    assert.equal(only.result?.['cacheScope'], 'private', 'a filtered list is for its caller (66)')
    const attempts: readonly (readonly [string, { name?: string; uri?: string; arguments?: object }])[] = [
      ['tools/call', { name: 'two__test_simple_text', arguments: {} }],
      ['tools/call', { name: 'bare__pid', arguments: {} }],
      ['prompts/get', { name: 'two__test_simple_prompt' }],
      ['resources/read', { uri: shownUri('two', 'test://static-text') }],
    ]
    for (const [method, params] of attempts)
      assert.equal(refusalIn((await ask(client, method, params)).only), 'POLICY_DENIED', method)
  })
})
