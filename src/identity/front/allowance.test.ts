import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Allowance } from './allowance.ts'

const taken = (allowance: Allowance, remote: string | undefined, times: number, now: number): number =>
  Array.from({ length: times }, () => allowance.take(remote, now)).filter((waitS) => waitS === 0).length

describe('what each address may do', () => {
  it('is so much at once and then so much a minute, with the seconds to wait', () => {
    const allowance = new Allowance({ burst: 5, perMinute: 2 })
    assert.equal(taken(allowance, '192.0.2.1', 9, 0), 5)
    assert.equal(allowance.take('192.0.2.1', 0), 30)
    assert.equal(allowance.take('192.0.2.1', 29_000), 1)
    assert.equal(taken(allowance, '192.0.2.1', 9, 60_000), 2)
    assert.equal(taken(allowance, '192.0.2.1', 9, 3_600_000), 5)
  })

  it('comes back where it turned out to be nothing to count, and never becomes more', () => {
    const allowance = new Allowance({ burst: 2, perMinute: 1 })
    assert.equal(allowance.take('192.0.2.1', 0), 0)
    for (let times = 0; times < 9; times++) allowance.giveBack('192.0.2.1')
    assert.equal(taken(allowance, '192.0.2.1', 9, 0), 2)
  })

  const same: readonly (readonly [one: string, other: string, isSame: boolean])[] = [
    ['192.0.2.1', '192.0.2.2', false],
    ['192.0.2.1', '::ffff:192.0.2.1', true],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::9', true],
    ['2001:db8::1', '2001:db8::2:0:0:1', true],
    ['2001:db8:1:2::1', '2001:db8:1:3::1', false],
    ['::1', '::2', true],
    ['fe80::1%eth0', '192.0.2.1', false],
  ]
  for (const [one, other, isSame] of same)
    it(`${one} and ${other} ${isSame ? 'share theirs' : 'have one each'}`, () => {
      const allowance = new Allowance({ burst: 1, perMinute: 1 })
      assert.equal(allowance.take(one, 0), 0)
      assert.equal(allowance.take(other, 0) > 0, isSame)
    })

  it('is forgotten for who was seen last of ten thousand others, and memory stays as it is', () => {
    const allowance = new Allowance({ burst: 1, perMinute: 1 })
    for (let at = 0; at <= 10_000; at++) allowance.take(`host-${at}`, 0)
    assert.equal(allowance.take('host-0', 0), 0)
    assert.ok(allowance.take('host-10000', 0) > 0)
  })
})
