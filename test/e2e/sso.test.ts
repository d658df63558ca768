/**
 * GEN-6, AUTH-C3, AUTH-C6, CD-R0: the official client logs a person in at an Entra that knows no registration, no client
 * documents and no `resource`, against a server that has no line of code about logins.
 */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { refusalOf } from './support/peers.ts'
import { claimsIn, Memory, SignedIn } from './support/signed-in.ts'
import { clientId, type House, openHouse, staff } from './support/sso-house.ts'
import { Yard } from './support/yard.ts'

const yard = new Yard()
after(() => yard.close())
const eras = ['legacy', 'modern'] as const

for (const resourceParameter of ['unsupported', 'must-match'] as const)
  describe(`Entra with resource ${resourceParameter}`, () => {
    let house: House
    before(async () => {
      house = await openHouse(yard, { entra: { resourceParameter }, identity: { askAtLogin: ['read', 'write'] } })
    })
    after(() => house.close())

    for (const era of eras)
      it(`${era}: discovery, registration, consent, login, call; and nothing of the provider's gets out`, async () => {
        const client = await SignedIn.open(`${house.url}/notes/mcp`, house.person(staff.writer.username), era)
        const { text, isError } = await client.call('write_note', { text: 'x' })
        assert.deepEqual([text, isError], ['write_note done', false])
        await client.close()

        const [landing, ...further] = client.landings
        assert.deepEqual(further, [])
        assert.deepEqual(
          landing?.pages.map(({ origin, title }) => [origin, title]),
          [
            [house.url, 'Allow access?'],
            [house.entra.url, 'Sign in to your account'],
          ],
        )
        const held = JSON.stringify([client.memory.held, landing?.url])
        const provided = house.entra.journal('token').map(({ form }) => form)
        assert.ok(provided.length > 0)
        assert.ok(
          provided.every((form) => !('resource' in form)),
          'no resource is sent to Entra',
        )
        assert.ok(house.entra.journal('authorize').every(({ query }) => !('resource' in query)))
        for (const { code, client_secret: secret } of provided) {
          assert.ok(!held.includes(String(secret)) && !house.notes.everything().includes(String(secret)))
          if (code !== undefined) assert.ok(!held.includes(code))
        }
        // What the client holds was issued by us, for this one server.
        const claims = claimsIn(client.memory.held?.access_token ?? '')
        assert.equal(claims['iss'], house.url)
        assert.equal(claims['aud'], `${house.url}/notes/mcp`)
        assert.equal(claims['sub'], `${staff.writer.tenant}.${staff.writer.oid}`)
        assert.ok(house.notes.heard.every(({ headers }) => headers.authorization === undefined))
        assert.ok(!house.notes.everything().includes(client.memory.held?.access_token ?? 'none'))
      })

    it('a program that is started again goes on with what it holds', async () => {
      const memory = new Memory('Again')
      const person = house.person(staff.reader.username)
      await (await SignedIn.open(`${house.url}/notes/mcp`, person, 'modern', memory)).close()
      const again = await SignedIn.open(`${house.url}/notes/mcp`, person, 'modern', memory)
      assert.deepEqual(again.landings, [])
      assert.equal((await again.call('read_note')).text, 'read_note done')
      await again.close()
    })

    it('the door to all servers is a resource of its own: a token of one server does not open it', async () => {
      const one = await SignedIn.open(`${house.url}/notes/mcp`, house.person(staff.reader.username), 'legacy')
      const answer = await fetch(`${house.url}/mcp`, {
        method: 'POST',
        headers: { authorization: `Bearer ${one.memory.held?.access_token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' }),
      })
      assert.equal(answer.status, 401)
      assert.match(
        answer.headers.get('www-authenticate') ?? '',
        /error="invalid_token".*another audience.*oauth-protected-resource\/mcp"/,
      )
      await one.close()
      const all = await SignedIn.open(`${house.url}/mcp`, house.person(staff.reader.username), 'modern')
      assert.equal((await all.call('notes__read_note')).text, 'read_note done')
      await all.close()
    })
  })

describe('who may do what is bound to what Entra says of a person', () => {
  let house: House
  before(async () => {
    house = await openHouse(yard, { identity: { askAtLogin: ['read', 'write', 'destructive'] } })
  })
  after(() => house.close())

  const may: readonly (readonly [keyof typeof staff, ...boolean[]])[] = [
    ['reader', true, false, false],
    ['grouped', true, false, false],
    ['writer', true, true, false],
    ['joiner', true, true, false],
  ]
  it('nobody: not even the server', async () => {
    const client = SignedIn.open(`${house.url}/notes/mcp`, house.person(staff.nobody.username), 'legacy')
    assert.equal(await refusalOf(client), 'POLICY_DENIED')
  })

  for (const [who, ...expected] of may)
    it(`${who}: ${['read', 'write', 'delete'].filter((_, at) => expected[at]).join(', ') || 'nothing'}`, async () => {
      const client = await SignedIn.open(`${house.url}/notes/mcp`, house.person(staff[who].username), 'legacy')
      for (const [at, name] of ['read_note', 'write_note', 'delete_note'].entries()) {
        const { isError, text } = await client.call(name)
        assert.equal(!isError, expected[at], `${name}: ${text}`)
        if (isError) assert.match(text, /Policy does not allow/)
      }
      await client.close()
    })

  it('asked for the groups of nobody but the one whose token had no room for them', () => {
    assert.deepEqual(
      house.entra.journal('graph').map(({ path, status }) => [path, status]),
      [[`/v1.0/users/${staff.joiner.oid}/getMemberObjects`, 200]],
    )
  })

  it('says no to a person who says no, on our page and on theirs', async () => {
    const person = house.person(staff.reader.username)
    const memory = new Memory('Unwanted')
    const url = `${house.url}/notes/mcp`
    await assert.rejects(SignedIn.open(url, person, 'modern', memory, { decision: 'deny' }), /the person said no/)
    house.entra.requireClaims({ app: clientId }, 'c1')
    try {
      await assert.rejects(SignedIn.open(url, person, 'modern', memory, { approve: 'no' }), /access_denied|denied|refused/)
    } finally {
      house.entra.clearConditions()
    }
    assert.equal(memory.held, undefined)
  })
})
