/**
 * TOK-C5, AUTH-R2, TPT-R6: five thousand secrets, each another one, in every place where one may stand or stray; afterwards
 * none of them is in anything that we wrote, said or sent. Where a name is recorded (a tool, a method, a URI), the secret
 * has one of the forms that are known, because a name without a form cannot be told from a name.
 */
import assert from 'node:assert/strict'
import { randomBytes, randomInt } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, it } from 'node:test'
import type { Gateway } from '../e2e/support/yard.ts'
import { Legacy, modern, send } from './support/client.ts'
import { type Echo, echo, type Json } from './support/echo.ts'
import { httpServer, open, yard } from './support/house.ts'
import { type Issuer, issuer } from './support/issuer.ts'
import { naive } from './support/naive.ts'

const secretsWanted = 5000
const house = yard()
const word = (bytes: number): string => randomBytes(bytes).toString('base64url')
const letters = (length: number): string =>
  Array.from({ length }, () => 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'[randomInt(62)]).join('')
/** In forms that their issuers have given them. */
const forms: readonly (() => string)[] = [
  () => `ghp_${letters(36)}`,
  () => `sk-${letters(40)}`,
  () => `xoxb-${randomInt(1e9)}-${letters(24)}`,
  () => `glpat-${letters(20)}`,
  () => `eyJ${word(12)}.eyJ${word(24)}.${word(32)}`,
  () => `npm_${letters(36)}`,
]
const formed = (): string => (forms[randomInt(forms.length)] as () => string)()

let provider: Issuer
let upstream: Echo
let gateway: Gateway
let good: string

before(async () => {
  provider = await issuer()
  upstream = await echo()
  gateway = await house.gateway(
    open({ x: httpServer(upstream, 'modern') }, { identity: provider.identity, bindings: [{ role: 'all', client: 'editor' }] }),
  )
  good = provider.token(`${gateway.url}/x/mcp`, 'ada')
})
after(async () => {
  await house.close()
  await Promise.all([upstream.close(), provider.close()])
})

type Place = readonly [says: string, put: (secret: string) => Promise<unknown>]
const url = (): string => `${gateway.url}/x/mcp`
const withHeaders = (headers: Record<string, string>, token = good): Promise<unknown> =>
  modern(url(), 'tools/list', {}, { token, headers })
const call = (params: Json): Promise<unknown> => modern(url(), 'tools/call', params, { token: good })
/** Places for any secret: what stands there is not written down at all. */
const places: readonly Place[] = [
  ['a wrong bearer token', (secret) => withHeaders({}, secret)],
  ['a basic credential', (secret) => withHeaders({ authorization: `Basic ${Buffer.from(secret).toString('base64')}` })],
  ['a token of another scheme', (secret) => withHeaders({ authorization: `DPoP ${secret}` })],
  ['a token with something after it', (secret) => withHeaders({ authorization: `Bearer ${good}${secret}` })],
  ['a proof', (secret) => withHeaders({ dpop: secret })],
  ['a cookie', (secret) => withHeaders({ cookie: `__Host-sekisho_session=${secret}` })],
  [
    'a session id',
    (secret) =>
      send(url(), {
        body: '{"jsonrpc":"2.0","id":1,"method":"ping"}',
        headers: { authorization: `Bearer ${good}`, 'mcp-session-id': secret },
      }),
  ],
  [
    'an event id',
    (secret) =>
      send(url(), {
        method: 'GET',
        headers: { authorization: `Bearer ${good}`, 'mcp-session-id': secret, 'last-event-id': secret },
      }),
  ],
  [
    'a header of a proxy',
    (secret) => withHeaders({ 'proxy-authorization': secret, 'x-api-key': secret, 'x-forwarded-user': secret }),
  ],
  ['the query', (secret) => send(`${url()}?access_token=${secret}`, { headers: { authorization: `Bearer ${good}` } })],
  ['the path', (secret) => send(`${gateway.url}/${secret}/mcp`, { headers: { authorization: `Bearer ${good}` } })],
  [
    'a body that is no JSON',
    (secret) => send(url(), { body: `{"password":"${secret}"`, headers: { authorization: `Bearer ${good}` } }),
  ],
  [
    'a key of a body twice',
    (secret) => send(url(), { body: `{"${secret}":1,"${secret}":2}`, headers: { authorization: `Bearer ${good}` } }),
  ],
  ['a requestState', (secret) => call({ name: 'read_note', arguments: {}, requestState: secret })],
  ['a cursor', (secret) => modern(url(), 'tools/list', { cursor: 7, [secret]: 1 }, { token: good })],
  [
    'capabilities',
    (secret) => modern(url(), 'tools/list', {}, { token: good, capabilities: { experimental: { [secret]: { secret } } } }),
  ],
]
/** Places for a secret in one of its forms: what stands there is recorded or shown, without it. */
const recorded: readonly Place[] = [
  ['the name of a tool', (secret) => call({ name: secret, arguments: {} })],
  ['a name around it', (secret) => call({ name: `run ${secret} now`, arguments: {} })],
  ['a URI', (secret) => modern(url(), 'resources/read', { uri: `https://x.example/?token=${secret}` }, { token: good })],
  [
    'a password in a URI',
    (secret) => modern(url(), 'resources/read', { uri: `https://ada:${secret}@x.example/` }, { token: good }),
  ],
  ['a prompt', (secret) => modern(url(), 'prompts/get', { name: secret }, { token: good })],
  ['a method', (secret) => modern(url(), secret, {}, { token: good })],
  ['the name of a client', (secret) => Legacy.open(url(), { token: good, capabilities: { [secret]: {} } })],
]

function sinks(): string[] {
  const files = readdirSync(gateway.folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(gateway.folder, name))
    .filter((path) => statSync(path).isFile())
  return [...gateway.out, ...gateway.errors, ...files.map((path) => readFileSync(path, 'latin1'))]
}

it('the exploit: a relay that logs what it is sent keeps every one of them', async () => {
  const relay = await naive(upstream.url)
  const secret = formed()
  await modern(relay.url, 'tools/list', {}, { token: secret })
  assert.ok(upstream.everything().includes(secret))
  await relay.close()
  upstream.heard.length = 0
})

it(`none of ${secretsWanted} secrets is in a log, a record, a database, a metric or an answer to somebody else`, {
  timeout: 300_000,
}, async () => {
  const secrets: { readonly secret: string; readonly says: string }[] = []
  const all = [
    ...places.map((place) => ({ place, make: () => (randomInt(2) ? formed() : word(24)) })),
    ...recorded.map((place) => ({ place, make: formed })),
  ]
  while (secrets.length < secretsWanted) {
    const round = all.map(({ place: [says, put], make }) => {
      const secret = make()
      secrets.push({ secret, says })
      return put(secret).catch(() => undefined)
    })
    await Promise.all(round)
  }
  const metrics = await (await fetch(`${gateway.admin}/metrics`)).text()
  const written = [...sinks(), metrics].join('\n')
  assert.ok(written.length > 1_000_000, 'the record of it all is there')
  const lost = secrets.filter(({ secret }) => written.includes(secret))
  assert.deepEqual(lost.slice(0, 5), [])
  const heard = upstream.everything()
  const passedOn = secrets.filter(
    ({ secret, says }) =>
      !['a cursor', 'capabilities'].includes(says) && !recorded.some(([one]) => one === says) && heard.includes(secret),
  )
  assert.deepEqual(passedOn.slice(0, 5), [], 'nothing of what was shown to us went to the server')
})
