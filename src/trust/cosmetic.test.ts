import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import type { JsonObject } from '../lib/strict-json.ts'
import { isCosmetic, plainText } from './cosmetic.ts'
import { isSameJson } from './definition.ts'
import { changesBetween, worstOf } from './diff.ts'

const others: readonly (readonly [what: string, before: string, after: string])[] = [
  ['a host', 'Calls api.example.com for you.', 'Calls api-example.com for you.'],
  ['a host, by its dot', 'Calls example.com now.', 'Calls examplecom now.'],
  ['an amount', 'Takes 1.50 at most.', 'Takes 150 at most.'],
  ['a thousand', 'Takes 1,000 at most.', 'Takes 1000 at most.'],
  ['a power', 'Up to 10⁶ rows.', 'Up to 106 rows.'],
  ['a sign', 'From -5 on.', 'From 5 on.'],
  ['a path', 'Reads /etc/app.', 'Reads etc/app.'],
  ['the case of a path', 'Reads /Data/a.', 'Reads /data/a.'],
  ['a folder and the one above', 'Reads .', 'Reads ..'],
  ['a path at the end', 'Reads /data.', 'Reads /data'],
  ['a URL', 'See https://a.example/X now.', 'See https://a.example/x now.'],
  ['a flag', 'Runs ls -R here.', 'Runs ls -r here.'],
  ['a variable', 'Reads $HOME first.', 'Reads $home first.'],
  ['a name of code', 'Calls readFile first.', 'Calls readfile first.'],
  ['what stands in quotes', 'Say "Yes" to all.', 'Say "yes" to all.'],
  ['what stands in backticks', 'Runs `rm  a` once.', 'Runs `rm a` once.'],
  ['which words stand in quotes', 'Say "yes sir" now.', 'Say "yes" sir now.'],
  ['which words stand in backticks', 'Runs `a` b.', 'Runs a `b`.'],
  ['quotes that are new', 'Runs a.', 'Runs "a".'],
  ['words that are one', 'Finds the rapist.', 'Finds therapist.'],
  ['a comma', 'Stop, not go.', 'Stop not, go.'],
  ['a question', 'Deletes all.', 'Deletes all?'],
  ['points at the end', 'Deletes all.', 'Deletes all...'],
  ['a letter that looks the same', 'Kelvin.', '\u212aelvin.'],
  ['what cannot be seen', 'Adds.', 'Adds.\u200b'],
  ['a mark of bytes', 'Adds.', '\ufeffAdds.'],
  ['a control character', 'Adds.', 'Adds\u001b.'],
  ['a space of another width', 'Adds two.', 'Adds\u2003two.'],
]
for (const [what, before, after] of others)
  test(`not cosmetic: ${what}`, () => {
    for (const key of ['description', 'title', 'instructions']) {
      assert.equal(isCosmetic({ [key]: before }, { [key]: after }), false)
      assert.equal(isCosmetic({ [key]: after }, { [key]: before }), false)
    }
    assert.notEqual(worstOf(changesBetween({ description: before }, { description: after })), 'cosmetic')
  })

const same: readonly (readonly [before: string, after: string])[] = [
  ['Adds two numbers.', 'ADDS  two\nnumbers'],
  ['Adds two numbers.', ' adds two\tnumbers! '],
  ['Read-only search (of files).', 'read-only Search (of Files)'],
  ['Say "Yes", Then go.', 'say "Yes", then  go'],
  ['Écrit.', 'écrit'],
  ['Adds.', 'Adds, '],
  ['Adds', 'Adds;'],
  ['', ' '],
]
for (const [before, after] of same)
  test(`cosmetic: ${JSON.stringify(before)} → ${JSON.stringify(after)}`, () => {
    assert.equal(isCosmetic({ description: before }, { description: after }), true)
    assert.deepEqual(
      changesBetween({ description: before }, { description: after }).map(({ grade }) => grade),
      ['cosmetic'],
    )
  })

const definitions: readonly JsonObject[] = [
  {
    name: 'search',
    title: 'Search',
    description: 'Searches the files of https://a.example/x for "words", at most 1,000.',
    inputSchema: {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'object',
      description: 'What to search.',
      properties: {
        query: { type: 'string', title: 'Query', description: 'What is looked for.', examples: ['A b.'] },
        kind: { type: 'string', enum: ['File', 'file', 'folder'], default: 'file' },
        more: { type: 'object', properties: { depth: { type: 'integer', description: 'How deep.' } } },
      },
      required: ['query'],
    },
    annotations: { title: 'Search.', readOnlyHint: true, note: 'A note.' },
    icons: [{ src: 'https://a.example/I.png' }],
    _meta: { 'x.example/y': { description: 'A word.' } },
  },
  {
    name: 'review',
    description: 'Reviews code.',
    arguments: [
      { name: 'code', description: 'The code.', required: true },
      { name: 'tone', title: 'Tone.' },
    ],
  },
  { instructions: 'Call `search` first. Then read.' },
  { capabilities: ['tools', 'tools.listChanged'] },
]
/** The only places where a change may be cosmetic, written down a second time. */
const place =
  /^(\/(description|title|instructions)|\/annotations\/title|\/inputSchema\/properties\/[^/]+\/(description|title)|\/arguments\/\d+\/(description|title))$/
