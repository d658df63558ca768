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
