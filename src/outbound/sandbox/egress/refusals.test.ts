import assert from 'node:assert/strict'
import test from 'node:test'
import { type EgressRefusal, Refusals } from './refusals.ts'

function told() {
  let now = 0
  const heard: EgressRefusal[] = []
  const refusals = new Refusals({ now: () => now, monotonic: () => now }, (refusal) => heard.push(refusal))
  return { refusals, heard, pass: (ms: number) => (now += ms) }
}

test('the same refusal is told once a minute, with how often it came', () => {
  const { refusals, heard, pass } = told()
  for (let at = 0; at < 1000; at++) refusals.add('a.example', 443, 'not-allowed')
  assert.deepEqual(heard, [{ host: 'a.example', port: 443, why: 'not-allowed', times: 1 }])
  pass(60_000)
  refusals.add('a.example', 443, 'not-allowed')
  assert.deepEqual(heard[1], { host: 'a.example', port: 443, why: 'not-allowed', times: 1000 })
})

test('others are told at once: another host, port or reason', () => {
  const { refusals, heard } = told()
  refusals.add('a.example', 443, 'not-allowed')
  refusals.add('b.example', 443, 'not-allowed')
  refusals.add('a.example', 80, 'not-allowed')
  refusals.add('a.example', 443, 'this-machine')
  assert.equal(heard.length, 4)
})

test('a thousand hosts in a minute are told as a hundred, and there is room again later', () => {
  const { refusals, heard, pass } = told()
  for (let at = 0; at < 1000; at++) refusals.add(`host-${at}.example`, 443, 'not-allowed')
  assert.equal(heard.length, 100)
  pass(60_000)
  refusals.add('another.example', 443, 'not-allowed')
  assert.equal(heard.at(-1)?.host, 'another.example')
})

test('a hundred hosts that were tried twice silence nothing: how often they came is told, and there is room again', () => {
  const { refusals, heard, pass } = told()
  for (let round = 0; round < 3; round++) for (let at = 0; at < 100; at++) refusals.add(`host-${at}.example`, 443, 'not-allowed')
  assert.equal(heard.length, 100)
  pass(60_000)
  refusals.add('another.example', 443, 'not-allowed')
  assert.deepEqual(heard.slice(100, 102), [
    { host: 'host-0.example', port: 443, why: 'not-allowed', times: 2 },
    { host: 'host-1.example', port: 443, why: 'not-allowed', times: 2 },
  ])
  assert.deepEqual(heard.slice(200), [{ host: 'another.example', port: 443, why: 'not-allowed', times: 1 }])
})

test('what came untold is told with the next of whatever kind, and counted once', () => {
  const { refusals, heard, pass } = told()
  refusals.add('a.example', 443, 'not-allowed')
  pass(30_000)
  refusals.add('b.example', 443, 'not-allowed')
  refusals.add('a.example', 443, 'not-allowed')
  pass(30_000)
  refusals.add('b.example', 443, 'not-allowed')
  pass(60_000)
  refusals.add('a.example', 443, 'not-allowed')
  assert.deepEqual(
    heard.map(({ host, times }) => `${host} ${times}`),
    ['a.example 1', 'b.example 1', 'a.example 1', 'b.example 1', 'a.example 1'],
  )
})

test('at the end: what came since it was told', () => {
  const { refusals, heard } = told()
  for (const host of ['a.example', 'b.example', 'a.example', 'a.example']) refusals.add(host, 443, 'not-allowed')
  refusals.close()
  refusals.close()
  assert.deepEqual(heard.slice(2), [{ host: 'a.example', port: 443, why: 'not-allowed', times: 2 }])
})
