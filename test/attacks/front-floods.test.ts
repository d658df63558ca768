/**
 * What strangers can use up of the authorization server (requirement 107, TPT-C2): the log, the store, the registrations of
 * others. Each is asked far more often than anybody would, and has to stay what it was.
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, it } from 'node:test'
import { type House, openHouse } from '../e2e/support/sso-house.ts'
import { Yard } from '../e2e/support/yard.ts'
import { openFrontHouse } from './support/front-house.ts'
import { authorization, Client } from './support/oauth-client.ts'
import { isConsent, Surfer } from './support/surfer.ts'

const initialAccessToken = 'the-initial-access-token-of-the-department'
const yard = new Yard()
let house: House
before(async () => {
  process.env['FLOODS_TOKEN'] = initialAccessToken
  house = await openHouse(yard, { identity: { registration: { initialAccessToken: 'env:FLOODS_TOKEN' } } })
})
after(async () => {
  await house.close()
  await yard.close()
})

/** Of one kind of row in one of the gateway's files. */
function count(file: string, query: string): number {
  const database = new DatabaseSync(join(house.folder, file), { readOnly: true })
  try {
    return Number(database.prepare(query).get()?.['n'])
  } finally {
    database.close()
  }
}
async function many(times: number, ask: (nth: number) => Promise<Response>): Promise<ReadonlyMap<number, number>> {
  const seen = new Map<number, number>()
  let nth = 0
  const one = async (): Promise<void> => {
    while (nth < times) {
      const { status } = await ask(nth++)
      seen.set(status, (seen.get(status) ?? 0) + 1)
    }
  }
  await Promise.all(Array.from({ length: 16 }, one))
  return seen
}
const redirectUri = 'http://127.0.0.1:9999/cb'
const register = (token?: string): Promise<Response> =>
  fetch(`${house.url}/oauth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
    body: JSON.stringify({ client_name: 'X', redirect_uris: [redirectUri], token_endpoint_auth_method: 'none' }),
  })
const form = (fields: Record<string, string>): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
  body: new URLSearchParams(fields).toString(),
})

describe('the log', () => {
  it('does not grow with every bad request for a token: the first are written, the others counted', async () => {
    const bad = form({ grant_type: 'authorization_code', client_id: 'nobody', code: 'x', redirect_uri: 'x' })
    const seen = await many(600, () => fetch(`${house.url}/oauth/token`, bad))
    assert.deepEqual([...seen], [[401, 600]])
    await house.restart()
    const entries = count('data/audit.db', "SELECT count(*) n FROM entry WHERE text LIKE '%token.refused%'")
    assert.ok(entries >= 200 && entries < 300, `${entries}`)
    assert.ok(count('data/audit.db', "SELECT count(*) n FROM entry WHERE text LIKE '%strangers.counted%'") >= 1)
  })
})

describe('the store', () => {
  const rows = (): number => count('sekisho.db', 'SELECT count(*) n FROM identity_records')

  it('keeps nothing of browsers in which nobody is known, and their forms work all the same', async () => {
    const before = rows()
    const seen = await many(100, (nth) => fetch(`${house.url}/oauth/${nth % 2 === 0 ? 'consents' : 'connect/notes'}`))
    assert.deepEqual(
      [[...seen].sort(), rows()],
      [
        [
          [200, 50],
          [404, 50],
        ],
        before,
      ],
    )
    const surfer = new Surfer(fetch as never)
    const page = await surfer.visit(`${house.url}/oauth/consents`)
    assert.match((await surfer.post(page, {})).html, new RegExp(`0;url=${house.entra.url}`))
  })

  it('takes short requests for access only, and so many of one address', async () => {
    const { client_id: id } = (await (await register(initialAccessToken)).json()) as { readonly client_id: string }
    const url = (changes = {}): string =>
      authorization(house.url, id, redirectUri, { resource: `${house.url}/notes/mcp`, ...changes }).url
    const ask = (changes?: object): Promise<Response> => fetch(url(changes), { redirect: 'manual' })
    for (const [changes, status] of [
      [{ state: 's'.repeat(2049) }, 400],
      [{ login_hint: 's'.repeat(4096) }, 400],
      [{ state: 's'.repeat(2048) }, 303],
    ] as const)
      assert.equal((await ask(changes)).status, status)
    const before = rows()
    const waits: number[] = []
    const seen = await many(1000, async () => {
      const answer = await ask()
      if (answer.status === 429) waits.push(Number(answer.headers.get('retry-after')))
      return answer
    })
    const begun = seen.get(303) ?? 0
    assert.ok(waits.length > 0 && begun + waits.length === 1000, JSON.stringify([...seen]))
    assert.ok(waits.every((waitS) => waitS >= 1))
    assert.ok(rows() - before <= 2 * begun, `${rows() - before}`)
  })

  it('has room for so many that wait, of all strangers together: 503 with the time to wait, until they are over', async () => {
    const small = await openFrontHouse({ waitingMax: 5 })
    try {
      const client = await Client.register(small)
      const { url } = client.authorization()
      const known = new Surfer(small.fetch)
      const page = await known.visit(url)
      for (let nth = 0; nth < 4; nth++) assert.ok(isConsent(await new Surfer(small.fetch).visit(url)))
      const refused = await new Surfer(small.fetch).visit(url)
      assert.deepEqual([refused.status, refused.headers.get('retry-after')], [503, '60'])
      assert.match(refused.html, /Too many sign-ins are waiting/)
      assert.equal((await known.post(page, { decision: 'allow' })).status, 503, 'a login waits too')
      small.clock.advance(601_000)
      assert.notEqual((await client.login()).code, '')
      for (let nth = 0; nth < 8; nth++) assert.notEqual((await client.login()).code, '', 'who is through waits no more')
    } finally {
      await small.close()
    }
  })
})

describe('registrations', () => {
  it('who has no initial access token uses up their own attempts, and nothing of those who have it', async () => {
    const seen = await many(100, () => register())
    assert.deepEqual([[...seen.keys()].sort(), (seen.get(429) ?? 0) > 0], [[401, 429], true])
    assert.equal((await register(initialAccessToken)).status, 201)
  })

  it('what is not taken does not count for the hour, and what is taken at once does', async () => {
    const small = await openFrontHouse({ registration: { perHour: 3 } })
    try {
      const ask = (uri: string): Promise<Response> =>
        small.fetch(`${small.base}/oauth/register`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ redirect_uris: [uri] }),
        })
      for (let nth = 0; nth < 5; nth++) assert.equal((await ask('http://attacker.test/cb')).status, 400)
      const answers = await Promise.all(Array.from({ length: 9 }, () => ask(redirectUri)))
      assert.equal(answers.filter(({ status }) => status === 201).length, 3)
      assert.equal((await ask(redirectUri)).status, 429)
    } finally {
      await small.close()
    }
  })
})