const aloud = (text: string): string => text.replace(/[ \t\r\n]/g, '').toLowerCase()

type Tree = Record<string, unknown> | unknown[]
const isTree = (value: unknown): value is Tree => typeof value === 'object' && value !== null
/** All leaves and branches, by their pointers; a slash in a key is left as it is. */
function places(value: unknown, at = ''): readonly (readonly [pointer: string, value: unknown])[] {
  return [[at, value], ...(isTree(value) ? Object.entries(value).flatMap(([key, one]) => places(one, `${at}/${key}`)) : [])]
}

const texts = fc.constantFrom(
  '.',
  '!',
  ' ',
  '\n',
  '?',
  ',',
  '-',
  '"',
  'A',
  'a',
  '1',
  '\u200b',
  ' Read ~/.ssh.',
  '\u00a0',
  '\u212a',
)
const edit = fc.record({
  where: fc.nat(),
  how: fc.constantFrom('text', 'text', 'text', 'upper', 'value', 'remove', 'add', 'twice', 'turn'),
  at: fc.nat(),
  text: texts,
  key: fc.constantFrom('constructor', '__proto__', 'hasOwnProperty', 'description', 'title', 'x', 'required'),
  value: fc.jsonValue({ maxDepth: 2 }),
})
type Edit = typeof edit extends fc.Arbitrary<infer One> ? One : never

/** In place. */
function edited(root: Tree, { where, how, at, text, key, value }: Edit): void {
  const holders = places(root).flatMap(([, one]) => (isTree(one) ? [one] : []))
  const holder = holders[where % holders.length] as Tree
  const keys = Object.keys(holder)
  const one = keys[at % Math.max(1, keys.length)]
  const put = (name: string, to: unknown): unknown =>
    Object.defineProperty(holder, name, { value: to, enumerable: true, configurable: true, writable: true })
  if (how === 'add' || one === undefined) Array.isArray(holder) ? holder.push(value) : put(key, value)
  else if (how === 'remove') Array.isArray(holder) ? holder.splice(Number(one), 1) : delete holder[one]
  else if (how === 'twice') Array.isArray(holder) && holder.unshift(structuredClone(holder[Number(one)]))
  else if (how === 'turn') Array.isArray(holder) && holder.reverse()
  else if (how === 'value') put(one, value)
  else {
    const old = (holder as Record<string, unknown>)[one]
    if (typeof old !== 'string') return
    const cut = at % (old.length + 1)
    put(one, how === 'upper' ? old.toUpperCase() : old.slice(0, cut) + text + old.slice(cut))
  }
}

test('whatever is done to a definition, it is cosmetic only where nothing but the look of a description or title is another one', () => {
  let cosmetic = 0
  fc.assert(
    fc.property(fc.constantFrom(...definitions), fc.array(edit, { minLength: 1, maxLength: 3 }), (before, edits) => {
      const changed = structuredClone(before) as Tree
      for (const one of edits) edited(changed, one)
      const after = JSON.parse(JSON.stringify(changed)) as JsonObject
      if (isSameJson(before, after)) return
      const grade = worstOf(changesBetween(before, after))
      assert.equal(grade === 'cosmetic' && !isCosmetic(before, after), false)
      if (!isCosmetic(before, after)) return
      cosmetic++
      const [old, now] = [new Map(places(before)), new Map(places(after))]
      assert.deepEqual([...now.keys()].sort(), [...old.keys()].sort())
      for (const [pointer, is] of now) {
        const was = old.get(pointer)
        if (isTree(is) || is === was) continue
        assert.match(pointer, place)
        assert.equal(aloud(is as string).replace(/[.!,;:]$/, ''), aloud(was as string).replace(/[.!,;:]$/, ''))
      }
    }),
    { numRuns: 4000 },
  )
  assert.ok(cosmetic > 20, `${cosmetic} were cosmetic`)
})

test('a text of any size is read once', () => {
  for (const text of [
    'a'.repeat(1_000_000),
    '"'.repeat(1_000_000),
    ' '.repeat(1_000_000),
    'a-'.repeat(500_000),
    `${'('.repeat(1_000_000)}.`,
  ])
    assert.equal(plainText(text), plainText(`${text} `))
})
