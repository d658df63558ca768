import assert from 'node:assert/strict'
import test from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Clock } from '../lib/clock.ts'
import { Stop } from '../lib/stop.ts'
import type { Verdict } from '../pipeline/guard.ts'
import { noHeaders, type Parcel, plainPrincipal } from '../pipeline/parcel.ts'
import { explain } from '../protocol/refusal-texts.ts'
import { limitsGuard } from './guard.ts'
import { type LimitsConfig, limitsSchema, type Measure } from './schema.ts'

const free: Measure = { perMinute: 'unlimited', burst: 1, concurrent: 'unlimited' }
const of = (measures: Partial<Pick<LimitsConfig, 'principal' | 'stream' | 'server' | 'tool'>>): LimitsConfig => ({
  ...limitsSchema.parse({}),
  ...{ principal: free, stream: free, server: free, tool: free },
  ...measures,
})
const rate = (perMinute: number, burst = perMinute): Measure => ({ perMinute, burst, concurrent: 'unlimited' })
const crowd = (concurrent: number): Measure => ({ perMinute: 'unlimited', burst: 1, concurrent })

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void
/** Bytes that are still in use. */
function held(): number {
  collect()
  return process.memoryUsage().heapUsed
}

let exchanges = 0
const origin = {
  door: 'http',
  era: 'legacy',
  version: '',
  client: undefined,
  capabilities: {},
  logLevel: undefined,
  remote: '192.0.2.1',
} as const
const call = (parts: Partial<Parcel> = {}): Parcel =>
  ({
    ...{
      exchange: `x${exchanges++}`,
      leg: 'call',
      sender: 'client',
      principal: plainPrincipal('anonymous', 'anonymous'),
      origin: { ...origin, session: 's' },
      server: 'files',
    },
    ...{
      method: 'tools/call',
      concerns: 'tool',
      subject: 'read',
      class: 'read',
      member: 'params',
      body: {},
      question: undefined,
    },
    ...{ list: undefined, paramHeaders: noHeaders },
    ...parts,
  }) as Parcel

function limited(config: LimitsConfig) {
  let nowMs = 1_000_000
  let current = config
  const clock: Clock = { now: () => nowMs, monotonic: () => nowMs }
  const guard = limitsGuard({ config: () => current, clock })
  const ask = (parcel: Parcel = call()): Verdict => guard.judge(parcel) as Verdict
  const passes = (count: number, parcel: () => Parcel = call): number =>
    Array.from({ length: count }, () => ask(parcel())).filter(({ kind }) => kind === 'pass').length
  return { guard, ask, passes, wait: (ms: number) => (nowMs += ms), reload: (next: LimitsConfig) => (current = next) }
}
const other = plainPrincipal('api-key', 'key:ci')

test('past the rate: the code, how long to wait, and the finding (TPT-C5)', () => {
  const { ask, passes } = limited(of({ principal: rate(60, 3) }))
  assert.equal(passes(3), 3)
  const verdict = ask() as Verdict & { kind: 'block' }
  assert.equal(verdict.code, 'RATE_LIMITED')
  assert.deepEqual(verdict.facts, { detail: 'at most 60 calls a minute', retryAfterS: 1 })
  assert.equal(explain(verdict.code, verdict.facts ?? {}).says, 'Too many calls: at most 60 calls a minute.')
  assert.deepEqual(verdict.findings, [
    {
      rule: 'limits/rate',
      severity: 'low',
      evidence: 'anonymous went past 60 calls a minute',
      owasp: 'MCP02',
      requirement: 'TPT-C5',
    },
  ])
})

test('past the concurrency: the code and the finding; what ends makes room', () => {
  const { ask, guard } = limited(of({ principal: crowd(2) }))
  const first = call()
  assert.equal(ask(first).kind, 'pass')
  assert.equal(ask().kind, 'pass')
  const verdict = ask() as Verdict & { kind: 'block' }
  assert.deepEqual(
    [verdict.code, verdict.facts?.['detail'], verdict.findings[0]?.rule],
    ['RATE_LIMITED', 'at most 2 calls at a time', 'limits/concurrency'],
  )
  guard.settled?.(first.exchange)
  guard.settled?.(first.exchange) // said twice, it counts once
  guard.settled?.('never heard of')
  assert.equal(ask().kind, 'pass')
  assert.equal(ask().kind, 'block')
})

test('a new session, header, address or client name buys nothing (attack: rotating Mcp-Session-Id)', () => {
  const { passes } = limited(of({ principal: rate(60, 5) }))
  let turn = 0
  const disguised = () => {
    turn++
    const changed = {
      ...origin,
      session: `s${turn}`,
      remote: `192.0.2.${turn}`,
      client: { name: `c${turn}` },
      door: turn % 2 ? 'http' : 'stdio',
    } as Parcel['origin']
    return call({ origin: changed, paramHeaders: { 'mcp-param-user': `u${turn}` }, body: { _meta: { user: turn } } })
  }
  assert.equal(passes(100, disguised), 5)
})

test('exactly as many as allowed, however they come', () => {
  const { passes, wait } = limited(of({ principal: rate(600, 100) }))
  assert.equal(passes(1000), 100)
  wait(1000)
  assert.equal(passes(1000), 10)
  wait(3_600_000)
  assert.equal(passes(1000), 100, 'a long pause gives a burst and no more')
  let total = 0
  for (let second = 0; second < 60; second++) {
    wait(1000)
    total += passes(50)
  }
  assert.equal(total, 600)
})

