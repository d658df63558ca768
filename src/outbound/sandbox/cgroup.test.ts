/** On folders that look like control groups: what a kernel makes of the files is for the attacks (test/attacks/sandbox.test.ts). */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { findGroups } from './cgroup.ts'

const root = mkdtempSync(join(tmpdir(), 'sekisho-cgroup-'))
after(() => rmSync(root, { recursive: true, force: true }))
const limits = { memoryMbMax: 100, processesMax: 20 }
const goneProcess = 2 ** 30

function treeOf(name: string, membership: string, files: Readonly<Record<string, string>>): [string, string] {
  const tree = join(root, name)
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(join(tree, file, '..'), { recursive: true })
    writeFileSync(join(tree, file), text)
  }
  writeFileSync(join(tree, 'membership'), membership)
  return [tree, join(tree, 'membership')]
}

test('none where the system hands out no controllers', () => {
  const refused: readonly (readonly [what: string, membership: string, files: Readonly<Record<string, string>>])[] = [
    ['no controllers', '0::/a/b\n', { 'a/cgroup.subtree_control': '', 'a/b/cgroup.subtree_control': '' }],
    ['memory alone', '0::/a/b\n', { 'a/cgroup.subtree_control': 'memory', 'a/b/cgroup.subtree_control': '' }],
    ['one of the old trees', '4:memory:/a\n', { 'memory/a/tasks': '' }],
    ['a place outside', '0::/../../..\n', { 'a/x': '' }],
    ['nothing at all', '', { 'a/x': '' }],
  ]
  for (const [what, membership, files] of refused) assert.equal(findGroups(...treeOf(what, membership, files)), undefined, what)
  assert.equal(findGroups(root, join(root, 'gone')), undefined)
})

test('one tree: beside our own group, with the limits, swap included', () => {
  const [tree, membership] = treeOf('unified', '0::/a/b\n', {
    'a/cgroup.subtree_control': 'cpu memory pids\n',
    'a/b/cgroup.subtree_control': '\n',
    [`a/sekisho-${goneProcess}-old-0/x`]: '',
  })
  rmSync(join(tree, `a/sekisho-${goneProcess}-old-0/x`))
  const make = findGroups(tree, membership)
  assert.ok(!existsSync(join(tree, `a/sekisho-${goneProcess}-old-0`)), 'what a gateway that is gone left behind is removed')
  const group = make?.('files-0', limits)
  const folder = join(tree, `a/sekisho-${process.pid}-files-0`)
  group?.enter(42)
  const read = (file: string): string => readFileSync(join(folder, file), 'utf8')
  assert.deepEqual(['memory.max', 'pids.max', 'memory.swap.max', 'cgroup.procs'].map(read), ['104857600', '20', '0', '42'])
  findGroups(tree, membership)
  assert.ok(existsSync(folder), 'what is in use stays')
})

test('one tree, delegated: controllers are turned on where nothing runs', () => {
  const files = { 'a/cgroup.controllers': 'cpu memory pids\n', 'a/cgroup.subtree_control': '', 'a/b/cgroup.procs': '1\n' }
  const written = (tree: string): string => readFileSync(join(tree, 'a/cgroup.subtree_control'), 'utf8')
  const [busy, ours] = treeOf('busy', '0::/a/b\n', { ...files, 'a/cgroup.procs': '1\n' })
  assert.equal(findGroups(busy, ours), undefined)
  assert.equal(written(busy), '')
  const [free, own] = treeOf('free', '0::/a/b\n', { ...files, 'a/cgroup.procs': '' })
  findGroups(free, own)
  assert.equal(written(free), '+memory +pids')
})

test('old trees: one group for each controller', () => {
  const [tree, membership] = treeOf('old', '8:pids:/\n4:memory:/a\n0::/\n', { 'pids/tasks': '', 'memory/a/tasks': '' })
  findGroups(tree, membership)?.('files-0', limits).enter(42)
  const name = `sekisho-${process.pid}-files-0`
  assert.equal(readFileSync(join(tree, 'memory/a', name, 'memory.limit_in_bytes'), 'utf8'), '104857600')
  assert.equal(readFileSync(join(tree, 'pids', name, 'pids.max'), 'utf8'), '20')
  for (const place of ['memory/a', 'pids']) assert.equal(readFileSync(join(tree, place, name, 'cgroup.procs'), 'utf8'), '42')
})

test('a group that cannot be made leaves nothing behind', () => {
  const [tree, membership] = treeOf('half', '8:pids:/\n4:memory:/a\n', { 'pids/tasks': '', 'memory/a/tasks': '' })
  const make = findGroups(tree, membership)
  mkdirSync(join(tree, 'pids', `sekisho-${process.pid}-files-0`))
  assert.throws(() => make?.('files-0', limits), { code: 'EEXIST' })
})
