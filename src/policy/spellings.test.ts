import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { plainPrincipal } from '../pipeline/parcel.ts'
import { compilePolicy } from './policy.ts'
import { fileUri, folded, hasStrayCharacters, readingsOf } from './spellings.ts'

const uris: readonly (readonly [uri: string, resolved: string])[] = [
  ['file:///workspace/a.txt', 'file:///workspace/a.txt'],
  ['file:///workspace/', 'file:///workspace/'],
  ['file:///workspace/../etc/passwd', 'file:///etc/passwd'],
  ['file:///workspace/../../../etc', 'file:///etc'],
  ['file:///workspace/./a/.//b', 'file:///workspace/a/b'],
  ['file:///workspace//../etc', 'file:///etc'],
  ['file:///workspace/%2e%2e/etc', 'file:///etc'],
  ['file:///workspace/%2E./etc', 'file:///etc'],
  ['file:///workspace/..%2fetc', 'file:///etc'],
  ['file:///workspace/..%5Cetc', 'file:///etc'],
  ['file:///workspace/%252e%252e/etc', 'file:///etc'],
  ['file:///workspace/%25252e%25252e/etc', 'file:///etc'],
  ['file:///workspace\\..\\etc', 'file:///etc'],
  ['https://host/pub/../../host/pub/x', 'https://host/host/pub/x'],
  ['https://host/../evil', 'https://host/evil'],
  ['https://host/a?path=../b#../c', 'https://host/a?path=../b#../c'],
  ['note:a/../b', 'note:b'],
  ['../a', 'a'],
  ['test://template/%E5%89%8A/data', 'test://template/%E5%89%8A/data'],
  ['test://a/%zz', 'test://a/%zz'],
]
describe('a URI as a server may resolve it', () => {
  for (const [uri, resolved] of uris) it(uri, () => assert.ok(readingsOf(uri).includes(resolved), String(readingsOf(uri))))
  it('also where "?" and "#" mean nothing', () => {
    for (const uri of ['file:///pub/x?/../../etc', 'file:///pub/x#/../../etc', 'file:///pub/x?/%2e%2e/%2e%2e/etc'])
      assert.ok(readingsOf(uri).includes('file:///etc'), uri)
  })
  it('is the same file in every form of RFC 8089', () => {
    for (const uri of ['file:/etc', 'file://localhost/etc', 'FILE:///etc', 'file:///etc'])
      assert.equal(fileUri(uri), 'file:///etc')
    for (const uri of ['file://host/etc', 'https:/etc', 'file:etc']) assert.equal(fileUri(uri), uri)
  })
  it('has no characters that URL parsers drop', () => {
    for (const uri of ['file:///a/.\t./b', 'file:///a\n', ' file:///a', 'file:///a\u0000', 'a\u007f', 'file:///a '])
      assert.ok(hasStrayCharacters(uri))
    for (const uri of ['file:///a b', 'note://日本/{id}', 'file:///a']) assert.ok(!hasStrayCharacters(uri))
  })
})

describe('a name as a lenient server may read it', () => {
  for (const name of [
    'DELETE_all',
    '\uff24elete_all',
    'del\u00adete_all',
    'delete\u200b_all',
    ' delete_all\t',
    '\u{1d41d}elete_all',
  ])
    it(JSON.stringify(name), () => assert.equal(folded(name), 'delete_all'))
})

describe('what the policy makes of it', () => {
  const rules = [
    {
      effect: 'allow',
      server: '*',
      tools: ['*'],
      prompts: ['getUser'],
      resources: ['file:///workspace/*', 'file:///Pub/*'],
      asks: [],
    },
    { effect: 'deny', server: '*', tools: ['Delete*'], prompts: [], resources: ['file:///workspace/secret/*'], asks: [] },
  ] as const
  const policy = compilePolicy({ roles: { r: rules }, bindings: [{ role: 'r', anonymous: true }] })
  const cases: readonly (readonly [concern: 'tool' | 'prompt' | 'resource', subject: string, allowed: boolean])[] = [
    ['resource', 'file:///workspace/../etc/passwd', false],
    ['resource', 'file:///workspace/%2e%2e/etc/passwd', false],
    ['resource', 'file:///workspace/a/../../workspace2/x', false],
    ['resource', 'file:///workspace/a/../secret/key', false],
    ['resource', 'file:///workspace/%73ecret/key', false],
    ['resource', 'file:///workspace/SECRET/key', false],
    ['resource', 'file:///etc/../workspace/a', false],
    ['resource', 'file:///pub/a', false],
    ['resource', 'file:///Pub/a', true],
    ['resource', 'file:///workspace/a/../b', true],
    ['resource', 'file:///workspace/a%20b', true],
    ['tool', 'delete_all', false],
    ['tool', 'DELETE_ALL', false],
    ['tool', '\uff44elete_all', false],
    ['tool', 'read', true],
    ['prompt', 'getUser', true],
    ['prompt', 'getuser', false],
  ]
  for (const [concern, subject, allowed] of cases)
    it(`${concern} ${JSON.stringify(subject)}: ${allowed ? 'yes' : 'no'}`, () => {
      assert.equal(policy.decide(plainPrincipal('anonymous', 'anonymous'), 's', concern, subject, 'read').allowed, allowed)
    })
})
