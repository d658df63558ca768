/**
 * What happens when something dies, hangs, is switched off or is changed under way. Every test asks the same three things:
 * is the caller told clearly, does the next call work, and is nothing left behind.
 */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { connect, flavours, type Peer, refusalOf } from './support/peers.ts'
import { Raw, refusalIn, textIn } from './support/raw.ts'
import { until, within } from './support/until.ts'
import { alive, children, cli, configFor, type Ended, everything, type Gateway, node, upstreamOne, Yard } from './support/yard.ts'

const yard = new Yard()
after(() => yard.close())
const local = { command: node(upstreamOne, '--transport', 'stdio') }
const witness = async (peer: Peer): Promise<readonly string[]> => JSON.parse((await peer.call('witness')).text) as string[]
const underWay = (peer: Peer, name: string) =>
  until(`${name} is under way`, async () => (await witness(peer)).includes(`began ${name}`))
const pidOf = async (peer: Peer, tool = 'pid'): Promise<number> => Number((await peer.call(tool)).text)
const gone = (pid: number) => until(`process ${pid} is gone`, () => !alive(pid), 8000)

/** A peer for one test. */
async function having<T>(flavour: (typeof flavours)[number], url: string, use: (peer: Peer) => Promise<T>): Promise<T> {
  const peer = await connect(flavour, url)
  try {
    return await use(peer)
  } finally {
    await peer.close().catch(() => undefined)
  }
}

describe('a local server that dies (81)', () => {
  let gateway: Gateway
  let folder: string
  before(async () => {
    folder = yard.folder()
    const stillborn = ['-e', `require('fs').appendFileSync(${JSON.stringify(join(folder, 'births'))}, 'x'); process.exit(1)`]
    gateway = await yard.gateway(
      configFor({
        local,
        stillborn: { command: [process.execPath, ...stillborn] },
        missing: { command: ['/nowhere/to/be/found'] },
      }),
    )
  })

  for (const flavour of flavours) {
    it(`${flavour}: of itself, in a call: said at once, and the next call finds another`, () =>
      having(flavour, `${gateway.url}/local/mcp`, async (peer) => {
        const pid = await pidOf(peer)
        assert.equal(await within(3000, 'a refusal', refusalOf(peer.call('die'))), 'UPSTREAM_UNAVAILABLE')
        assert.notEqual(await within(5000, 'an answer', pidOf(peer)), pid)
      }))

    it(`${flavour}: by another hand, with calls under way: each is told`, () =>
      having(flavour, `${gateway.url}/local/mcp`, async (peer) => {
        const pid = await pidOf(peer)
        const calls = ['a', 'b'].map((name) => refusalOf(peer.call('wait', { name })))
        await underWay(peer, 'b')
        process.kill(pid, 'SIGKILL')
        assert.deepEqual(await within(3000, 'refusals', Promise.all(calls)), ['UPSTREAM_UNAVAILABLE', 'UPSTREAM_UNAVAILABLE'])
        assert.equal((await within(5000, 'an answer', peer.call('test_simple_text'))).isError, false)
      }))

    it(`${flavour}: its last words are heard`, () =>
      having(flavour, `${gateway.url}/local/mcp`, async (peer) => {
        for (let time = 0; time < 3; time++) {
          await until('there is a process', () => pidOf(peer).catch(() => undefined))
          assert.equal((await peer.call('last_words')).text, 'Farewell.')
        }
      }))
  }

  it('what it started dies with it', () =>
    having('SDK 1', `${gateway.url}/local/mcp`, async (peer) => {
      const grandchild = await pidOf(peer, 'orphan')
      assert.ok(alive(grandchild))
      await refusalOf(peer.call('die'))
      await gone(grandchild)
    }))

  it('one that cannot be started is given time, and callers are told at once', async () => {
    for (const flavour of flavours)
      await assert.rejects(connect(flavour, `${gateway.url}/missing/mcp`), /cannot be reached|HTTP 502/)
    const began = performance.now()
    for (let time = 0; time < 40; time++)
      await assert.rejects(connect('SDK 1', `${gateway.url}/stillborn/mcp`), /cannot be reached/)
    const births = readFileSync(join(folder, 'births'), 'utf8').length
    const mostIn = (ms: number): number => Math.ceil(Math.log2(ms / 100 + 1)) + 2
    assert.ok(births <= mostIn(performance.now() - began), `${births} processes for 40 calls`)
  })
})

