import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { fileTrouble } from './file-trouble.ts'

const folder = mkdtempSync(join(tmpdir(), 'sekisho-files-'))
mkdirSync(join(folder, 'inside'))
writeFileSync(join(folder, 'a.txt'), 'a')

const wrong: readonly (readonly [file: string, says: RegExp, fix: RegExp])[] = [
  ['nope.txt', /^is not there$/, /^check the path$/],
  ['nope/a.txt', /^cannot be there, as there is no folder .*nope$/, /^check the path, or make it: mkdir -p .*nope$/],
  ['inside', /^is a folder$/, /^name a file$/],
  ['a.txt/b', /^lies below something that is not a folder$/, /^check the path$/],
  ['x'.repeat(300), /^has a name that is too long$/, /^name another$/],
]
for (const [name, says, fix] of wrong)
  test(`${name.slice(0, 20)} in words`, () => {
    const trouble = troubleOf(() => readFileSync(join(folder, name)))
    assert.match(trouble?.says ?? '', says)
    assert.match(trouble?.fix ?? '', fix)
    if (name !== 'inside') assert.equal(trouble?.file, join(folder, name)) // a read of a folder fails without its name
  })

test('what has nothing to do with a file is left as it is', () => {
  assert.equal(fileTrouble(new TypeError('no')), undefined)
  assert.equal(fileTrouble(Object.assign(new Error('connect'), { code: 'ECONNREFUSED' })), undefined)
  assert.equal(fileTrouble('text'), undefined)
})

function troubleOf(work: () => unknown): ReturnType<typeof fileTrouble> {
  try {
    work()
  } catch (error) {
    return fileTrouble(error)
  }
  return assert.fail('it can be read')
}
