import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { functionsOf, toolHandlers } from './statics-functions.ts'
import { type Language, tokensOf } from './statics-tokens.ts'

const handlersIn = (text: string, language: Language) => {
  const tokens = tokensOf(text, language)
  return toolHandlers(tokens, functionsOf(tokens, language), language).map(({ name, parameters }) => `${name}(${parameters})`)
}

const cases: readonly (readonly [what: string, text: string, ...handlers: string[]])[] = [
  ['none', 'f((a) => b)'],
  ['an unclosed call', 'tool((a) => b'],
  ['one in each argument', 'server.tool("t", (a) => x, function f(b) { y })', '(a)', 'f(b)'],
  ['the outer of two', 'tool((a) => { g((b) => x) })', '(a)'],
  ['a call within another', 'tool((a) => x, tool((b) => y), (c) => z)', '(a)', '(b)', '(c)'],
  ['by its name, wherever that is', 'tool("t", h); function h(a) { x }; function i(b) { y }', 'h(a)'],
  ['by its name, once', 'tool("t", h); tool("u", h); const h = (a) => x', 'h(a)'],
  ['by its name in a call within another', 'tool("t", tool("u", h)); const h = (a) => x', 'h(a)'],
  ['without what is around', 'tool((a, extra) => x)', '(a)'],
]
for (const [what, text, ...handlers] of cases)
  test(`handlers: ${what}`, () => {
    assert.deepEqual(handlersIn(text, 'javascript'), handlers)
  })

const decorated: readonly (readonly [what: string, text: string, ...handlers: string[]])[] = [
  ['none', '@route()\ndef f(a):\n  x\n'],
  ['a function after one', '@mcp.tool()\ndef f(a):\n  x\ndef g(b):\n  y\n', 'f(a)'],
  ['over several lines', '@mcp.tool(\n  name="x",\n)\nasync def f(self, a):\n  x\n', 'f(a)'],
  ['a call over several lines that is no decorator', 'tool(\n  x,\n)\ndef f(a):\n  x\n'],
  ['what never opens', '@mcp.tool()\ndef f\n'],
]
for (const [what, text, ...handlers] of decorated)
  test(`decorated handlers: ${what}`, () => {
    assert.deepEqual(handlersIn(text, 'python'), handlers)
  })

test('a function of Python ends with the first line that stands no further to the right', () => {
  const line = fc.record({ indent: fc.nat(5), text: fc.constantFrom('x', 'def f(a):', 'x def f(a): y', 'def f(\n    a):', '(') })
  fc.assert(
    fc.property(fc.array(line, { maxLength: 30 }), (lines) => {
      const tokens = tokensOf(lines.map(({ indent, text }) => `${' '.repeat(indent)}${text}\n`).join(''), 'python')
      for (const { body } of functionsOf(tokens, 'python')) {
        const def = tokens.findLastIndex(({ text }, at) => text === 'def' && at < body.from)
        const indent = tokens[def]?.indent ?? tokens[def - 1]?.indent ?? 0
        const end = tokens.findIndex((token, at) => at >= body.from && token.indent !== undefined && token.indent <= indent)
        assert.equal(body.to, end === -1 ? tokens.length : end)
      }
    }),
  )
})

const times = 40_000
const large: readonly (readonly [what: string, text: string, language: Language, count: number])[] = [
  ['many handlers', 'tool(a=>b)\n'.repeat(times), 'javascript', times],
  ['many of one name', `${'tool(h)\n'.repeat(times)}${'h=a=>b;\n'.repeat(times)}`, 'javascript', times],
  ['calls within calls', `${'tool(\n'.repeat(times)}${'a=>b,\n'.repeat(times)}${')'.repeat(times)}`, 'javascript', times],
  ['functions in defaults of functions', `${'(a=\n'.repeat(times)}1${')=>1\n'.repeat(times)}`, 'javascript', 0],
  ['functions that never open', 'def f\n'.repeat(times), 'python', 0],
  ['functions on lines within others', ' x def f(): y\n'.repeat(times), 'python', 0],
]
for (const [what, text, language, count] of large)
  test(`read in the time that its size takes: ${what}`, () => {
    assert.equal(handlersIn(text, language).length, count)
  })