describe('the processes of one caller (81)', () => {
  it('end with their sessions, and the oldest that nobody uses makes room', { timeout: 30_000 }, async () => {
    const gateway = await yard.gateway(configFor({ local: { ...local, childrenMax: 2 } }))
    const open = async (): Promise<{ raw: Raw; pid: number }> => {
      const raw = new Raw(`${gateway.url}/local/mcp`)
      await raw.open('2025-11-25')
      const { only } = await raw.legacy(raw.request('tools/call', { name: 'pid', arguments: {} }))
      return { raw, pid: Number(textIn(only)) }
    }
    const first = await open()
    assert.ok(alive(first.pid))
    await first.raw.end()
    await gone(first.pid)
    const pids: number[] = []
    for (let session = 0; session < 4; session++) pids.push((await open()).pid)
    assert.equal(new Set(pids).size, 4, String(pids))
    await until('there are no more than two', () => pids.filter(alive).length <= 2, 5000)
  })
})

describe('a remote server that is down', () => {
  it('is refused to whoever calls its tools by name, again and again', async () => {
    const gateway = await yard.gateway(
      configFor({ down: { url: 'http://127.0.0.1:9/mcp' }, modern: { url: 'http://127.0.0.1:9/mcp', era: 'modern' } }),
    )
    for (const server of ['down', 'modern', 'down', 'modern']) {
      const { only } = await new Raw(`${gateway.url}/${server}/mcp`).modern('tools/call', { name: 'never_listed', arguments: {} })
      assert.equal(refusalIn(only), 'UPSTREAM_UNAVAILABLE')
    }
    assert.ok(alive(gateway.pid))
  })
})

describe('a remote server that is started anew (74)', { concurrency: 3 }, () => {
  for (const flavour of flavours)
    it(`${flavour}: the call after it does not notice, nor does the stream`, { timeout: 30_000 }, async () => {
      const first = await yard.upstream(upstreamOne)
      const gateway = await yard.gateway(configFor({ one: { url: first.url } }))
      await having(flavour, `${gateway.url}/one/mcp`, async (peer) => {
        await peer.follow('test://watched-resource')
        const waiting = refusalOf(peer.call('wait', { name: 'w' }))
        await underWay(peer, 'w')
        first.child.kill('SIGKILL')
        assert.equal(await within(5000, 'a refusal', waiting), 'UPSTREAM_UNAVAILABLE')
        assert.equal(await refusalOf(peer.call('test_simple_text')), 'UPSTREAM_UNAVAILABLE', 'while it is down')
        await first.ended
        await yard.upstream(upstreamOne, '--port', new URL(first.url).port)
        assert.equal((await peer.call('test_simple_text')).text, 'Plain text from the fixture.')
        const heard = () => peer.notices.filter(({ method }) => method === 'notifications/tools/list_changed').length
        const before = heard()
        await until('a change is heard of', async () => {
          await peer.call('test_trigger_tool_change')
          return heard() > before
        })
      })
      gateway.child.kill('SIGTERM')
    })
})

