import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import test from 'node:test'
import { type Principal, plainPrincipal } from '../pipeline/parcel.ts'
import { Sessions } from './sessions.ts'

const origin = {
  door: 'http',
  era: 'legacy',
  version: '2025-11-25',
  client: undefined,
  capabilities: {},
  logLevel: undefined,
  remote: undefined,
} as const
const ci = plainPrincipal('api-key', 'key:ci')
const ada = plainPrincipal('api-key', 'key:ada')

function house() {
  const clock = { at: 0, now: () => 1_700_000_000_000 + clock.at, monotonic: () => clock.at }
  const ended = new Map<string, number>()
  const sessions = new Sessions({
    clock,
    ownerOf: ({ id }: Principal, session) => `${id}:${session}`,
    isRevoked: () => false,
    endedAt: ({ id }) => ended.get(id),
  })
  const open = (principal: Principal, server?: string) => {
    const session = sessions.prepare(principal, server, origin)
    sessions.keep(session)
    return session
  }
  return { clock, ended, sessions, open }
}

test('sessions that were ended are found no more, also before anybody looked again; later ones are', () => {
  const { clock, ended, sessions, open } = house()
  const [old, other] = [open(ci, 'crm'), open(ada)]
  clock.at = 5000
  ended.set('key:ci', clock.now())
  assert.throws(() => sessions.find(ci, old.id, 'crm'), { code: 'SESSION_UNKNOWN' })
  assert.equal(sessions.find(ada, other.id, undefined), other)
  sessions.review()
  assert.equal(sessions.size, 1)
  clock.at = 6000
  const fresh = open(ci, 'crm')
  assert.equal(sessions.find(ci, fresh.id, 'crm'), fresh)
  sessions.close()
})

test('a list says who, where and since when, oldest first, and no id', () => {
  const { clock, sessions, open } = house()
  const first = open(ci, 'crm')
  clock.at = 61_500
  const second = open(ada)
  const list = sessions.list()
  assert.deepEqual(list, [
    {
      session: hash('sha256', first.id, 'base64url').slice(0, 8),
      principal: 'key:ci',
      client: undefined,
      server: 'crm',
      openedAt: '2023-11-14T22:13:20.000Z',
      idleS: 61,
      streams: 0,
    },
    {
      session: hash('sha256', second.id, 'base64url').slice(0, 8),
      principal: 'key:ada',
      client: undefined,
      server: undefined,
      openedAt: '2023-11-14T22:14:21.500Z',
      idleS: 0,
      streams: 0,
    },
  ])
  for (const { id } of [first, second]) assert.ok(!JSON.stringify(list).includes(id))
  clock.at = 31 * 60_000
  assert.deepEqual(
    sessions.list().map(({ principal }) => principal),
    ['key:ada'],
    'what has expired is not open',
  )
  sessions.close()
})
