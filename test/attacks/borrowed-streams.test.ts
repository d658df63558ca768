/** A stream is read by somebody's token, whoever opened it: it ends with that token, and shows no more than that token reaches (SES-C1, SES-R3). */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { after, before, test } from 'node:test'
import { cli, type Gateway } from '../e2e/support/yard.ts'
import { Legacy, Stream } from './support/client.ts'
import { type Echo, echo, saying } from './support/echo.ts'
import { httpServer, open, refused, until, yard } from './support/house.ts'
import { type Issuer, issuer } from './support/issuer.ts'

const house = yard()
const secret = 'what only a strong token may read'
const bindings = [{ role: 'all', client: 'editor' }]
let provider: Issuer
let upstream: Echo
let gateway: Gateway
let url: string
/** Lets the calls be answered that are waiting. */
let answer: () => void
let answered: Promise<void>

before(async () => {
  answered = new Promise((resolve) => (answer = resolve))
  upstream = await echo({
    era: 'legacy',
    answers: {
      'tools/call': async ({ params, send }) => {
        const { progressToken } = params['_meta'] as { progressToken: string }
        send({ method: 'notifications/progress', params: { progressToken, progress: 1 } })
        await answered
        return saying(secret)
      },
    },
  })
  provider = await issuer()
  const scopes = { read: 'mcp', write: 'mcp', destructive: 'mcp' }
  const identity = { ...provider.identity, clockSkewS: 0, scopes }
  gateway = await house.gateway(open({ x: httpServer(upstream, 'legacy') }, { identity, bindings }))
  url = `${gateway.url}/x/mcp`
})
after(async () => {
  answer()
  await house.close()
  await Promise.all([upstream.close(), provider.close()])
})

const reading = (session: Legacy, token: string, more: object = {}): Stream =>
  new Stream(url, { method: 'GET', headers: { ...session.headers(), authorization: `Bearer ${token}`, ...more } })
const tell = (text: string): void => {
  const message = { jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: text } }
  for (const response of upstream.standing) response.write(`event: message\ndata: ${JSON.stringify(message)}\n\n`)
}

/** The session's own token reads its standing stream first, and lets it go. */
async function takenOver(token: string): Promise<{ session: Legacy; own: string; taken: Stream }> {
  const own = provider.token(url, 'ada')
  const session = await Legacy.open(url, { token: own })
  const first = reading(session, own)
  await until('it is read', () => first.status === 200)
  first.close()
  const taken = reading(session, token)
  await until('it is taken over', () => taken.status === 200)
  return { session, own, taken }
}

const ends: readonly (readonly [how: string, changes: () => object, end: () => void])[] = [
  [
    'has been revoked',
    () => ({ jti: 'STOLEN' }),
    () =>
      void execFileSync(
        process.execPath,
        [cli, 'tokens', 'revoke', '--token', 'STOLEN', '--reason', 'stolen', '--config', gateway.configFile],
        { cwd: gateway.folder },
      ),
  ],
  ['has expired', () => ({ exp: Math.floor(Date.now() / 1000) + 3 }), () => undefined],
]
for (const [how, changes, end] of ends)
  test(`a standing stream that is taken over with a token ends when that token ${how}, and goes on for another`, async () => {
    const { session, own, taken } = await takenOver(provider.token(url, 'ada', changes()))
    end()
    await until('the stream ends', () => taken.ended)
    tell('after its end')
    const next = reading(session, own)
    await until('who has a good token reads on', () => next.text.includes('after its end'))
    assert.ok(!taken.text.includes('after its end'))
    next.close()
  })

async function called(): Promise<{ session: Legacy; own: string; lastId: string }> {
  const own = provider.token(url, 'ada')
  const session = await Legacy.open(url, { token: own })
  const params = { name: 'read_note', arguments: {}, _meta: { progressToken: 'p' } }
  const body = JSON.stringify({ jsonrpc: '2.0', id: 5, method: 'tools/call', params })
  const call = new Stream(url, { headers: session.headers(), body })
  const lastId = await until('its first event', () => /id: (\S+)/.exec(call.text)?.[1])
  call.close()
  return { session, own, lastId }
}

test('a token that reaches less than the session does not resume a stream of it; one that reaches as far does, until it expires', async () => {
  const { session, own, lastId } = await called()
  const weak = provider.token(url, 'ada', { scope: 'nothing' })
  const refusal = reading(session, weak, { 'last-event-id': lastId })
  await until('an answer', () => refusal.ended)
  refused(
    { status: refusal.status, headers: {}, text: refusal.text, json: JSON.parse(refusal.text) as object as never, all: [] },
    400,
    'INVALID_REQUEST',
    /Last-Event-ID is of no stream of this session/,
  )
  const short = reading(session, provider.token(url, 'ada', { exp: Math.floor(Date.now() / 1000) + 3 }), {
    'last-event-id': lastId,
  })
  await until('it is resumed', () => short.status === 200)
  await until('its token has expired', () => short.ended)
  answer()
  const good = reading(session, own, { 'last-event-id': lastId })
  await until('the answer', () => good.text.includes(secret))
  assert.ok(!short.text.includes(secret))
})
