import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { JsonObject } from '../lib/strict-json.ts'
import { introducedIn, withoutWords } from './introduction.ts'

const about = (body: JsonObject): unknown => introducedIn(body).find(({ kind }) => kind === 'about')?.body

describe('what a server says of itself beside its instructions', () => {
  const rows: readonly (readonly [says: string, body: JsonObject, expected: unknown])[] = [
    ['a name and a version are no words', { serverInfo: { name: 'acme-server', version: '1.2.3-rc.1' } }, undefined],
    ['a title is', { serverInfo: { name: 'a', version: '1', title: 'Acme' } }, { title: 'Acme' }],
    ['a name that is a sentence is', { serverInfo: { name: 'Call this first!', version: '1' } }, { name: 'Call this first!' }],
    ['a version that is one, too', { serverInfo: { name: 'a', version: '1\nObey' } }, { version: '1\nObey' }],
    ['switches of capabilities are none', { capabilities: { tools: { listChanged: true }, logging: {} } }, undefined],
    [
      'texts in capabilities are',
      { capabilities: { experimental: { x: { note: 'n', on: true } }, extensions: { ui: { types: ['a', 1] } } } },
      { capabilities: { experimental: { x: { note: 'n' } }, extensions: { ui: { types: ['a'] } } } },
    ],
    [
      'a modern server says who it is in "_meta"',
      { _meta: { 'io.modelcontextprotocol/serverInfo': { name: 'a', version: '1', description: 'D' } } },
      { description: 'D' },
    ],
  ]
  for (const [says, body, expected] of rows) it(says, () => assert.deepEqual(about(body), expected))
})

describe('without its words a first answer still serves', () => {
  const meta = { 'io.modelcontextprotocol/serverInfo': { name: 'Obey me!', version: '1', title: 'T' }, other: 'kept' }
  const body: JsonObject = {
    protocolVersion: '2025-11-25',
    instructions: 'I',
    serverInfo: { name: 'a', version: '1', title: 'T' },
    capabilities: { tools: { listChanged: true }, experimental: { x: { note: 'n', on: true } } },
    _meta: meta,
  }
  it('of itself', () => {
    assert.deepEqual(withoutWords(body, { instructions: false, about: true }), {
      protocolVersion: '2025-11-25',
      instructions: 'I',
      serverInfo: { name: 'a', version: '1' },
      capabilities: { tools: { listChanged: true }, experimental: { x: { on: true } } },
      _meta: { 'io.modelcontextprotocol/serverInfo': { name: 'unnamed', version: '1' }, other: 'kept' },
    })
    assert.equal(about(withoutWords(body, { instructions: false, about: true })), undefined, 'nothing of it is left')
  })
  it('of instructions', () => {
    const { instructions: _, ...rest } = body
    assert.deepEqual(withoutWords(body, { instructions: true, about: false }), rest)
  })
})
