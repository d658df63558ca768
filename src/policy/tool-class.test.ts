import assert from 'node:assert/strict'
import test from 'node:test'
import type { Class } from '../protocol/methods.ts'
import { type ToolSource, toolClass, toolClasses } from './tool-class.ts'

const tools = { read: ['read_*', 'both'], write: ['write_*', 'both'], destructive: ['*_all'] }
const readOnly = { readOnlyHint: true }
const destroys = { destructiveHint: true }

const cases: readonly [trust: ToolSource['trust'], name: string, annotations: unknown, expected: Class][] = [
  // an untrusted server is not believed
  ['untrusted', 'anything', undefined, 'destructive'],
  ['untrusted', 'anything', readOnly, 'destructive'],
  ['untrusted', 'read_a', destroys, 'read'],
  // the most harmful pattern counts
  ['untrusted', 'both', undefined, 'write'],
  ['untrusted', 'read_all', undefined, 'destructive'],
  ['trusted', 'read_all', readOnly, 'destructive'],
  // a believed server may only tighten what is configured
  ['internal', 'write_a', readOnly, 'write'],
  ['internal', 'read_a', destroys, 'destructive'],
  ['trusted', 'read_a', { readOnlyHint: false }, 'destructive'],
  ['trusted', 'read_a', { readOnlyHint: false, destructiveHint: false }, 'write'],
  // and is asked where nothing is configured
  ['internal', 'other', undefined, 'write'],
  ['internal', 'other', {}, 'write'],
  ['internal', 'other', 'readOnlyHint', 'write'],
  ['internal', 'other', { readOnlyHint: 'true' }, 'write'],
  ['internal', 'other', readOnly, 'read'],
  ['trusted', 'other', destroys, 'destructive'],
  ['trusted', 'other', { readOnlyHint: true, destructiveHint: true }, 'destructive'],
]
for (const [trust, name, annotations, expected] of cases)
  test(`${name} of a server that is ${trust}, with ${JSON.stringify(annotations)}: ${expected}`, () => {
    const classes = toolClasses({ files: { trust, tools } })
    assert.equal(classes.seen('files', name, annotations), expected)
    assert.equal(classes.classOf('files', name), expected, 'a call has the class that the list gave')
  })

const unread: readonly [trust: ToolSource['trust'], name: string, expected: Class][] = [
  ['untrusted', 'other', 'destructive'],
  ['internal', 'other', 'destructive'],
  ['trusted', 'other', 'destructive'],
  ['trusted', 'read_a', 'read'],
  ['trusted', 'both', 'write'],
]
for (const [trust, name, expected] of unread)
  test(`${name} of a server that is ${trust}, before its annotations have been read: ${expected}`, () => {
    const { classOf, seen } = toolClasses({ files: { trust, tools } })
    seen('files', 'another', readOnly)
    assert.equal(classOf('files', name), expected)
    assert.equal(toolClass({ trust, tools }, name), expected)
  })

test('a server that nobody configured has only destructive tools', () => {
  const { classOf, seen } = toolClasses({})
  assert.equal(classOf('constructor', 'x'), 'destructive')
  assert.equal(seen('files', 'x', readOnly), 'destructive')
})

test('the latest description counts, and thousands of tools are not remembered without end', () => {
  const { classOf, seen } = toolClasses({ files: { trust: 'trusted', tools: { read: [], write: [], destructive: [] } } })
  seen('files', 'a', destroys)
  seen('files', 'a', readOnly)
  assert.equal(classOf('files', 'a'), 'read')
  seen('files', 'a', {})
  assert.equal(classOf('files', 'a'), 'write')
  for (let n = 0; n < 6000; n++) seen('files', `t${n}`, readOnly)
  assert.equal(classOf('files', 't4998'), 'read')
  assert.equal(classOf('files', 't5999'), 'destructive', 'as one that was not read')
})
