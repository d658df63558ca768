import assert from 'node:assert/strict'
import test from 'node:test'
import { unstoppable } from '../lib/stop.ts'
import type { Gate } from './exchange.ts'
import { call } from './fixture.test.ts'
import { type Guard, type Mode, pass, type Verdict } from './guard.ts'
import { type Bench, judge } from './judge.ts'
import type { Parcel } from './parcel.ts'

const guard = (answer: Guard['judge'], name = 'policy', legs: Guard['legs'] = ['call', 'catalog']): Guard => ({
  name,
  legs,
  judge: answer,
})
const bench = (guards: readonly Guard[], mode: Mode = 'enforce'): Bench => ({ guards, guardTimeoutMs: 20, mode: () => mode })
const block: Verdict = { kind: 'block', code: 'POLICY_DENIED', findings: [] }
const throws = (): never => {
  throw new Error('db down')
}

const broken: readonly [name: string, judge: Guard['judge']][] = [
  ['throws', throws],
  ['rejects', async () => throws()],
  ['never answers', () => new Promise(() => undefined)],
]
for (const [name, answer] of broken)
  test(`a guard that ${name} blocks (K-2)`, async () => {
    const judgement = await judge(call, bench([guard(answer)]))
    assert.equal('refused' in judgement && judgement.refused.code, 'GUARD_FAILED')
    assert.equal(judgement.opinions[0]?.findings[0]?.rule, 'policy/failed')
  })

test('an answer that is no verdict does not pass', async () => {
  const nonsense = [undefined, null, {}, { kind: 'allow' }] as unknown as Verdict[]
  for (const verdict of nonsense) {
    const outcome = await Promise.resolve()
      .then(() => judge(call, bench([guard(() => verdict)])))
      .catch(() => 'threw' as const)
    assert.ok(outcome === 'threw' || outcome === undefined || !('cleared' in outcome))
  }
})

test('a synchronous row is judged synchronously', () => {
  assert.ok('cleared' in (judge(call, bench([guard(() => pass)])) as object))
})

test('a guard cannot reach past itself: the next one still runs, and a refusal ends the row', async () => {
  const seen: string[] = []
  const note = (name: string, verdict: Verdict): Guard =>
    guard(() => {
      seen.push(name)
      return verdict
    }, name)
  await judge(call, bench([note('a', pass), note('b', block), note('c', pass)]))
  assert.deepEqual(seen, ['a', 'b'])
})

test('monitor records the verdict and applies nothing; off does not ask', async () => {
  const monitored = await judge(call, bench([guard(() => block)], 'monitor'))
  assert.ok('cleared' in monitored)
  assert.deepEqual(
    monitored.opinions.map(({ mode, kind }) => [mode, kind]),
    [['monitor', 'block']],
  )
  assert.ok('cleared' in (await judge(call, bench([guard(throws)], 'off'))))
})

test('a redaction of a call asks policy again, on what will be sent', async () => {
  const asked: unknown[] = []
  const policy = guard((parcel) => {
    asked.push(parcel.body['name'])
    return parcel.body['name'] === 'rewritten' ? block : pass
  })
  const redact = guard(() => ({ kind: 'redact', body: { name: 'rewritten' }, findings: [] }), 'inspection')
  const judgement = await judge(call, bench([policy, redact]))
  assert.deepEqual(asked, ['read', 'rewritten'])
  assert.equal('refused' in judgement && judgement.refused.code, 'POLICY_DENIED')
})

test('a catalog loses the named entries, and entries that cannot be named', async () => {
  const list: Parcel = {
    ...call,
    leg: 'catalog',
    member: 'result',
    list: { items: 'tools', key: 'name', concerns: 'tool' },
    body: { tools: [{ name: 'a' }, { name: 'b' }, { name: 1 }], nextCursor: 'x' },
  }
  const judgement = await judge(list, bench([guard(() => ({ kind: 'omit', names: new Set(['b']), findings: [] }))]))
  assert.deepEqual('cleared' in judgement && judgement.cleared.body, { tools: [{ name: 'a' }], nextCursor: 'x' })
})

test('a hold blocks while nobody can be asked', async () => {
  const judgement = await judge(call, bench([guard(() => ({ kind: 'hold', question: 'sure?', findings: [] }))]))
  assert.equal('refused' in judgement && judgement.refused.code, 'APPROVAL_UNAVAILABLE')
})

test('nothing unjudged can be forwarded (compile time)', () => {
  const gate = {} as Gate
  // @ts-expect-error a Parcel is not Cleared
  const forward = () => gate.forward(call, [], unstoppable)
  assert.equal(typeof forward, 'function')
})
