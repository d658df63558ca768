import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { type Confinement, start } from './spawn.ts'

function watched(enter: (pid: number) => void = () => undefined) {
  let times = 0
  const confinement: Confinement = { inputs: [], kept: [], enter, left: () => times++ }
  return { confinement, left: () => times }
}
const where = { cwd: '/', env: { PATH: '/usr/bin:/bin' } }

test('what was made for a program is taken back where it cannot even be asked for', () => {
  for (const options of [
    { ...where, command: ['no\0name'] },
    { ...where, command: ['true', 'no\0word'] },
    { ...where, command: ['true'], cwd: 'no\0folder' },
  ]) {
    const { confinement, left } = watched()
    assert.throws(() => start({ ...options, confinement }), TypeError)
    assert.equal(left(), 1)
  }
})

test('and where the system has no such program', async () => {
  const { confinement, left } = watched()
  const child = start({ ...where, command: ['/no/such/program'], confinement })
  await once(child, 'error')
  assert.equal(left(), 1)
})

test('of one that could not be put in its place, once it is gone', async () => {
  let entered = 0
  const gone = Promise.withResolvers<void>()
  const confinement: Confinement = {
    inputs: [],
    kept: [],
    enter(pid) {
      entered = pid
      throw new Error('no room')
    },
    left: gone.resolve,
  }
  assert.throws(() => start({ ...where, command: ['sleep', '600'], confinement }), /no room/)
  await gone.promise
  assert.throws(() => process.kill(entered, 0), { code: 'ESRCH' })
})
