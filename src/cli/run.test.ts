/** What `sekisho run` refuses before it starts anything. What it does then is in test/e2e/run-command.test.ts. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { after } from 'node:test'

const folder = mkdtempSync(join(tmpdir(), 'sekisho-run-'))
after(() => rmSync(folder, { recursive: true, force: true }))
writeFileSync(join(folder, 'file'), '')
const main = new URL('./main.ts', import.meta.url).pathname

const refused: readonly (readonly [says: string, args: readonly string[], message: string])[] = [
  [
    'an id that is none',
    ['--id', 'Bad Id', '--data', folder],
    '--id "Bad Id" must be 1 to 24 of a-z, 0-9 and "-", beginning with a letter; write for example files',
  ],
  [
    'an id of ours',
    ['--id', 'admin', '--data', folder],
    '--id "admin" is a path of our own (mcp, admin, console, oauth, well-known)',
  ],
  ['two ways to be called', ['--id', 'files', '--name', 'files', '--data', folder], '--id is the whole id; leave --name out'],
  [
    'a file for a folder',
    ['--data', join(folder, 'file', 'x')],
    `the folder ${join(folder, 'file', 'x')} cannot be made (ENOTDIR); name another with --data`,
  ],
  [
    'a place that takes no folders',
    ['--data', '/proc/x'],
    'the folder /proc/x cannot be made (ENOENT); name another with --data',
  ],
  [
    'grants to a server without a sandbox',
    ['--data', folder, '--read', folder],
    '--read, --write and --allow are for a sandbox; add --sandbox',
  ],
]
for (const [says, args, message] of refused)
  test(`run refuses ${says}`, { skip: args.includes('/proc/x') && process.platform !== 'linux' }, () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [main, 'run', ...args, '--', 'x'], { encoding: 'utf8' })
    assert.deepEqual([status, stdout, stderr], [1, '', `error ${message}\n`])
  })

test('the same words in two projects are two servers, each with a log and approvals of its own', () => {
  const data = join(folder, 'data')
  for (const project of ['one', 'two']) {
    const cwd = join(folder, project)
    mkdirSync(cwd)
    writeFileSync(join(cwd, 'server.js'), 'process.stdin.resume()')
    const args = [main, 'run', '--name', 'files', '--data', data, '--', process.execPath, 'server.js']
    assert.equal(spawnSync(process.execPath, args, { cwd, input: '', encoding: 'utf8' }).status, 0)
  }
  const logs = readdirSync(data).filter((name) => /^files-[0-9a-f]{6}\.audit\.db$/.test(name))
  assert.equal(logs.length, 2, String(logs))
})
