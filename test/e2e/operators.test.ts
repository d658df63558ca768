/** What an operator types while the gateway runs: it obeys at once, and writes down who it was (CLI-C1, SES-C1). */
import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { Legacy, modern } from '../attacks/support/client.ts'
import { type Echo, echo, tool } from '../attacks/support/echo.ts'
import { codeOf, httpServer, open, recordOf, yard } from '../attacks/support/house.ts'
import { type Issuer, issuer } from '../attacks/support/issuer.ts'
import { until, within } from './support/until.ts'
import { cli, type Gateway } from './support/yard.ts'

const house = yard()
let provider: Issuer
let upstream: Echo
let gateway: Gateway
before(async () => {
  provider = await issuer()
  upstream = await echo({
    era: 'legacy',
    tools: [tool('hello'), tool('hang')],
    answers: { 'tools/call': () => new Promise(() => undefined) },
  })
  const bindings = [{ role: 'all', client: 'editor' }]
  const identity = { ...provider.identity, clockSkewS: 0 }
  gateway = await house.gateway(open({ x: httpServer(upstream, 'legacy') }, { identity, bindings }))
})
after(async () => {
  await house.close()
  await Promise.all([upstream.close(), provider.close()])
})

const token = (sub: string, claims: object = {}): string => provider.token(`${gateway.url}/x/mcp`, sub, claims)
async function type(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const { out, errors, ended } = house.start([cli, ...args, '--config', gateway.configFile])
  const { code } = await ended
  return { code, out: out.join('\n'), err: errors.join('\n') }
}
const sessions = async (): Promise<{ principal: string; session: string }[]> =>
  JSON.parse((await type('sessions', 'list', '--admin', gateway.admin, '--json')).out)

it('sessions list: refused where no gateway is, and where somebody else is', async () => {
  const nobody = await type('sessions', 'list', '--admin', 'http://127.0.0.1:1')
  assert.equal(nobody.code, 1)
  assert.match(nobody.err, /no gateway answers at http:\/\/127\.0\.0\.1:1\n\s+fix .*sekisho start/)
  const other = await type('sessions', 'list', '--admin', gateway.url)
  assert.match(other.err, /answered HTTP 404, and not as a gateway of this version does/)
  assert.equal((await fetch(`${gateway.admin}/admin/v1/sessions`, { method: 'DELETE' })).status, 405)
})

it('sessions: listed without their ids, ended for one principal, and the token stays good', async () => {
  const [ada, bob] = [token('ada'), token('bob')]
  const ours = await Legacy.open(`${gateway.url}/x/mcp`, { token: ada })
  const other = await Legacy.open(`${gateway.url}/x/mcp`, { token: bob })
  const listed = await sessions()
  assert.equal(listed.length, 2)
  for (const { session } of [ours, other]) assert.ok(session !== '' && !JSON.stringify(listed).includes(session))
  const who = listed[0]?.principal ?? ''
  assert.match(who, /^user:.*\.ada$/)
  assert.equal((await type('sessions', 'end', '--principal', who, '--reason', 'odd traffic')).code, 0)
  await until('the session has ended', async () => codeOf(await ours.call('tools/list')) === 'SESSION_UNKNOWN')
  assert.equal((await other.call('tools/list')).status, 200)
  const again = await Legacy.open(`${gateway.url}/x/mcp`, { token: ada })
  assert.equal((await again.call('tools/list')).status, 200)
  const act = await until('it is written down', () => recordOf(gateway).find(({ action }) => action === 'sessions.ended'))
  assert.match(String(act['principal']), /^cli:/)
  assert.match(String(act['detail']), new RegExp(`^at .*: ${who.replaceAll('.', '\\.')}: odd traffic$`))
})

it('tokens revoke: what was issued is refused at once, what is issued later is not', async () => {
  const before = token('eve')
  const call = (bearer: string) => modern(`${gateway.url}/x/mcp`, 'tools/list', {}, { token: bearer })
  assert.equal((await call(before)).status, 200)
  const open = await Legacy.open(`${gateway.url}/x/mcp`, { token: before })
  const who = (await sessions()).find(({ principal }) => principal.endsWith('.eve'))?.principal ?? ''
  const { out } = await type('tokens', 'revoke', '--user', who, '--reason', 'lost laptop')
  assert.match(out, /^revoked {2}what user:\S+\.eve was given up to now\na new login is good again/)
  await until('the token is refused', async () => codeOf(await call(before)) === 'UNAUTHENTICATED')
  assert.equal((await open.call('tools/list')).status, 401)
  assert.deepEqual(
    (await sessions()).filter(({ principal }) => principal === who),
    [],
    'its sessions are over too',
  )
  const later = () => token('eve', { iat: Math.floor(Date.now() / 1000) })
  await until('a new login is good', async () => (await call(later())).status === 200)
  assert.match(
    (await type('tokens', 'revocations')).out,
    /^KIND +VALUE +UP TO +BY +REASON\nsessions .*odd traffic\nuser +user:\S+\.eve .*lost laptop$/,
  )
  await until('it is written down', () => recordOf(gateway).some(({ action }) => action === 'tokens.revoked'))
})

for (const era of ['modern', 'legacy'] as const)
  it(`tokens revoke: who is in the middle of a ${era} call hears of it, and is not left waiting`, async () => {
    const bearer = token(`mid-${era}`)
    const url = `${gateway.url}/x/mcp`
    const calling =
      era === 'modern'
        ? modern(url, 'tools/call', { name: 'hang' }, { token: bearer })
        : (await Legacy.open(url, { token: bearer })).call('tools/call', { name: 'hang' })
    const isUnderWay = () =>
      recordOf(gateway).find(
        ({ kind, subject, principal }) => kind === 'intent' && subject === 'hang' && String(principal).endsWith(era),
      )
    const intent = await until('the call is under way', isUnderWay)
    await type('tokens', 'revoke', '--user', String(intent['principal']))
    assert.equal(codeOf(await within(5000, 'an answer', calling)), 'UNAUTHENTICATED')
  })
