import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Stop } from '../../lib/stop.ts'
import { Refusal } from '../../pipeline/refusal.ts'
import { fetchTransport, type HttpRequest } from '../http/transport.ts'
import type { Challenge } from './challenge.ts'
import { bare, bearer, type Credential } from './credential.ts'
import { refusalOf } from './fixture.test.ts'
import { credentialed } from './transport.ts'

const challenged = (status: number, header: string) => new Response('no', { status, headers: { 'www-authenticate': header } })
const expired = () => challenged(401, 'Bearer error="invalid_token"')
const narrow = () => challenged(403, 'Bearer error="insufficient_scope", scope="w"')

/** A server that answers with these, one after the other, and a credential that has another token each time. */
function meet(answers: readonly (() => Response)[], renews: (challenge: Challenge) => boolean | Promise<boolean> = () => true) {
  const shown: (string | null)[] = []
  const challenges: Challenge[] = []
  let version = 0
  const credential: Credential = {
    show: () => bearer(`t${version}`),
    renew: async (_, challenge) => {
      challenges.push(challenge)
      version++
      return renews(challenge)
    },
  }
  const server = fetchTransport((request) => {
    shown.push(request.headers.get('authorization'))
    return (answers[shown.length - 1] ?? (() => Response.json({})))()
  })
  const transport = credentialed(server, credential, 'crm')
  const send = (more: Partial<HttpRequest> = {}) =>
    transport.send({ method: 'POST', headers: {}, body: '{}', stop: new Stop(), ...more })
  return { send, shown, challenges }
}

describe('refused', () => {
  const cases: readonly (readonly [says: string, answers: readonly (() => Response)[], shown: number])[] = [
    ['by a server that accepts no token', [expired, expired, expired, expired], 2],
    ['by a server that never has enough scope', [narrow, narrow, narrow, narrow], 2],
    ['by a server that finds one fault after the other', [expired, narrow, expired, narrow], 3],
  ]
  for (const [says, answers, times] of cases)
    it(`${says}, which is asked no more than ${times} times`, async () => {
      const one = meet(answers)
      assert.deepEqual((await refusalOf(() => one.send())).code, 'CREDENTIAL_REFUSED')
      assert.equal(one.shown.length, times)
    })

  it('where there is nothing else to show', async () => {
    const one = meet([expired], () => false)
    assert.match(
      (await refusalOf(() => one.send())).says,
      /"crm" does not accept the credential of the gateway: it answered HTTP 401/,
    )
    assert.equal(one.shown.length, 1)
  })

  it('with the reason, where somebody has to do something', async () => {
    const one = meet([expired], () => Promise.reject(new Refusal('CREDENTIAL_NEEDED', { detail: 'crm', connect: 'https://x' })))
    assert.equal((await refusalOf(() => one.send())).code, 'CREDENTIAL_NEEDED')
  })
})

it('a token that ran out is replaced once, and the call goes through', async () => {
  const one = meet([expired])
  assert.equal((await one.send()).status, 200)
  assert.deepEqual(one.shown, ['Bearer t0', 'Bearer t1'])
})

for (const status of [200, 202, 301, 400, 403, 404, 405, 500])
  it(`${status} is the answer of the server, and the credential is left alone`, async () => {
    const one = meet([() => new Response(null, { status, headers: { location: 'https://evil.example/' } })])
    assert.equal((await one.send()).status, status)
    assert.deepEqual([one.shown.length, one.challenges], [1, []])
  })

for (const method of ['POST', 'GET', 'DELETE'] as const)
  it(`${method} carries it, in place of any other`, async () => {
    const one = meet([])
    const { body: _, ...request } = { method, headers: { authorization: 'Bearer theirs' }, body: undefined, stop: new Stop() }
    await one.send(method === 'POST' ? { headers: request.headers } : ({ ...request, body: undefined } as never))
    assert.deepEqual(one.shown, ['Bearer t0'])
  })

it('whoever no longer wants an answer does not wait for a token', async () => {
  const never: Credential = { show: () => new Promise(() => undefined), renew: async () => false }
  const stop = new Stop()
  const sent = credentialed(
    fetchTransport(() => Response.json({})),
    never,
    'crm',
  ).send({ method: 'POST', headers: {}, stop })
  stop.stop(new Refusal('CANCELLED'))
  assert.equal((await refusalOf(() => sent)).code, 'CANCELLED')
})

it('nothing to show is nothing sent', async () => {
  const seen: (string | null)[] = []
  const server = fetchTransport((request) => {
    seen.push(request.headers.get('authorization'))
    return Response.json({})
  })
  await credentialed(server, { show: () => bare, renew: async () => false }, 'crm').send({
    method: 'GET',
    headers: {},
    stop: new Stop(),
  })
  assert.deepEqual(seen, [null])
})
