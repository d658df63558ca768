import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { after } from 'node:test'
import { writeWhole } from './write-whole.ts'

const folder = mkdtempSync(join(tmpdir(), 'sekisho-whole-'))
after(() => rmSync(folder, { recursive: true, force: true }))

test('where it cannot be written, the error is told and nothing is left behind', async () => {
  mkdirSync(join(folder, 'taken'))
  await assert.rejects(writeWhole(join(folder, 'taken'), 'x'), { code: 'EISDIR' })
  await assert.rejects(writeWhole(join(folder, 'gone', 'file'), 'x'), { code: 'ENOENT' })
  assert.deepEqual(readdirSync(folder), ['taken'])
})

test('a file is replaced, whoever has the old one open keeps it, and nobody else may read what is private', async () => {
  const file = join(folder, 'memory')
  writeFileSync(file, 'old', { mode: 0o644 })
  const before = statSync(file).ino
  await writeWhole(file, 'new', 0o600)
  assert.equal(readFileSync(file, 'utf8'), 'new')
  assert.notEqual(statSync(file).ino, before)
  assert.equal(statSync(file).mode & 0o777, 0o600)
  assert.deepEqual(readdirSync(folder).sort(), ['memory', 'taken'])
})
