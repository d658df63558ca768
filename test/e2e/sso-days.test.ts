/**
 * A login that lasts: what has to pass without anybody noticing (expiry, new keys on both sides, an hour without the
 * provider), and what has to end it (the account is disabled, consent is taken back, the day it was given for is over).
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, beforeEach, describe, it } from 'node:test'
import { keysRotate } from '../../src/admin/operations/keys-rotate.ts'
import { Records } from '../../src/identity/front/records.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { openStore } from '../../src/storage/embedded.ts'
import { openKeyFile } from '../../src/vault/key-file.ts'
import { headerIn, Memory, SignedIn } from './support/signed-in.ts'
import { clientId, type House, openHouse, staff } from './support/sso-house.ts'
import { dayMs, minuteMs, takeTime } from './support/time.ts'
import { until } from './support/until.ts'
import { Yard } from './support/yard.ts'

const yard = new Yard()
const time = takeTime()
after(async () => {
  time.restore()
  await yard.close()
})
let house: House
before(async () => {
  house = await openHouse(yard, { identity: { askAtLogin: ['read', 'write'], recheckMinutes: 1 } })
})
after(() => house.close())

const url = (): string => `${house.url}/notes/mcp`
const loggedIn = (who: keyof typeof staff, era: 'legacy' | 'modern' = 'modern', name = 'Lasting'): Promise<SignedIn> =>
  SignedIn.open(url(), house.person(staff[who].username), era, new Memory(name))
const provided = (): number => house.entra.journal('token').filter(({ form }) => form['grant_type'] === 'refresh_token').length

/** It goes on, and nobody was sent to the browser. */
async function goesOn(client: SignedIn): Promise<void> {
  const before = client.landings.length
  assert.equal((await client.call('read_note')).text, 'read_note done')
  assert.equal(client.landings.length, before, 'nobody had to log in')
}
/** The next call has the person sent to the browser; gives how that ended. */
async function needsBrowser(client: SignedIn): Promise<{ readonly again: boolean }> {
  const before = client.landings.length
  const again = await client.call('read_note').then(
    ({ isError }) => !isError,
    () => false,
  )
  assert.ok(client.landings.length > before, 'the person was sent to the browser')
  return { again }
}

describe('passes unnoticed (AUTH-C3)', { concurrency: false }, () => {
  for (const era of ['legacy', 'modern'] as const)
    it(`${era}: an access token that has expired, every day for 29 days`, async () => {
      const client = await loggedIn('writer', era)
      const first = client.memory.held?.refresh_token
      for (let day = 1; day < 30; day++) {
        time.advance(dayMs)
        const [asked, token] = [provided(), client.memory.held?.access_token]
        await goesOn(client)
        assert.notEqual(client.memory.held?.access_token, token, `day ${day}: a new token`)
        assert.equal(provided(), asked + 1, `day ${day}: the provider was asked whether it still vouches`)
      }
      assert.notEqual(client.memory.held?.refresh_token, first, 'refresh tokens rotate')
      time.advance(dayMs)
      const { again } = await needsBrowser(client)
      assert.ok(again, 'on the thirtieth day the person logs in again, and goes on')
      await client.close()
    })

  for (const how of ['overlap', 'emergency'] as const)
    it(`new keys of the provider (${how})`, async () => {
      const client = await loggedIn('writer')
      house.entra.rollKeys(how)
      time.advance(11 * minuteMs)
      await goesOn(client)
      await (await loggedIn('reader', 'legacy', `After ${how}`)).close()
      await client.close()
    })

  it('new keys of our own: the tokens of before are good to their end, the next are signed with the new key', async () => {
    const client = await loggedIn('writer')
    const kid = (): unknown => headerIn(client.memory.held?.access_token ?? '')['kid']
    const before = kid()
    await house.restart(() => nextSigningKey(house.folder))
    await goesOn(client)
    assert.equal(kid(), before)
    time.advance(11 * minuteMs)
    await goesOn(client)
    assert.notEqual(kid(), before)
    await client.close()
  })

  it('the gateway is started again', async () => {
    const client = await loggedIn('writer')
    await house.restart()
    await goesOn(client)
    time.advance(11 * minuteMs)
    await goesOn(client)
    await client.close()
  })

  it('an hour without the provider', async () => {
    const client = await loggedIn('writer')
    house.entra.fail('token', { status: 503, times: Number.POSITIVE_INFINITY })
    try {
      time.advance(60 * minuteMs)
      await goesOn(client)
    } finally {
      house.entra.heal()
    }
    await client.close()
  })
})