describe('a server that never answers (60)', { concurrency: 7 }, () => {
  let gateway: Gateway
  let mute: Server
  before(async () => {
    mute = createServer(() => undefined).listen(0, '127.0.0.1')
    await until('it listens', () => mute.listening)
    const { port } = mute.address() as { port: number }
    const times = { requestTimeoutMs: 1500, requestTimeoutMsMax: 3500 }
    const one = await yard.upstream(upstreamOne)
    gateway = await yard.gateway(
      configFor({
        http: { url: one.url, ...times },
        stdio: { ...local, ...times },
        mute: { url: `http://127.0.0.1:${port}/mcp`, ...times },
      }),
    )
  })
  after(() => mute.close())

  for (const flavour of flavours)
    for (const server of ['http', 'stdio'])
      it(`${flavour} → ${server}: UPSTREAM_TIMEOUT, and the server is told`, () =>
        having(flavour, `${gateway.url}/${server}/mcp`, async (peer) => {
          const name = `late-${flavour}`
          assert.equal(await within(5000, 'a refusal', refusalOf(peer.call('wait', { name }))), 'UPSTREAM_TIMEOUT')
          await until('it is cancelled', async () => (await witness(peer)).includes(`cancelled ${name}`), 2000)
          const began = performance.now()
          const drip = refusalOf(peer.call('drip', { name: `drip-${name}` }, { onprogress: () => undefined }))
          assert.equal(await within(8000, 'a refusal', drip), 'UPSTREAM_TIMEOUT')
          assert.ok(performance.now() - began >= 3400, 'progress gives it time, up to the maximum')
          await until('it is cancelled', async () => (await witness(peer)).includes(`cancelled drip-${name}`), 2000)
        }))

  it('is missing from the door to all servers, where the others are', async () => {
    for (const flavour of flavours)
      await having(flavour, `${gateway.url}/mcp`, async (peer) => {
        const servers = new Set((await within(8000, 'a list', peer.tools())).map((name) => name.split('__')[0]))
        assert.deepEqual([...servers], ['http', 'stdio'], flavour)
      })
  })
})

