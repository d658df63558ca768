/**
 * More than the first login gave: a scope that is asked for when it is needed (2026-07-28 authorization, Scope Challenge
 * Handling), and a stronger or more recent login (RFC 9470), which Entra is asked for in its own words.
 */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { claimsIn, Memory, SignedIn } from './support/signed-in.ts'
import { clientId, type House, openHouse, staff } from './support/sso-house.ts'
import { minuteMs, takeTime } from './support/time.ts'
import { Yard } from './support/yard.ts'

const yard = new Yard()
const time = takeTime()
after(async () => {
  time.restore()
  await yard.close()
})
const eras = ['legacy', 'modern'] as const
const all = [{ effect: 'allow', server: '*', tools: ['*'] }]
const everybody = { roles: { all }, bindings: [{ role: 'all', tenant: staff.reader.tenant }] }

describe('a scope more (AUTH-C4)', () => {
  let house: House
  before(async () => {
    house = await openHouse(yard)
  })
  after(() => house.close())
  const url = (): string => `${house.url}/notes/mcp`

  for (const era of eras) {
    it(`${era}: the tool that writes is refused, the page shows the growth, and the call succeeds`, async () => {
      const client = await SignedIn.open(url(), house.person(staff.writer.username), era, new Memory(`Growing ${era}`))
      assert.equal((await client.call('read_note')).text, 'read_note done')
      const scopes = (): unknown => claimsIn(client.memory.held?.access_token ?? '')['scope']
      assert.equal(scopes(), 'mcp:read')
      assert.match(client.landings[0]?.pages[0]?.text ?? '', /Read : list and read/)
      assert.doesNotMatch(client.landings[0]?.pages[0]?.text ?? '', /call tools that write/)

      assert.equal((await client.call('write_note')).text, 'write_note done')
      assert.equal(client.landings.length, 2)
      const [page] = client.landings[1]?.pages ?? []
      assert.equal(page?.title, 'Allow access?')
      assert.match(page?.text ?? '', /call tools that only read.*call tools that write/)
      assert.equal(scopes(), 'mcp:read mcp:write')

      assert.equal((await client.call('write_note')).text, 'write_note done')
      assert.equal((await client.call('read_note')).text, 'read_note done')
      assert.equal(client.landings.length, 2, 'asked once')
      await client.close()
    })

    it(`${era}: who says no goes on with what they had`, async () => {
      const client = await SignedIn.open(url(), house.person(staff.writer.username), era, new Memory(`Refusing ${era}`))
      await assert.rejects(client.call('write_note', {}, { decision: 'deny' }), /the person said no/)
      assert.equal((await client.call('read_note')).text, 'read_note done')
      await client.close()
    })

    it(`${era}: nobody is asked to agree to what their role does not allow`, async () => {
      const client = await SignedIn.open(url(), house.person(staff.reader.username), era, new Memory(`Reading ${era}`))
      assert.match((await client.call('write_note')).text, /Policy does not allow the tool "write_note"/)
      assert.equal(client.landings.length, 1)
      await client.close()
    })
  }

  it('the challenge names all that is needed, and where', async () => {
    const client = await SignedIn.open(url(), house.person(staff.writer.username), 'legacy', new Memory('Looking'))
    const answer = await callWith(house, client, 'write_note')
    assert.equal(answer.status, 403)
    assert.equal(
      answer.headers.get('www-authenticate'),
      'Bearer error="insufficient_scope", error_description="mcp:write is needed", scope="mcp:read mcp:write", ' +
        `resource_metadata="${house.url}/.well-known/oauth-protected-resource/notes/mcp"`,
    )
    await client.close()
  })
})