test('a refused call takes nothing from any measure', () => {
  const { ask, passes, wait } = limited(of({ principal: rate(60, 10), tool: rate(60, 1) }))
  assert.equal(passes(100), 1)
  wait(1)
  assert.equal(ask(call({ subject: 'another' })).kind, 'pass', 'the principal still has tokens')
  assert.equal(
    passes(100, () => call({ subject: `t${exchanges}` })),
    8,
  )
})

test('callers do not use up each other’s measure, nor one server’s that of another', () => {
  const { passes } = limited(of({ principal: rate(60, 6), server: rate(60, 2) }))
  assert.equal(passes(9), 2)
  assert.equal(
    passes(9, () => call({ server: 'crm' })),
    2,
  )
  assert.equal(
    passes(9, () => call({ server: 'c', principal: other })),
    2,
  )
  assert.equal(
    passes(9, () => call({ server: 'd' })),
    2,
  )
  assert.equal(
    passes(9, () => call({ server: 'e' })),
    0,
  )
})

test('calls about no tool have no tool to count for', () => {
  const { passes } = limited(of({ tool: rate(60, 1) }))
  assert.equal(
    passes(5, () => call({ concerns: 'prompt' })),
    5,
  )
  assert.equal(
    passes(5, () => call({ subject: undefined })),
    5,
  )
})

test('invented tool names neither fill the memory nor escape the measure', () => {
  const { passes, ask, wait } = limited(of({ tool: rate(1, 1) }))
  let made = 0
  const before = held()
  const allowed = passes(50_000, () => call({ exchange: 'one', subject: `${made++}_${'x'.repeat(2000)}` }))
  assert.ok(allowed <= 257, `${allowed}`)
  assert.ok(held() - before < 2 * 1024 * 1024)
  assert.equal(ask(call({ subject: '0_' })).kind, 'block', 'newcomers share one measure')
  assert.equal(ask(call({ subject: 'x', principal: other })).kind, 'pass', 'others are not touched')
  wait(120_000)
  assert.equal(ask(call({ subject: 'real' })).kind, 'pass', 'idle buckets make room')
})

test('the parts of one message to all servers are one call of the caller, until the whole is answered', () => {
  const { passes, ask, guard } = limited(of({ principal: { perMinute: 60, burst: 2, concurrent: 2 }, server: rate(60, 1) }))
  const message = () => {
    const whole = new Stop()
    let server = 0
    return { whole, part: () => call({ whole, server: `s${server++}` }) }
  }
  const [one, two, three] = [message(), message(), message()]
  assert.equal(passes(40, one.part), 40)
  assert.equal(ask(call({ whole: one.whole, server: 's0' })).kind, 'block', 'each part counts on its server')
  const part = two.part()
  assert.equal(ask(call({ ...part, principal: other })).kind, 'pass', 'another’s')
  assert.equal(ask(call({ server: 'x' })).kind, 'pass')
  guard.settled?.(part.exchange)
  assert.equal(passes(40, three.part), 0)
})

test('a message to all servers is under way until the whole is answered, and is refused as a whole', () => {
  const { ask, passes, wait, guard } = limited(of({ principal: { perMinute: 60, burst: 2, concurrent: 1 } }))
  const [one, two] = [new Stop(), new Stop()]
  const part = call({ whole: one })
  assert.equal(ask(part).kind, 'pass')
  guard.settled?.(part.exchange)
  assert.equal(ask(call()).kind, 'block', 'between two parts it is still under way')
  assert.equal(ask(call({ whole: two })).kind, 'block')
  one.stop('answered')
  wait(60_000)
  assert.equal(
    passes(9, () => call({ whole: two })),
    0,
    'what its first part was told, the others are told',
  )
  assert.equal(ask(call({ whole: new Stop() })).kind, 'pass')
})

test('a reload keeps what was used, and measures it anew', () => {
  const { passes, reload, wait, ask, guard } = limited(of({ principal: rate(60, 5) }))
  assert.equal(passes(9), 5)
  reload(of({ principal: rate(60, 50) }))
  assert.equal(passes(9), 0)
  wait(60_000)
  assert.equal(passes(99), 50)
  reload(of({ principal: crowd(1) }))
  const one = call()
  assert.equal(ask(one).kind, 'block', 'what is under way is counted')
  guard.settled?.(one.exchange)
})

test('a notice of the client counts like a call; one of the server, and leaving, does not', () => {
  const { passes } = limited(of({ principal: rate(60, 2) }))
  const notice = (parts: Partial<Parcel> = {}) => call({ leg: 'notice', method: 'notifications/roots/list_changed', ...parts })
  assert.equal(passes(3, notice), 2)
  assert.equal(
    passes(5, () => notice({ sender: 'server' })),
    5,
  )
  assert.equal(
    passes(5, () => notice({ method: 'session/delete' })),
    5,
  )
})

test('a standing stream takes no place of a call', () => {
  const { passes } = limited(of({ principal: crowd(1), stream: crowd(2) }))
  const stream = () => call({ method: 'session/stream', concerns: 'server', subject: undefined })
  assert.equal(passes(3, stream), 2)
  assert.equal(passes(2), 1)
})