describe('an operator', () => {
  it('stops it with SIGTERM: calls end, the log is whole, every process is gone', { timeout: 30_000 }, async () => {
    const gateway = await yard.gateway(configFor({ local }))
    const peers = await Promise.all(flavours.map((flavour) => connect(flavour, `${gateway.url}/local/mcp`)))
    const pids: number[] = []
    for (const peer of peers) pids.push(await pidOf(peer), await pidOf(peer, 'orphan'))
    await peers[0]?.call('linger')
    const calls = peers.map((peer, at) =>
      peer.call('wait', { name: `last-${at}` }).then(
        () => 'answered',
        () => 'ended',
      ),
    )
    for (const [at, peer] of peers.entries()) await underWay(peer, `last-${at}`)
    assert.ok(pids.every(alive))
    gateway.child.kill('SIGTERM')
    assert.deepEqual(await within(8000, 'the end', gateway.ended), { code: 0, signal: null } satisfies Ended)
    assert.deepEqual(await within(2000, 'the calls', Promise.all(calls)), ['ended', 'ended', 'ended'])
    assert.deepEqual(pids.filter(alive), [])
    await Promise.all(peers.map((peer) => peer.close().catch(() => undefined)))
    const verified = yard.start([cli, 'audit', 'verify', '--config', gateway.configFile], { cwd: gateway.folder })
    assert.equal((await verified.ended).code, 0, verified.out.join('\n') + verified.errors.join('\n'))
  })

  it('disables a server: within a second, open streams included; and enables it', { timeout: 30_000 }, async () => {
    const gateway = await yard.gateway(configFor({ local, other: local }))
    const say = async (...args: string[]): Promise<void> => {
      const { code } = await yard.start([cli, 'servers', ...args, '--config', gateway.configFile], { cwd: gateway.folder }).ended
      assert.equal(code, 0)
    }
    const peers = await Promise.all(flavours.map((flavour) => connect(flavour, `${gateway.url}/local/mcp`)))
    const other = await connect('SDK 1', `${gateway.url}/other/mcp`)
    const pids = await Promise.all(peers.map((peer) => pidOf(peer)))
    for (const peer of peers) await peer.follow('test://watched-resource')
    const calls = peers.map((peer, at) => refusalOf(peer.call('wait', { name: `cut-${at}` })))
    for (const [at, peer] of peers.entries()) await underWay(peer, `cut-${at}`)
    await peers[0]?.call('linger')
    await say('disable', 'local', '--reason', 'a drill')
    assert.deepEqual(await within(1000, 'the calls end', Promise.all(calls)), Array(3).fill('SERVER_DISABLED'))
    for (const peer of peers) assert.equal(await refusalOf(peer.call('test_simple_text')), 'SERVER_DISABLED')
    const ended = (): number =>
      gateway.outcomes().filter(({ method }) => method === 'session/stream' || method === 'subscriptions/listen').length
    await until('the streams have ended', () => ended() >= 3, 1000)
    assert.equal((await other.call('test_simple_text')).isError, false, 'the other server goes on')
    await say('enable', 'local')
    const fresh = await until('it serves again', () => pidOf(peers[0] as Peer).catch(() => undefined), 2000)
    await Promise.all(pids.map(gone))
    assert.equal(await pidOf(peers[0] as Peer), fresh, 'the end of the old process does not end the new one')
    for (const peer of peers) assert.equal((await peer.call('test_simple_text')).isError, false)
    await Promise.all([...peers, other].map((peer) => peer.close().catch(() => undefined)))
  })

  it('is not kept waiting by a server that never answers', { timeout: 30_000 }, async () => {
    const mute = { command: [process.execPath, '-e', 'setInterval(() => undefined, 1000)'] }
    const gateway = await yard.gateway(configFor({ mute, local }))
    const peer = await connect('SDK 1', `${gateway.url}/local/mcp`)
    const waiting = flavours.map((flavour) =>
      connect(flavour, `${gateway.url}/mute/mcp`).then(
        () => 'connected',
        () => 'refused',
      ),
    )
    assert.equal((await peer.call('test_simple_text')).isError, false)
    await until('it has been started', () => gateway.child.pid && children(gateway.pid).length >= 3)
    const pids = children(gateway.pid)
    gateway.child.kill('SIGTERM')
    assert.deepEqual(await within(8000, 'the end', gateway.ended), { code: 0, signal: null } satisfies Ended)
    assert.deepEqual(await within(1000, 'the clients are told', Promise.all(waiting)), ['refused', 'refused', 'refused'])
    assert.deepEqual(pids.filter(alive), [])
    await peer.close().catch(() => undefined)
  })

  it('changes the configuration: taken over live, and a broken one keeps the old', { timeout: 30_000 }, async () => {
    const gateway = await yard.gateway(configFor({ local, leaving: local }))
    const peer = await connect('SDK 2 modern', `${gateway.url}/local/mcp`)
    const leaving = await connect('SDK 1', `${gateway.url}/leaving/mcp`)
    const [pid, left] = [await pidOf(peer), await pidOf(leaving)]
    const deny = { effect: 'deny', server: 'local', tools: ['test_error_handling'] }
    const next = configFor({ local, joining: local }, { roles: { all: [everything, deny] } })
    gateway.rewrite(next)
    await until('the new rule is in force', async () => (await refusalOf(peer.call('test_error_handling'))) === 'POLICY_DENIED')
    assert.equal(await pidOf(peer), pid, 'a server that did not change keeps its process')
    await having('SDK 1', `${gateway.url}/joining/mcp`, async (joining) =>
      assert.equal((await joining.call('test_simple_text')).isError, false),
    )
    await gone(left)
    assert.equal(await refusalOf(leaving.call('test_simple_text')), 'SERVER_UNKNOWN')
    const refused = (): number => gateway.out.filter((line) => line.startsWith('{"event":"config-refused"')).length
    for (const [broken, at] of [
      ['servers: [', 1],
      ['', 2],
      [JSON.stringify({ ...next, polcy: [] }), 3],
    ] as const) {
      gateway.rewrite(broken)
      await until(`${broken} is refused`, () => refused() >= at)
      assert.equal(await refusalOf(peer.call('test_error_handling')), 'POLICY_DENIED')
      assert.equal(await pidOf(peer), pid)
    }
    writeFileSync(gateway.configFile, JSON.stringify(configFor({ local })))
    await until('the next good one is in force', async () => (await peer.call('test_error_handling')).text.includes('on purpose'))
    await Promise.all([peer, leaving].map((one) => one.close().catch(() => undefined)))
  })
})