describe('a better login (RFC 9470)', () => {
  let house: House
  before(async () => {
    house = await openHouse(yard, {
      identity: {
        askAtLogin: ['read', 'write', 'destructive'],
        stepUp: [
          { class: ['destructive'], contexts: ['c1'] },
          { class: ['write'], maxAgeMinutes: 30 },
        ],
      },
      config: everybody,
    })
  })
  after(() => house.close())
  const url = (): string => `${house.url}/notes/mcp`
  const open = (memory: Memory, who: keyof typeof staff = 'reader'): Promise<SignedIn> =>
    SignedIn.open(url(), house.person(staff[who].username), 'legacy', memory)

  /** What a client does that knows RFC 9470: it asks for what the challenge says, and forgets the token that was too little. */
  async function betterThan(client: SignedIn, asks: Record<string, string>): Promise<SignedIn> {
    await client.close()
    Object.assign(client.memory, { held: undefined, asks })
    const better = await SignedIn.open(url(), client.person, 'legacy', client.memory)
    Object.assign(client.memory, { asks: {} })
    return better
  }

  it('contexts: refused with acr_values; Entra asks for more proof; then it passes, for this program alone', async () => {
    const other = await open(new Memory('Other'))
    const client = await open(new Memory('Deleting'))
    const refused = await callWith(house, client, 'delete_note')
    assert.equal(refused.status, 401)
    assert.match(refused.headers.get('www-authenticate') ?? '', /error="insufficient_user_authentication".*acr_values="c1"/)

    const better = await betterThan(client, { acr_values: 'c1' })
    assert.deepEqual(
      better.landings.at(-1)?.pages.map(({ title }) => title),
      ['Allow access?', 'Approve sign in request'],
    )
    assert.deepEqual(claimsIn(better.memory.held?.access_token ?? '')['acrs'], ['c1'])
    assert.equal((await better.call('delete_note')).text, 'delete_note done')

    time.advance(11 * minuteMs)
    assert.equal((await other.call('read_note')).text, 'read_note done')
    assert.equal(
      (await callWith(house, other, 'delete_note')).status,
      401,
      'another program of the same person has proven nothing',
    )
    assert.equal(
      (await better.call('delete_note')).text,
      'delete_note done',
      'and this one still has, with a token that was renewed',
    )
    await Promise.all([better.close(), other.close()])
  })

  it('contexts: Entra does not let the person have it', async () => {
    const client = await open(new Memory('Hoping'), 'grouped')
    Object.assign(client.memory, { held: undefined, asks: { acr_values: 'c1' } })
    house.entra.block({ user: staff.grouped.oid, app: clientId })
    try {
      await assert.rejects(SignedIn.open(url(), client.person, 'legacy', client.memory))
    } finally {
      house.entra.clearConditions()
    }
    assert.equal(client.memory.held, undefined)
    await client.close()
  })

  it('max_age: passes at first, is refused half an hour later, and a login passes again', async () => {
    const client = await open(new Memory('Waiting'), 'writer')
    assert.equal((await client.call('write_note')).text, 'write_note done')
    time.advance(31 * minuteMs)
    assert.equal((await client.call('read_note')).text, 'read_note done')
    const refused = await callWith(house, client, 'write_note')
    assert.equal(refused.status, 401)
    assert.match(refused.headers.get('www-authenticate') ?? '', /error="insufficient_user_authentication".*max_age="1800"/)

    const better = await betterThan(client, { max_age: '1800' })
    assert.deepEqual(
      better.landings.at(-1)?.pages.map(({ title }) => title),
      ['Allow access?', 'Sign in to your account'],
    )
    assert.equal((await better.call('write_note')).text, 'write_note done')
    await better.close()
  })

  it('max_age: a silent login at the provider is not a recent one', async () => {
    const client = await open(new Memory('Silent'), 'mover')
    time.advance(31 * minuteMs)
    const silent = await betterThan(client, {})
    assert.equal((await callWith(house, silent, 'write_note')).status, 401)
    await silent.close()
  })
})

/** One call with the token that the client holds, as it is answered. */
function callWith({ url }: House, { memory }: SignedIn, name: string): Promise<Response> {
  const meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': {},
    'io.modelcontextprotocol/clientInfo': { name: 'raw', version: '1' },
  }
  return fetch(`${url}/notes/mcp`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${memory.held?.access_token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/call',
      'mcp-name': name,
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: {}, _meta: meta } }),
  })
}
