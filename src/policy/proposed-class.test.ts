import assert from 'node:assert/strict'
import { it } from 'node:test'
import { proposedClass } from './proposed-class.ts'

const rows: readonly (readonly [name: string, annotations: unknown, expected: string])[] = [
  ['archive', undefined, 'destructive'],
  ['archive', { readOnlyHint: true }, 'read'],
  ['archive', { readOnlyHint: false }, 'destructive'],
  ['archive', { destructiveHint: false }, 'write'],
  ['list_files', undefined, 'read'],
  ['listFiles', undefined, 'read'],
  ['list_files', { destructiveHint: true }, 'destructive'],
  ['files-delete', { readOnlyHint: true }, 'destructive'],
  ['deleteFile', undefined, 'destructive'],
  ['create_entities', undefined, 'write'],
  ['create_entities', { readOnlyHint: true }, 'write'],
  ['get_and_delete', { readOnlyHint: true }, 'destructive'],
  ['sendMail', { destructiveHint: false }, 'destructive'],
  ['execute_sql', { readOnlyHint: true }, 'destructive'],
  ['', 'no object', 'destructive'],
]
for (const [name, annotations, expected] of rows)
  it(`${name || '(no name)'} ${JSON.stringify(annotations) ?? ''}: ${expected}`, () => {
    assert.equal(proposedClass(name, annotations), expected)
  })
