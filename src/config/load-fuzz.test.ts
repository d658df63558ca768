/** Whatever is written into the file, parseConfig gives a configuration or throws ConfigRefused, with places and advice. */
import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { parseConfig } from './load.ts'
import { ConfigRefused } from './problem.ts'

function answers(text: string): void {
  try {
    parseConfig(text)
  } catch (error) {
    assert.ok(error instanceof ConfigRefused, String(error))
    assert.ok(error.problems.length > 0)
    for (const { line, column, fix } of error.problems) assert.ok(line >= 1 && column >= 1 && fix !== '')
  }
}

const words = [
  ...[
    'listen',
    'servers',
    'roles',
    'files',
    'command',
    'url',
    'limits',
    'identity',
    'mode',
    '__proto__',
    'constructor',
    'toString',
  ],
  ...[
    ':',
    ' ',
    '\n',
    '  ',
    '- ',
    '[',
    ']',
    '{',
    '}',
    ',',
    '"',
    "'",
    '&a',
    '*a',
    '!!set',
    '? ',
    '|',
    '>',
    '%YAML',
    '---',
    '\t',
    '#',
    '<<',
  ],
  ...['1', 'true', 'null', '.inf', '\u0000', '\ud800', '\u2028', '127.0.0.1:1', 'https://x.example/'],
]

test('words of YAML in any order', () => {
  const text = fc.array(fc.constantFrom(...words), { maxLength: 60 }).map((parts) => parts.join(''))
  fc.assert(fc.property(text, answers), { numRuns: 1500 })
})

test('any text', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), answers), { numRuns: 500 })
})

test('any JSON', () => {
  fc.assert(fc.property(fc.json({ maxDepth: 4 }), answers), { numRuns: 500 })
})

test('anything in the place of a value', () => {
  const places = ['listen', 'tls', 'servers.x', 'servers.x.command', 'servers.x.env', 'servers.x.url', 'roles.r', 'bindings']
  const more = ['limits.tool', 'limits.tool.burst', 'guards', 'methods', 'methods.x', 'audit', 'identity', 'trustedProxies']
  const document = (place: string, value: unknown): unknown =>
    place.split('.').reduceRight((inner, key) => ({ [key]: inner }), value)
  const property = fc.property(fc.constantFrom(...places, ...more), fc.jsonValue({ maxDepth: 3 }), (place, value) =>
    answers(JSON.stringify(document(place, value))),
  )
  fc.assert(property, { numRuns: 1500 })
})

for (const place of ['listen', 'identity', 'audit'])
  test(`a value of ${place} that has no text of its own`, () => answers(JSON.stringify({ [place]: { toString: 0 } })))
