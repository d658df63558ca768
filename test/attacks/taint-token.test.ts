/**
 * TPT-C3, TPT-R6, AUTH-R2: a marker stands in a claim of the caller's own access token. Afterwards it is in nothing that any
 * server, child, log, record or database was given: neither the token, nor a part of it, nor what is inside.
 */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, it } from 'node:test'
import type { Gateway } from '../e2e/support/yard.ts'
import { Legacy, modern, modernParts, send } from './support/client.ts'
import { type Echo, echo } from './support/echo.ts'
import { httpServer, node, open, passed, yard } from './support/house.ts'
import { type Issuer, issuer } from './support/issuer.ts'
import { naive } from './support/naive.ts'
import { type OldSse, oldSse } from './support/old-sse.ts'

const house = yard()
const marker = 'TaInTeDcLaIm7f3a'
const childFile = join(house.folder(), 'child.jsonl')
let provider: Issuer
let newer: Echo
let older: Echo
let oldest: OldSse
let gateway: Gateway

before(async () => {
  provider = await issuer()
  ;[newer, older, oldest] = await Promise.all([echo({ era: 'modern' }), echo({ era: 'legacy' }), oldSse()])
  const servers = {
    newer: httpServer(newer, 'modern'),
    older: httpServer(older, 'legacy'),
    oldest: { url: oldest.url, era: 'legacy', transport: 'http+sse' },
    local: { command: node(join(import.meta.dirname, 'support/child.ts'), childFile) },
  }
  const bindings = [{ role: 'all', client: 'editor' }]
  gateway = await house.gateway(open(servers, { identity: provider.identity, bindings }))
})
after(async () => {
  await house.close()
  await Promise.all([newer.close(), older.close(), oldest.close(), provider.close()])
})

const tokenFor = (server: string): string =>
  provider.token(`${gateway.url}/${server}/mcp`, 'ada', { email: `${marker}@x.example`, marker })
/** The token, each of its parts, what is inside, and all of it in other letters. */
const tracesOf = (token: string): string[] => {
  const plain = [token, ...token.split('.').slice(1), marker]
  return plain.flatMap((one) => [
    one,
    encodeURIComponent(one),
    Buffer.from(one).toString('base64').slice(4, 40),
    Buffer.from(one).toString('hex'),
  ])
}

it('the exploit: a relay that hands the token on gives the server all of it', async () => {
  const victim = await echo()
  const relay = await naive(victim.url)
  const token = tokenFor('newer')
  const { body, headers } = modernParts('tools/list', {}, { token })
  await send(relay.url, { body, headers })
  assert.ok(victim.everything().includes(token))
  await Promise.all([relay.close(), victim.close()])
})

it('nothing of the token is anywhere but at the door', async () => {
  const tokens: string[] = []
  for (const server of ['newer', 'older', 'oldest', 'local']) {
    const token = tokenFor(server)
    tokens.push(token)
    const params = { name: server === 'local' ? 'echo' : 'read_note', arguments: {} }
    passed(await modern(`${gateway.url}/${server}/mcp`, 'tools/call', params, { token }))
    const session = await Legacy.open(`${gateway.url}/${server}/mcp`, { token })
    passed(await session.call('tools/call', params))
    await send(session.url, { method: 'DELETE', headers: session.headers() })
    // Refused as well: what is said no to is written down too.
    await modern(`${gateway.url}/newer/mcp`, 'tools/list', {}, { token: `${token}x` })
    await modern(`${gateway.url}/mcp`, 'tools/list', {}, { token })
  }
  const files = readdirSync(gateway.folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(gateway.folder, name))
    .filter((path) => statSync(path).isFile())
  const places: Readonly<Record<string, string>> = {
    'a server': [newer.everything(), older.everything(), oldest.everything()].join('\n'),
    'the child': existsSync(childFile) ? readFileSync(childFile, 'utf8') : '',
    'the log': [...gateway.out, ...gateway.errors].join('\n'),
    'the metrics': await (await fetch(`${gateway.admin}/metrics`)).text(),
    ...Object.fromEntries(files.map((path) => [path.slice(gateway.folder.length), readFileSync(path, 'latin1')])),
  }
  assert.ok(places['the child']?.includes('echo') && places['a server']?.includes('read_note'))
  for (const [place, text] of Object.entries(places))
    for (const trace of tokens.flatMap(tracesOf)) assert.ok(!text.includes(trace), `${trace.slice(0, 24)}… in ${place}`)
})
