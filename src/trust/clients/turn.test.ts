/** Whose turn it is: nobody's lock is stolen, and that of the dead keeps nobody waiting. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { after } from 'node:test'
import { Busy, inTurn } from './turn.ts'

const top = mkdtempSync(join(tmpdir(), 'sekisho-turn-'))
after(() => rmSync(top, { recursive: true, force: true }))
const dead = String(spawnSync(process.execPath, ['-e', '']).pid)

let count = 0
function home(files: Readonly<Record<string, string>> = {}): { home: string; folder: string } {
  const home = join(top, String(++count))
  const folder = join(home, '.sekisho', 'wrapped')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return { home, folder }
}

const busy: readonly (readonly [says: string, files: Readonly<Record<string, string>>, why: RegExp, fix: RegExp])[] = [
  ['a process that lives', { lock: String(process.ppid) }, new RegExp(`process ${process.ppid}`), /remove .*lock$/],
  ['one that has not said yet who it is', { lock: '' }, /process unknown/, /remove .*lock$/],
  ['one that says something else', { lock: '-1' }, /process unknown/, /remove .*lock$/],
  [
    'one that is taking over what a dead one left',
    { lock: dead, 'lock.takeover': String(process.ppid) },
    new RegExp(`process ${process.ppid}`),
    /remove .*lock\.takeover$/,
  ],
]
for (const [says, files, why, fix] of busy)
  test(`refused while the turn is that of ${says}`, () => {
    const { home: at, folder } = home(files)
    assert.throws(
      () => inTurn(at, () => assert.fail('it was not our turn')),
      (error: unknown) => error instanceof Busy && why.test(error.message) && fix.test(error.fix),
    )
    for (const [name, text] of Object.entries(files)) assert.equal(readFileSync(join(folder, name), 'utf8'), text)
    assert.deepEqual(readdirSync(folder).sort(), Object.keys(files).sort())
  })

test('a turn is numbered while it lasts, also after a dead one, and leaves nothing behind', () => {
  for (const files of [{}, { lock: dead }]) {
    const { home: at, folder } = home(files)
    assert.equal(
      inTurn(at, () => readFileSync(join(folder, 'lock'), 'utf8')),
      String(process.pid),
    )
    assert.deepEqual(readdirSync(folder), [])
    assert.throws(() => inTurn(at, () => assert.fail('work')), /work/)
    assert.ok(!existsSync(join(folder, 'lock')))
  }
})

test('many at once, with a dead lock again and again: never two inside', async () => {
  const { home: at, folder } = home()
  const script = `
    import { linkSync, mkdirSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
    import { Busy, inTurn } from ${JSON.stringify(new URL('./turn.ts', import.meta.url).href)}
    const [inside, own] = [${JSON.stringify(join(top, 'inside'))}, ${JSON.stringify(top)} + '/' + process.pid]
    writeFileSync(own, ${JSON.stringify(dead)})
    let turns = 0
    for (let round = 0; round < 400 || turns === 0; round++) {
      try {
        inTurn(${JSON.stringify(at)}, () => (mkdirSync(inside), rmdirSync(inside), turns++))
        linkSync(own, ${JSON.stringify(join(folder, 'lock'))})
      } catch (error) {
        if (!(error instanceof Busy) && error.code !== 'EEXIST') throw error
        if (error.path === inside) throw new Error('two were inside')
      }
    }`
  const ends = Array.from({ length: 4 }, async () => {
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', script])
    let said = ''
    child.stderr.on('data', (bytes) => (said += String(bytes)))
    const [code] = await once(child, 'close')
    assert.equal(code, 0, said)
  })
  await Promise.all(ends)
})
