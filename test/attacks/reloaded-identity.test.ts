/** A reload that refuses a credential shows out who came with it: a stream that stands open does not outlive its door (SES-C1). */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Gateway } from '../e2e/support/yard.ts'
import { Legacy, modern, Stream } from './support/client.ts'
import { type Echo, echo } from './support/echo.ts'
import { httpServer, open, recordOf, until, yard } from './support/house.ts'
import { type Issuer, issuer } from './support/issuer.ts'

const house = yard()
let provider: Issuer
let upstream: Echo
before(async () => {
  provider = await issuer()
  upstream = await echo({ era: 'legacy' })
})
after(async () => {
  await house.close()
  await Promise.all([upstream.close(), provider.close()])
})

const bindings = [{ role: 'all', client: 'editor' }]
const configWith = (changes: object, more: object = {}): object =>
  open({ x: httpServer(upstream, 'legacy') }, { identity: { ...provider.identity, ...changes }, bindings, ...more })

async function reading(gateway: Gateway): Promise<{ stream: Stream; session: Legacy; url: string; token: string }> {
  const url = `${gateway.url}/x/mcp`
  const token = provider.token(url, 'ada')
  const session = await Legacy.open(url, { token })
  const stream = new Stream(url, { method: 'GET', headers: session.headers() })
  await until('it is read', () => stream.status === 200)
  return { stream, session, url, token }
}
const reloaded = (gateway: Gateway): Promise<unknown> =>
  until('the configuration is taken over', () => recordOf(gateway).some(({ action }) => action === 'config.reloaded'))

const changes: readonly (readonly [name: string, changes: object])[] = [
  ['its client', { clients: ['another-client'] }],
  ['what it lacks', { requiredClaims: { email_verified: ['yes'] } }],
  ['its audience', { audience: 'something-else' }],
  ['its issuer', { provider: { kind: 'oidc', issuer: 'http://127.0.0.1:1' } }],
]
for (const [name, change] of changes)
  test(`a stream and its session end when a reload no longer accepts a token for ${name}`, async () => {
    const gateway = await house.gateway(configWith({}))
    const { stream, session } = await reading(gateway)
    gateway.rewrite(configWith(change))
    await until('the stream ends', () => stream.ended)
    const { status } = await session.call('tools/list')
    assert.ok(status === 401 || status === 503, String(status))
  })

test('a reload that leaves identity alone ends nothing', async () => {
  const gateway = await house.gateway(configWith({}))
  const { stream, session, url, token } = await reading(gateway)
  gateway.rewrite(configWith({}, { limits: { principal: { perMinute: 1000, concurrent: 'unlimited' } } }))
  await reloaded(gateway)
  assert.equal((await session.call('tools/list')).status, 200)
  assert.equal((await modern(url, 'tools/list', {}, { token })).status, 200)
  assert.equal(stream.ended, false)
  stream.close()
})
