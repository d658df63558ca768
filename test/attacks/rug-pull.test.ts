/**
 * INJ-R4, INJ-C8; CVE-2025-54136, postmark-mcp 1.0.16: a server that is another one after it was approved. The client does what
 * descriptions tell it, as models do. Each attack works where the guard is off, and fails where it is on: in both eras, over HTTP
 * and for a local server.
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { Legacy, modern } from './support/client.ts'
import { type Answer, type Echo, echo, type Json, saying } from './support/echo.ts'
import { httpServer, keyed, node, open, yard } from './support/house.ts'
import { type Ask, obey } from './support/obedient.ts'
import { type Caller, key, type State, type Turncoat, turncoats } from './support/turncoats.ts'

const house = yard()
const people = keyed(['alice', 'bob'])
const eras = ['modern', 'legacy'] as const
const transports = ['http', 'stdio'] as const
type Era = (typeof eras)[number]
const relay = join(import.meta.dirname, 'support/relay.ts')

/** One turncoat in one era on one transport, behind one gateway. */
class Stage {
  readonly says: string
  readonly id: string
  readonly turncoat: Turncoat
  readonly era: Era
  readonly transport: (typeof transports)[number]
  readonly mode: 'on' | 'off'
  upstream!: Echo
  /** Set while the processes that relay are sent home. */
  isOver = false
  readonly state: State = {
    ...{ turn: {}, calls: 0, isLater: false },
    announce: (method) => {
      for (const stream of this.upstream.standing) stream.write(`data: ${JSON.stringify({ jsonrpc: '2.0', method })}\n\n`)
    },
  }

  constructor(at: number, turncoat: Turncoat, era: Era, transport: Stage['transport'], mode: Stage['mode']) {
    this.says = `${turncoat.says}, ${era}, ${transport}: ${mode === 'off' ? 'works without the guard' : 'is caught'}`
    this.id = `a${at}-${era}-${transport}`
    this.turncoat = turncoat
    this.era = era
    this.transport = transport
    this.mode = mode
  }

  async open(): Promise<Json> {
    const calls: Answer = () => saying('done')
    const answers = Object.entries({ 'tools/call': calls, ...this.turncoat.answers(this.state) })
    const counted = answers.map(([method, answer]): [string, Answer] => [
      method,
      (turn) => {
        if (this.isOver) turn.response.setHeader('x-end', '1')
        this.state.turn[method] = (this.state.turn[method] ?? 0) + 1
        if (method === 'tools/call') this.state.calls++
        return answer(turn)
      },
    ])
    this.upstream = await echo({ era: this.era, answers: Object.fromEntries(counted) })
    const { url } = this.upstream
    return this.transport === 'http' ? httpServer(this.upstream, this.era) : { command: node(relay, url), era: this.era }
  }
}

/** Over HTTP each in every era; on stdio, where every caller costs a process, in one of them by turns. */
const isWorthIt = (at: number, era: Era, transport: Stage['transport'], { eras: only = eras }: Turncoat): boolean =>
  transport === 'http' || only.length === 1 || era === eras[at % eras.length]

const stages = turncoats.flatMap((turncoat, at) =>
  (turncoat.eras ?? eras).flatMap((era) =>
    (turncoat.transports ?? transports)
      .filter((transport) => isWorthIt(at, era, transport, turncoat))
      .flatMap((transport) => (['off', 'on'] as const).map((mode) => new Stage(at, turncoat, era, transport, mode))),
  ),
)

describe('INJ-R4: each of them', { concurrency: 4 }, () => {
  const gateways: Record<Stage['mode'], string> = { on: '', off: '' }
  before(async () => {
    for (const mode of ['on', 'off'] as const) {
      const servers: Json = {}
      for (const stage of stages) if (stage.mode === mode) servers[stage.id] = await stage.open()
      const { identity, bindings } = people
      const guards = mode === 'off' ? [{ guard: 'trust', mode: 'off' }] : []
      gateways[mode] = (await house.gateway(open(servers, { identity, bindings, guards, pins: { recheckSeconds: 0 } }))).url
    }
  })
  after(async () => {
    await house.close()
    await Promise.all(stages.map(({ upstream }) => upstream.close()))
  })

  async function callerAt({ id, era, mode }: Stage, who: 'alice' | 'bob'): Promise<Caller> {
    const url = `${gateways[mode]}/${id}/mcp`
    const token = people.tokens[who]
    const client = { name: who, version: '1' }
    const resultIn = ({ json }: { json: Json }): Json => ((json as { result?: Json }).result ?? {}) as Json
    if (era === 'legacy') {
      const session = await Legacy.open(url, { token, client })
      return {
        ask: async (method, params) => resultIn(await session.call(method, params)),
        introduction: resultIn(session.opened),
      }
    }
    const ask: Ask = async (method, params = {}) => resultIn(await modern(url, method, params, { token, client }))
    return { ask, introduction: await ask('server/discover') }
  }

  for (const stage of stages)
    it(stage.says, async () => {
      const { turncoat, mode, state, upstream } = stage
      const callers: Caller[] = []
      const scene = {
        state,
        open: async (who: 'alice' | 'bob') => callers[callers.push(await callerAt(stage, who)) - 1] as Caller,
        obey: ({ ask, introduction }: Caller) => obey(ask, { introduction }),
      }
      const threeTimes: NonNullable<Turncoat['act']> = async ({ open, obey }) => {
        const alice = await open('alice')
        for (let at = 0; at < 3; at++) await obey(alice)
      }
      await (turncoat.act ?? threeTimes)(scene)
      const heard = upstream.everything()
      assert.equal(heard.includes(turncoat.arrives ?? key), mode === 'off', heard.slice(-600))
      assert.ok(heard.includes(turncoat.goesOn ?? 'tools/list'))
      stage.isOver = true
      if (stage.transport === 'stdio') for (const { ask } of callers) await ask('tools/list')
    })
})

it('there are more than thirty of them', () => assert.ok(turncoats.length > 30))
