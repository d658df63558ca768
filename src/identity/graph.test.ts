/** Groups that a token has no room for: who is asked, how often, and that every doubt keeps people out. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Secret } from '../lib/secret.ts'
import { Graph, type GraphOptions, type GraphRequest } from './graph.ts'

const tenant = '11111111-aaaa-4aaa-8aaa-111111111111'
const oid = '44444444-0000-4000-8000-000000000005'
const ada = { kind: 'user', tenant, oid } as const
const json = (value: unknown, status = 200): Response => new Response(JSON.stringify(value), { status })
const granted = { access_token: 'app-token', expires_in: 3600 }

interface Sent extends GraphRequest {
  readonly url: string
}
function stage(answer: (sent: Sent) => Response | Promise<Response>, more: Partial<GraphOptions> = {}) {
  const sent: Sent[] = []
  const time = { now: 1_000_000 }
  const graph = new Graph({
    authority: 'https://login.test',
    graph: 'https://graph.test',
    clientId: 'gateway',
    clientSecret: new Secret('env:SECRET', 'hush-hush'),
    now: () => time.now,
    send: async (url, request) => {
      sent.push({ url, ...request })
      return url.startsWith('https://login.test') ? json(granted) : answer(sent.at(-1) as Sent)
    },
    ...more,
  })
  return { graph, sent, time }
}
const groups = ['g1', 'g2']
const good = (): Response => json({ value: groups })

describe('without a clear answer there is none', () => {
  const wrong: readonly (readonly [string, () => Response | Promise<Response>, RegExp])[] = [
    [
      '403',
      () => json({ error: { code: 'Authorization_RequestDenied', message: 'hush-hush' } }, 403),
      /HTTP 403 \(Authorization_RequestDenied\)$/,
    ],
    ['404', () => json({ error: { code: 'Request_ResourceNotFound' } }, 404), /HTTP 404/],
    ['429', () => new Response('', { status: 429, headers: { 'retry-after': '10' } }), /HTTP 429/],
    ['no connection', () => Promise.reject(new TypeError('fetch failed')), /fetch failed/],
    ['no JSON', () => new Response('<html>'), /./],
    ['another object', () => json({ values: groups }), /list of at most/],
    ['no list', () => json({ value: 'g1' }), /list of at most/],
    ['a list with something else in it', () => json({ value: ['g1', 2] }), /list of at most/],
    ['too many', () => json({ value: Array.from({ length: 11_001 }, () => 'g') }), /list of at most 11000/],
    ['too long', () => json({ value: ['x'.repeat(1_000_001)] }), /more than 1000000 characters/],
    ['a list', () => json([]), /not a JSON object/],
  ]
  for (const [name, answer, says] of wrong)
    it(name, async () => {
      const failure = await stage(answer)
        .graph.groupsOf(ada)
        .then(
          () => assert.fail('it gave groups'),
          (error: Error) => error,
        )
      assert.match(failure.message, says)
      assert.doesNotMatch(`${failure.message} ${failure.stack}`, /hush-hush|app-token/)
    })

  it('no token for us: the reason is named by its code, the secret not at all', async () => {
    const refused = { error: 'invalid_client', error_description: 'AADSTS7000215: Invalid client secret hush-hush.' }
    const { graph } = stage(good, { send: async () => json(refused, 401) })
    await assert.rejects(graph.groupsOf(ada), {
      message: `https://login.test/${tenant}/oauth2/v2.0/token answered HTTP 401 (AADSTS7000215)`,
    })
  })
  for (const missing of ['clientId', 'clientSecret'] as const)
    it(`no ${missing}: says what to give`, async () => {
      const { graph, sent } = stage(good, { [missing]: undefined })
      await assert.rejects(graph.groupsOf(ada), /give "provider.clientId" and "provider.clientSecret"/)
      assert.deepEqual(sent, [])
    })
  it('an object id that is none is never put into a URL', async () => {
    const { graph, sent } = stage(good)
    await assert.rejects(graph.groupsOf({ ...ada, oid: `${oid}/../me` }), /no object id/)
    assert.deepEqual(sent, [])
  })
})

describe('one person, one question', () => {
  it('asks as the documentation has it, with a token of its own', async () => {
    const { graph, sent } = stage(good)
    assert.deepEqual(await graph.groupsOf(ada), groups)
    const [token, asked] = sent
    assert.equal(token?.url, `https://login.test/${tenant}/oauth2/v2.0/token`)
    assert.deepEqual(Object.fromEntries(new URLSearchParams(token?.body)), {
      grant_type: 'client_credentials',
      client_id: 'gateway',
      client_secret: 'hush-hush',
      scope: '00000003-0000-0000-c000-000000000000/.default',
    })
    assert.equal(asked?.url, `https://graph.test/v1.0/users/${oid}/getMemberObjects`)
    assert.equal(asked?.headers['authorization'], 'Bearer app-token')
    assert.deepEqual(JSON.parse(asked?.body ?? ''), { securityEnabledOnly: false })
  })
  it('for an application: as a service principal', async () => {
    const { graph, sent } = stage(good)
    await graph.groupsOf({ ...ada, kind: 'application' })
    assert.match(sent.at(-1)?.url ?? '', /\/servicePrincipals\//)
  })

  const minutes = (count: number): number => count * 60_000
  const times: readonly (readonly [string, answer: () => Response, waitMs: number, asked: number])[] = [
    ['remembers for five minutes', good, minutes(4), 1],
    ['and no longer', good, minutes(5), 2],
    ['a failure for five seconds', () => json({}, 500), 4000, 1],
    ['and no longer', () => json({}, 500), 5000, 2],
  ]
  for (const [name, answer, waitMs, asked] of times)
    it(name, async () => {
      const { graph, sent, time } = stage(answer)
      await Promise.allSettled([graph.groupsOf(ada), graph.groupsOf(ada)])
      time.now += waitMs
      await Promise.allSettled([graph.groupsOf(ada)])
      assert.equal(sent.filter(({ url }) => url.startsWith('https://graph.test')).length, asked)
    })
  it('its own token is renewed before it ends', async () => {
    const { graph, sent, time } = stage(good)
    const tokens = (): number => sent.filter(({ url }) => url.startsWith('https://login.test')).length
    await graph.groupsOf(ada)
    time.now += minutes(57)
    await graph.groupsOf(ada)
    assert.equal(tokens(), 1)
    time.now += minutes(5)
    await graph.groupsOf(ada)
    assert.equal(tokens(), 2)
  })
})
