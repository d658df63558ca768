import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { socketFolders } from './egress/socket-folder.ts'
import { checkGrants, neverFor } from './grants.ts'
import { isWithin, outermost } from './paths.ts'
import { SandboxRefused } from './refused.ts'

const root = realpathSync(mkdtempSync(join(tmpdir(), 'sekisho-grants-')))
after(() => rmSync(root, { recursive: true, force: true }))
const at = (path: string): string => join(root, path)
for (const folder of ['work/in/deep', 'notes', 'ours', 'copies/x', 'package', 'shared/in'])
  mkdirSync(at(folder), { recursive: true })
writeFileSync(at('ours/key'), 'key')
// What a server that may write work/ has put there.
symlinkSync(at('ours'), at('work/out'))
symlinkSync('/proc', at('work/processes'))
symlinkSync(at('work'), at('alias'))
symlinkSync('/', at('everything'))
symlinkSync(at('shared'), at('theirs'))
symlinkSync(at('copies/x'), at('copy'))

const refused: readonly (readonly [
  what: string,
  read: readonly string[],
  write: readonly string[],
  program: readonly string[],
  says: RegExp,
])[] = [
  ['a folder that is not there', ['gone'], [], [], /"read" names .*gone, which is not there; make it/],
  ['a folder to write that is not there', [], ['gone'], [], /"write" names .*gone/],
  ['a folder in a writable one', ['work/in'], ['work'], [], /work\/in lies in .*work, which the server may write/],
  ['the writable one itself', ['work'], ['work'], [], /lies in/],
  ['a link that a server may have put there', ['work/out'], ['work'], [], /work\/out lies in/],
  ['a folder in a writable one, by another name', ['alias/in'], ['work'], [], /alias\/in lies in/],
  ['a folder in a writable one with another name', ['work/in'], ['alias'], [], /work\/in lies in .*alias/],
  ['a program in a writable folder', [], ['package'], ['package'], /package lies in/],
  ['a writable folder in another', [], ['work', 'work/in'], [], /names .*work\/in, which lies in .*work; name the outer one/],
  [
    'what another server may write a link in place of',
    ['shared/in'],
    [],
    [],
    /shared\/in lies in .*shared, which another server/,
  ],
  ['the same by another name', ['theirs/in'], [], [], /theirs\/in lies in .*shared, which another server/],
  ['a program that another server may write', [], [], ['shared/in'], /which another server may write/],
  ['a link to a file of ours', ['work/out'], [], [], /work\/out holds .*ours\/key, a file of the gateway/],
  ['a folder with a file of ours', [], ['ours'], [], /ours holds/],
  ['the file', ['ours/key'], [], [], /ours\/key holds/],
  ['a folder in one of ours', [], ['copies/x'], [], /copies\/x lies in .*copies, a folder of the gateway/],
  ['the same by another name to write', [], ['copy'], [], /copy lies in .*copies, a folder of the gateway/],
  ['a link to the processes', ['work/processes'], [], [], /leads to \/proc, which is part of/],
  ['a link to everything', ['everything'], [], [], /leads to \/, which is more than/],
]
for (const [what, read, write, program, says] of refused)
  test(`refused: ${what}`, () => {
    const grants = { read: read.map(at), write: write.map(at) }
    assert.throws(
      () => checkGrants(grants, { withheld: [at('ours/key'), at('copies')], written: [at('shared')], program: program.map(at) }),
      (error) => error instanceof SandboxRefused && says.test(error.message),
    )
  })

test('granted: folders that are there and apart', () => {
  const around = { withheld: [at('ours/key'), at('copies')], written: [at('shared')], program: [] }
  checkGrants({ read: [at('notes'), at('work/in')], write: [at('package')] }, around)
  checkGrants({ read: [at('notes')], write: [at('alias')] }, { ...around, program: [at('package')] })
  checkGrants({ read: [at('shared')], write: [at('work')] }, around)
  checkGrants({ read: [], write: [] }, { ...around, program: [at('copies/x')] })
})

test('what lies in what', () => {
  const cases = [
    ['/a', '/a', true],
    ['/a/b', '/a', true],
    ['/ab', '/a', false],
    ['/a', '/a/b', false],
    ['/a', '/', true],
    ['/', '/', true],
  ] as const
  for (const [path, folder, is] of cases) assert.equal(isWithin(path, folder), is, `${path} in ${folder}`)
  assert.deepEqual(outermost(['/b/c', '/a/b', '/a', '/b/c', '/a-b']), ['/a', '/a-b', '/b/c'])
})

test('what is never granted, whatever is there', () => {
  for (const path of [
    '/run/user',
    '/run/user/1000',
    '/run/user/1000/sekisho-egress-a',
    '/tmp/sekisho-egress-a/egress.sock',
    '/proc/1',
  ])
    assert.ok(neverFor(path), path)
  for (const path of ['/run/user/1000/app', '/run/users', '/tmp/sekisho']) assert.equal(neverFor(path), undefined, path)
})

test('the folder with the ways out of all sandboxes is granted to none', () => {
  const around = { withheld: [socketFolders()], written: [], program: [] }
  for (const key of ['read', 'write'] as const)
    assert.throws(() => checkGrants({ read: [], write: [], [key]: [dirname(socketFolders())] }, around), SandboxRefused)
})
