/** A new advisory cuts off the server that uses what is affected, in a gateway that runs, and stands in its record (SUP-C3). */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, it } from 'node:test'
import { modern } from '../attacks/support/client.ts'
import { type Echo, echo, tool } from '../attacks/support/echo.ts'
import { codeOf, httpServer, open, recordOf, yard } from '../attacks/support/house.ts'
import { until } from './support/until.ts'
import { cli, type Gateway } from './support/yard.ts'

const house = yard()
const folder = mkdtempSync(join(tmpdir(), 'sekisho-advisories-'))
let upstream: Echo
let gateway: Gateway
const advisory = (modified: string, more: object = {}, file = 'a.json'): void =>
  writeFileSync(
    join(folder, file),
    JSON.stringify({
      ...{ id: 'GHSA-0001', modified, summary: 'It runs what it is told', database_specific: { severity: 'CRITICAL' } },
      affected: [{ package: { ecosystem: 'npm', name: 'left' }, ranges: [{ type: 'SEMVER', events: [{ introduced: '0' }] }] }],
      ...more,
    }),
  )
before(async () => {
  upstream = await echo({ era: 'legacy', tools: [tool('hello')] })
  const components = [{ kind: 'package', name: 'left', version: '1.0.0', purl: 'pkg:npm/left@1.0.0', usedBy: ['x'] }]
  const supply = { advisories: { path: folder, ageDaysMax: 3650, quarantine: 'high' } }
  gateway = await house.gateway(
    open({ x: httpServer(upstream, 'legacy'), y: httpServer(upstream, 'legacy') }, { components, supply }),
  )
})
after(async () => {
  await house.close()
  await upstream.close()
  rmSync(folder, { recursive: true })
})

async function watch(): Promise<{ fresh: { servers: string[] }[]; gone: string[]; quarantined: string[] }> {
  const { out, ended } = house.start([cli, 'supply', 'watch', '--once', '--json', '--config', gateway.configFile])
  await ended
  return JSON.parse(out.join('\n'))
}
const call = (server: string) => modern(`${gateway.url}/${server}/mcp`, 'tools/list')

it('one server is cut off and no other, once; it is in the record; and what is withdrawn is over', async () => {
  advisory(
    '2026-11-01T00:00:00Z',
    { id: 'GHSA-0000', affected: [{ package: { ecosystem: 'npm', name: 'right' }, versions: ['1.0.0'] }] },
    'b.json',
  )
  assert.deepEqual((await watch()).fresh, [])
  assert.equal((await call('x')).status, 200)
  advisory('2026-11-02T00:00:00Z')
  const round = await watch()
  assert.deepEqual([round.fresh[0]?.servers, round.quarantined], [['x'], ['x']])
  await until('x is cut off', async () => codeOf(await call('x')) === 'SERVER_DISABLED')
  assert.equal((await call('y')).status, 200)
  const alert = await until('it is written down', () => recordOf(gateway).find(({ action }) => action === 'supply.alert'))
  assert.match(String(alert['detail']), /GHSA-0001 \(critical\) in left 1\.0\.0/)
  assert.equal(alert['server'], 'x')
  const { ended } = house.start([cli, 'servers', 'enable', 'x', '--config', gateway.configFile])
  await ended
  assert.deepEqual((await watch()).quarantined, [])
  await until('x serves again', async () => (await call('x')).status === 200)
  advisory('2026-11-03T00:00:00Z', { withdrawn: '2026-11-03T00:00:00Z' })
  assert.match((await watch()).gone[0] ?? '', /GHSA-0001$/)
})