describe('ends it', { concurrency: false }, () => {
  let client: SignedIn
  beforeEach(async () => {
    house.entra.enableUser(staff.writer.oid)
    client = await loggedIn('writer', 'modern', 'Ending')
  })

  it('the account is disabled: with the recheck at the latest, and the browser does not help', async () => {
    house.entra.disableUser(staff.writer.oid)
    await goesOn(client)
    time.advance(11 * minuteMs)
    assert.deepEqual(await needsBrowser(client), { again: false })
    assert.match(client.landings.at(-1)?.pages.at(-1)?.text ?? '', /disabled/i)
    await client.close()
  })

  it('the sign-ins of the person are revoked: they have to log in again', async () => {
    house.entra.revokeSessions(staff.writer.oid)
    time.advance(11 * minuteMs)
    assert.deepEqual(await needsBrowser(client), { again: true })
    await client.close()
  })

  it('two days without the provider', async () => {
    house.entra.fail('token', { status: 503, times: Number.POSITIVE_INFINITY })
    try {
      time.advance(2 * dayMs)
      assert.deepEqual(await needsBrowser(client), { again: false })
    } finally {
      house.entra.heal()
    }
    await client.close()
  })

  it('the person takes the consent back: the token is worth nothing at once, and so is the refresh token', async () => {
    const { client_id: id = '' } = client.memory.client ?? {}
    const landing = await client.person.visit(`${house.url}/oauth/consents`, { client: id })
    assert.deepEqual([landing.status, landing.url], [200, undefined])
    const headers = { authorization: `Bearer ${client.memory.held?.access_token}`, 'content-type': 'application/json' }
    const send = (): Promise<Response> => fetch(url(), { method: 'POST', headers, body: '{}' })
    const refused = await until('the token is refused', async () => {
      const response = await send()
      return response.status === 401 && response
    })
    assert.match(
      refused.headers.get('www-authenticate') ?? '',
      /error="invalid_token", error_description="the token has been revoked"/,
    )
    const { held } = client.memory
    const again = await fetch(`${house.url}/oauth/token`, {
      method: 'POST',
      body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: String(held?.refresh_token), client_id: id }),
    })
    assert.deepEqual([again.status, ((await again.json()) as { error?: string }).error], [400, 'invalid_grant'])
    time.advance(1000) // what was issued within the second of the revocation may be older, and is not good either
    assert.deepEqual(await needsBrowser(client), { again: true })
    assert.equal(client.landings.at(-1)?.pages[0]?.title, 'Allow access?', 'and consent is asked for anew')
    await client.close()
  })

  it('Entra gives the person another role: with the recheck at the latest, the old one is gone', async () => {
    const mover = await loggedIn('mover', 'legacy', 'Moving')
    assert.equal((await mover.call('write_note')).text, 'write_note done')
    Object.assign(staff.mover, { roles: { [clientId]: ['Reader'] } })
    time.advance(11 * minuteMs)
    assert.match((await mover.call('write_note')).text, /Policy does not allow the tool "write_note"/)
    await goesOn(mover)
    await Promise.all([mover.close(), client.close()])
  })
})

/** What an operator does who wants a new signing key; the gateway is not running meanwhile. */
async function nextSigningKey(folder: string): Promise<void> {
  const store = await openStore(`sqlite:${join(folder, 'sekisho.db')}`)
  const keys = await openKeyFile(join(folder, 'sekisho.key'))
  try {
    await keysRotate(new Records(store, keys, systemClock), systemClock, 'operator')
  } finally {
    await store.close()
  }
}
