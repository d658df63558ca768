/** The three readers: what they refuse, with its place, and that what they say agrees with the format's own reader. */
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import fc from 'fast-check'
import { stringify as stringifyToml } from 'smol-toml'
import { stringify as stringifyYaml } from 'yaml'
import { FileRefused, readTree } from './config-file.ts'
import { type Format, type Node, plain, plainOf } from './tree.ts'

describe('what is not what it says is refused with its place', () => {
  const deep = '['.repeat(300)
  const cases: readonly (readonly [Format, text: string, place: readonly [number, number] | undefined, message: RegExp])[] = [
    ['json', '{', [1, 2], /^it is not JSON: close brace expected/],
    ['json', '{\n  "a" 1\n}', [2, 7], /colon expected/],
    ['json', '{"a":1 "b":2}', [1, 8], /comma expected/],
    ['json', '{a:1}', [1, 2], /invalid symbol/],
    ['json', "{'a':1}", [1, 2], /invalid symbol/],
    ['json', '{"a":01}', [1, 7], /comma expected/],
    ['json', '{"a":}', [1, 6], /value expected/],
    ['json', '{"a":undefined}', [1, 6], /invalid symbol/],
    ['json', '{"a":"\\x"}', [1, 6], /invalid escape character/],
    ['json', '{"a":"\n"}', [1, 6], /unexpected end of string/],
    ['json', '{} {}', [1, 4], /end of file expected/],
    ['json', '[1,,2]', [1, 4], /value expected/],
    ['json', '/* {}', [1, 1], /unexpected end of comment/],
    ['json', `${'['.repeat(300)}${']'.repeat(300)}`, [1, 202], /nested more than 200/],
    ['json', '['.repeat(100_000), undefined, /nested too deeply/],
    ['toml', 'a = 1\nb = \n', [2, 5], /^it is not TOML/],
    ['toml', 'a = 1\na = 2\n', [2, 1], /^it is not TOML/],
    ['toml', `a = ${deep}`, undefined, /./],
    ['yaml', 'a: [1', [1, 6], /^it is not YAML/],
    ['yaml', 'a: 1\na: 2\n', [2, 1], /^it is not YAML: duplicate key/],
    ['yaml', 'a: 1\n---\nb: 2\n', [2, 1], /more than one document/],
    ['yaml', 'a: *b\n', undefined, /^it is not YAML/],
    [
      'yaml',
      'a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c]\n',
      [1, 1],
      /aliases/,
    ],
    ['yaml', deep, undefined, /./],
  ]
  for (const [format, text, place, message] of cases)
    test(`${format}: ${JSON.stringify(text.slice(0, 30))}`, () => {
      assert.throws(
        () => readTree(format, text),
        (error) => {
          assert.ok(error instanceof FileRefused)
          assert.match(error.message, message)
          if (place !== undefined) assert.deepEqual([error.line, error.column], place)
          return true
        },
      )
    })

  test('and nothing of what stands there is repeated', () => {
    const secret = 'ghp_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'
    for (const [format, text] of [
      ['json', `{"a": ${secret}}`],
      ['toml', `a = ${secret}`],
      ['toml', `a = "${secret}`],
      ['yaml', `a: "${secret}`],
      ['yaml', `a: *${secret}`],
      ['yaml', `a: !${secret} [}`],
    ] as const)
      assert.throws(
        () => readTree(format, text),
        (error) => error instanceof FileRefused && !error.message.includes('ghp_'),
        text,
      )
  })
})

const leaf = fc.oneof(
  fc.string(),
  fc.integer(),
  fc.boolean(),
  fc.double({ noNaN: true, noDefaultInfinity: true }).filter((one) => !Object.is(one, -0)),
)
const { value: json } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.oneof(leaf, fc.constant(null)),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.string(), tie('value'), { maxKeys: 4 }),
  ),
}))
const { value: toml } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    leaf,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.string(), tie('value'), { maxKeys: 3 }),
  ),
}))

