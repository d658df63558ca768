/**
 * INJ-R3, INJ-R6, K-7, K-35 (03): definitions that are poisoned from the start. Each attack works where the guard is off; where it
 * is on, the first list is looked at before anybody sees it, and what the scan finds is kept back. What has no mark to find passes
 * the scan, as the table says, and is what `pins.firstUse: hold` is for: there nobody calls what nobody has looked at.
 */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { modern, send } from './support/client.ts'
import { type Answer, type Echo, echo, type Json } from './support/echo.ts'
import { httpServer, open, yard } from './support/house.ts'
import { type Ask, obey } from './support/obedient.ts'
import { bootyOf, type Poison, poisons } from './support/poisons.ts'

const house = yard()
const lasting = { ttlMs: 0, cacheScope: 'private' }

/** Says what the poison says; pictures lead to itself. */
async function poisoned({
  tools = [],
  prompts = [],
  resources = [],
  resourceTemplates = [],
  instructions,
}: Poison): Promise<Echo> {
  const capabilities = { tools: {}, prompts: {}, resources: {} }
  const here = (list: readonly Json[]): unknown =>
    JSON.parse(JSON.stringify(list).replaceAll('PLACE', new URL(upstream.url).origin))
  const answers: Readonly<Record<string, Answer>> = {
    'server/discover': () => ({ supportedVersions: ['2026-07-28'], capabilities, instructions, ...lasting }),
    'tools/list': () => ({ tools: here(tools), ...lasting }),
    'prompts/list': () => ({ prompts, ...lasting }),
    'resources/list': () => ({ resources, ...lasting }),
    'resources/templates/list': () => ({ resourceTemplates, ...lasting }),
  }
  const upstream = await echo({ answers })
  return upstream
}

/** `hold`: a person looks before anybody may call. */
const modes = {
  off: { guards: [{ guard: 'trust', mode: 'off' }] },
  on: { guards: [] },
  hold: { guards: [], pins: { firstUse: 'hold' } },
}
type Mode = keyof typeof modes
const ends = (mode: Mode, { isUnmarked }: Poison): string => {
  if (mode === 'off') return 'works without the guard'
  if (mode === 'hold') return 'waits where new servers wait'
  return isUnmarked ? 'has no mark that the scan would hold it for' : 'is kept back'
}

describe('INJ-R3: each of them', () => {
  const upstreams = new Map<string, Echo>()
  const urls: Partial<Record<Mode, string>> = {}
  before(async () => {
    for (const [mode, changes] of Object.entries(modes)) {
      const servers: Json = {}
      for (const [at, poison] of Object.values(poisons).entries()) {
        const upstream = await poisoned(poison)
        upstreams.set(`${mode} ${at}`, upstream)
        servers[`p${at}`] = httpServer(upstream)
      }
      urls[mode as Mode] = (await house.gateway(open(servers, changes))).url
    }
  })
  after(async () => {
    await house.close()
    await Promise.all([...upstreams.values()].map((one) => one.close()))
  })

  for (const [at, [says, poison]] of Object.entries(poisons).entries())
    for (const mode of Object.keys(modes) as readonly Mode[])
      it(`${says}: ${ends(mode, poison)}`, async () => {
        const ask: Ask = async (method, params = {}) =>
          ((await modern(`${urls[mode]}/p${at}/mcp`, method, params)).json as { result?: Json }).result ?? {}
        const show = (url: string) => send(url, { method: 'GET' })
        await obey(ask, { show, introduction: await ask('server/discover') })
        const heard = upstreams.get(`${mode} ${at}`)?.everything() ?? ''
        assert.match(heard, /tools\/list/)
        const arrived = bootyOf(poison).filter((booty) => heard.includes(booty))
        assert.equal(arrived.length > 0, mode === 'off' || (mode === 'on' && poison.isUnmarked === true), arrived.join())
      })
})

it('there are more than sixty of them, and of few does the scan see nothing', () => {
  const all = Object.values(poisons)
  assert.ok(all.length >= 60)
  assert.ok(all.filter(({ isUnmarked }) => isUnmarked).length <= 3)
})
