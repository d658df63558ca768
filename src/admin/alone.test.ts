import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, it } from 'node:test'
import { alone } from './alone.ts'

const folder = mkdtempSync(join(tmpdir(), 'sekisho-alone-'))
after(() => rmSync(folder, { recursive: true }))
const file = join(folder, 'sekisho.lock')
const turn = `${file}.turn`

for (const [holder, what] of [
  [String(process.pid), 'a process that is there'],
  ['', 'somebody who is just about to say who'],
] as const)
  it(`not while it is the turn of ${what}`, async () => {
    writeFileSync(turn, holder)
    await assert.rejects(
      alone(file, () => assert.fail('it is not our turn')),
      /is being written by another sekisho/,
    )
    assert.ok(existsSync(turn))
    rmSync(turn)
  })

for (const holder of ['999999999', 'no number'])
  it(`after one that is gone (${holder})`, async () => {
    writeFileSync(turn, holder)
    assert.equal(await alone(file, async () => existsSync(turn)), true)
    assert.ok(!existsSync(turn))
  })

it('the next one has its turn, also after a failure', async () => {
  await assert.rejects(
    alone(file, async () => {
      throw new Error('half done')
    }),
    /half done/,
  )
  assert.equal(await alone(file, async () => 'done'), 'done')
})
