import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { makePrivateFile, makePrivateFolder } from './private-files.ts'

const folder = mkdtempSync(join(tmpdir(), 'sekisho-private-'))
const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8)

test('a folder that takes no folders is an error, and not a wait for ever', { skip: process.platform !== 'linux' }, () => {
  assert.throws(() => makePrivateFolder('/proc/sekisho/data'), { code: 'ENOENT' })
})

test('a file where a folder should be is an error', () => {
  writeFileSync(join(folder, 'file'), '')
  assert.throws(() => makePrivateFolder(join(folder, 'file', 'a', 'b')), { code: 'ENOTDIR' })
  assert.throws(() => makePrivateFile(join(folder, 'file', 'a')), { code: 'ENOTDIR' })
})

test('what is made is ours alone, and what is there is left as it is', { skip: process.platform === 'win32' }, () => {
  const path = join(folder, 'a', 'b', 'c.db')
  makePrivateFile(path)
  assert.deepEqual([modeOf(path), modeOf(join(folder, 'a', 'b')), modeOf(join(folder, 'a'))], ['600', '700', '700'])
  writeFileSync(path, 'kept')
  makePrivateFile(path)
  assert.equal(readFileSync(path, 'utf8'), 'kept')
})