/** Every node stands where it says, and within the one around it. */
function spansOf(node: Node, text: string): void {
  assert.ok(node.start >= 0 && node.end >= node.start && node.end <= text.length)
  const inner =
    node.kind === 'list' ? node.items.map((item) => item.node) : node.kind === 'map' ? node.members.map(({ value }) => value) : []
  for (const one of inner) spansOf(one, text)
}

test('json: as JSON.parse reads it', () => {
  fc.assert(
    fc.property(json, fc.constantFrom(undefined, 2, '\t'), (value, indent) => {
      const text = JSON.stringify(value, undefined, indent)
      const tree = readTree('json', text)
      assert.deepEqual(tree.plain, plain(JSON.parse(text)))
      spansOf(tree.root, text)
    }),
  )
})

test('toml: every value of smol-toml is found where it stands', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), toml, { maxKeys: 4 }), (value) => {
      const text = stringifyToml(value)
      const tree = readTree('toml', text)
      assert.deepEqual(plainOf(tree.root), tree.plain)
    }),
  )
})

test('toml: what people write and no printer does', () => {
  const text = `"a b".'c.d' . e = '''x''''
"\\u0041" = """\\
   y \\"""" # "
t = { a = 1, "b" = [ 1, # ]
  2, ], c.d = inf }
d = 1979-05-27 07:32:00
n = -0x_1
[[x.y]]
z = 1
[x.y.w]
v = 07:32:00
[[x.y]]
[ "q]" . r ] # ]
s = [ [], [ { } ] ]
`
  const good = text.replace('n = -0x_1\n', 'n = 0xF_F\n')
  assert.throws(() => readTree('toml', text), FileRefused)
  const tree = readTree('toml', good)
  assert.deepEqual(plainOf(tree.root), tree.plain)
  assert.deepEqual(JSON.parse(JSON.stringify(tree.plain)), {
    'a b': { 'c.d': { e: "x'" } },
    A: 'y "',
    t: { a: 1, b: [1, 2], c: { d: null } },
    d: '1979-05-27T07:32:00.000',
    n: 255,
    x: { y: [{ z: 1, w: { v: '07:32:00.000' } }, {}] },
    'q]': { r: { s: [[], [{}]] } },
  })
})

test('yaml: every value is found where it stands', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), json, { maxKeys: 4 }), (value) => {
      const text = stringifyYaml(value, { aliasDuplicateObjects: false })
      const tree = readTree('yaml', text)
      spansOf(tree.root, text)
    }),
  )
})

test('an empty file says nothing', () => {
  for (const text of ['', ' \n', '\r\n'])
    assert.deepEqual([readTree('json', text).plain, readTree('toml', text).plain], [plain({}), plain({})])
  for (const text of ['', '# nothing\n']) assert.equal(readTree('yaml', text).plain, null)
})

test('whatever somebody wrote is read or refused, and never anything else', () => {
  const pieces = fc.constantFrom(
    ...[
      '{',
      '}',
      '[',
      ']',
      '[[',
      ']]',
      ',',
      ':',
      '=',
      '.',
      '"',
      "'",
      '"""',
      "'''",
      '\\',
      '\n',
      '\r\n',
      '\r',
      ' ',
      '\t',
      '  ',
      '#',
      '//',
      '/*',
      '*/',
    ],
    ...[
      'a',
      'mcpServers',
      'command',
      '1',
      '-1',
      '1e3',
      '0x1',
      'inf',
      'true',
      'null',
      '1979-05-27',
      '07:32:00',
      '- ',
      '? ',
      '&a ',
      '*a',
      '!t ',
      '|',
      '>',
      '---',
      '...',
      '%',
      '\0',
      'é',
      '\uFEFF',
    ],
  )
  let read = 0
  for (const format of ['json', 'toml', 'yaml'] as const)
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 24 }), (parts) => {
        try {
          const tree = readTree(format, parts.join(''))
          spansOf(tree.root, tree.text)
          read++
        } catch (error) {
          if (!(error instanceof FileRefused)) throw error
          assert.doesNotMatch(error.message, /\n/)
        }
      }),
      { numRuns: 2000 },
    )
  assert.ok(read > 100)
})
