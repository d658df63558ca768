/** One caller's malformed `initialize`, which the server rightly refuses, must not decide for everybody which era the server speaks. */
import assert from 'node:assert/strict'
import { after, it } from 'node:test'
import { upstreamOne } from '../e2e/support/yard.ts'
import { Legacy, modern, send } from './support/client.ts'
import { codeOf, keyed, node, open, passed, yard } from './support/house.ts'

const house = yard()
after(() => house.close())

for (const kind of ['stdio', 'http'])
  it(`a real SDK server (${kind}) still serves others after somebody introduced themselves badly`, async () => {
    const { identity, bindings, tokens } = keyed(['alice', 'mallory'])
    const server =
      kind === 'stdio'
        ? { command: node(upstreamOne, '--transport', 'stdio') }
        : { url: `${(await house.upstream(upstreamOne, '--transport', 'http')).url}` }
    const { url } = await house.gateway(open({ x: server }, { identity, bindings }))
    const at = `${url}/x/mcp`
    const alice = await Legacy.open(at, { token: tokens['alice'] })
    assert.equal(alice.opened.status, 200, alice.opened.text)
    passed(await alice.call('tools/list'))
    const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: {} }
    await send(at, {
      headers: { authorization: `Bearer ${tokens['mallory']}` },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params }),
    })
    const again = await Legacy.open(at, { token: tokens['alice'] })
    const got = await again.call('tools/list')
    assert.ok(
      again.opened.status === 200 && codeOf(again.opened) === undefined && !('error' in again.opened.json),
      `legacy: ${again.opened.text}`,
    )
    passed(got)
    passed(await modern(at, 'tools/list', {}, { token: tokens['alice'] }))
  })
