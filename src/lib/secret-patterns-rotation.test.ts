import assert from 'node:assert/strict'
import test from 'node:test'
import { secretForms } from './secret-patterns-forms.ts'
import { rotatedAt } from './secret-patterns-rotation.ts'
import { secretUses } from './secret-patterns-uses.ts'

test('of every kind of secret it is known where it is made anew, and of nothing else', () => {
  const rules = [...secretForms, ...secretUses].map(({ id }) => id).concat('secret/service-key')
  assert.deepEqual(
    [...new Set(rules)].filter((rule) => rotatedAt(rule) === undefined),
    [],
  )
  for (const none of ['secret/x', 'constructor', '__proto__', '']) assert.equal(rotatedAt(none), undefined)
})
