import assert from 'node:assert/strict'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { readSuppressions } from './suppressions.ts'

const file = join(mkdtempSync(join(tmpdir(), 'sekisho-suppressions-')), 'sekisho-scan.yaml')
const whole = { rule: 'trust/secrecy', reason: 'it is a test', expires: '2027-06-30' }

const refused: readonly (readonly [what: string, document: string, why: RegExp])[] = [
  [
    'a rule that is spelt wrong',
    one({ rule: 'trust/secrcy' }),
    /suppressions\.0\.rule is not the id of a rule; did you mean trust\/secrecy\?$/,
  ],
  ['a rule that nobody knows', one({ rule: 'mine/own' }), /suppressions\.0\.rule is not the id of a rule; write for example/],
  ['no rule', one({ rule: undefined }), /suppressions\.0\.rule is not there; name the rule$/],
  ['no reason', one({ reason: undefined }), /suppressions\.0\.reason is not there; say why it is harmless$/],
  ['an empty reason', one({ reason: '' }), /suppressions\.0\.reason is empty; say why it is harmless$/],
  ['no last day', one({ expires: undefined }), /suppressions\.0\.expires is not a day; write for example 2027-06-30$/],
  ['a member that counts for nothing', one({ tool: 'x' }), /suppressions\.0 Unrecognized key: "tool"$/],
  ['no YAML', 'suppressions: [', /sekisho-scan\.yaml: it is not YAML: /],
]
for (const [what, document, why] of refused)
  test(`refused: ${what}`, () => {
    writeFileSync(file, document)
    assert.throws(() => readSuppressions(file), { message: why })
  })

test('what is whole is taken', () => {
  writeFileSync(file, one({ name: 'x' }))
  assert.deepEqual(readSuppressions(file), [{ ...whole, name: 'x' }])
})

test('none are needed', () => assert.deepEqual(readSuppressions(undefined), []))

function one(change: object): string {
  return JSON.stringify({ suppressions: [{ ...whole, ...change }] })
}
