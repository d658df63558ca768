import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Clock } from '../lib/clock.ts'
import { Strangers } from './strangers.ts'

function strangersAt(): { strangers: Strangers; pass(ms: number): void } {
  let now = 0
  const clock: Clock = { now: () => now, monotonic: () => now }
  return { strangers: new Strangers(clock), pass: (ms) => void (now += ms) }
}
const admitted = (strangers: Strangers, count: number): number =>
  Array.from({ length: count }, () => strangers.admits('192.0.2.1')).filter(Boolean).length

describe('strangers', () => {
  it('are recorded one by one, up to an allowance that fills again', () => {
    const { strangers, pass } = strangersAt()
    assert.equal(admitted(strangers, 1000), 200)
    pass(5000)
    assert.equal(admitted(strangers, 1000), 10)
    pass(3_600_000)
    assert.equal(admitted(strangers, 1000), 200)
  })

  it('beyond it are counted, every one, once', () => {
    const { strangers } = strangersAt()
    admitted(strangers, 205)
    assert.equal(strangers.take(), '5 more requests without a valid credential, from 192.0.2.1')
    assert.equal(strangers.take(), undefined)
  })

  it('are named by address, a few of them', () => {
    const { strangers } = strangersAt()
    admitted(strangers, 200)
    for (let at = 1; at <= 9; at++) strangers.admits(`192.0.2.${at}`)
    strangers.admits()
    const five = '192.0.2.1, 192.0.2.2, 192.0.2.3, 192.0.2.4, 192.0.2.5'
    assert.equal(strangers.take(), `10 more requests without a valid credential, from ${five} and others`)
  })
})
