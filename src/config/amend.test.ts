import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Document, parse, parseDocument, visit } from 'yaml'
import { type Addition, withAddition } from './amend.ts'

const server: Addition = {
  under: ['servers'],
  key: 'mem',
  value: {
    command: ['npx', '-y', '@scope/mem@1.0.0'],
    sandbox: { network: { hosts: ['a.example.com:443'] } },
    tools: { read: ['get *'], write: [] },
  },
}
const rule: Addition = { under: ['roles', 'user'], item: { effect: 'allow', server: 'mem', tools: ['*'], class: ['read'] } }

const documents: readonly (readonly [says: string, text: string])[] = [
  ['nothing', ''],
  ['only a comment', '# mine\n'],
  ['no newline at its end', 'listen: 127.0.0.1:1'],
  ['another key', 'listen: 127.0.0.1:1 # here\n'],
  ['a key without a value', 'servers:\nlisten: 127.0.0.1:1\n'],
  ['a key without a value, at the end', 'listen: 127.0.0.1:1\nservers:'],
  ['an empty map', 'servers: {}\nlisten: 127.0.0.1:1\n'],
  ['an empty map on two lines', 'servers: {\n}\n'],
  ['a map on one line', 'servers: { a: { command: [x] } }\nroles: { user: [{ effect: allow }] }\n'],
  ['a comma at the end', 'servers: { a: { command: [x] }, }\n'],
  [
    'blocks',
    '# top\nservers:\n  a:\n    command: [x] # why\n    env:\n      A: b\n\n# who\nroles:\n  user:\n    - { effect: allow } # all\n\nbindings: []\n',
  ],
  ['lists without an indent', 'roles:\n  user:\n  - effect: allow\n    server: a\n  other:\n  - effect: deny\n'],
  ['a wide indent', 'servers:\n      a:\n          command:\n          - x\n'],
  ['a block of text', 'servers:\n  a:\n    note: |\n      one\n      two\nlisten: x\n'],
  ['a last key without a value', 'servers:\n  a:\n    command:\n# end\n'],
  ['the endings of Windows', 'servers:\r\n  a:\r\n    command: [x]\r\nlisten: x\r\n'],
  ['JSON', '{\n  "servers": {\n    "a": { "command": ["x"] }\n  },\n  "roles": { "user": [] }\n}\n'],
  ['a comment at the end of a map', 'servers: { a: { command: [x] } # only reading\n}\nroles: { user: [ # none\n  ] }\n'],
  ['a comment after a comma', 'servers: {\n  a: { command: [x] }, # c, }\n  # d }\n  }\nroles: { user: [{}, # e\n ] }\n'],
  ['a comment and nothing else', 'servers: { # nothing\n}\nroles: # nobody\n'],
  ['a sign that begins no comment', 'servers: { a: { command: ["#"] } }\nroles: { user: [{ effect: "a # b" }] }\n'],
  ['JSON on one line', '{"servers":{}}'],
]

interface Whole {
  servers?: object
  roles?: { user?: readonly unknown[] }
}

function expectedOf(before: Whole | null, addition: Addition): Whole {
  if ('key' in addition) return { ...before, servers: { ...before?.servers, mem: addition.value } }
  return { ...before, roles: { ...before?.roles, user: [...(before?.roles?.user ?? []), addition.item] } }
}

describe('an addition', () => {
  for (const [says, text] of documents)
    for (const addition of [server, rule])
      it(`to ${says}: ${'key' in addition ? 'an entry' : 'an item'}`, () => {
        const after = withAddition(text, addition)
        assert.deepEqual(parse(after), expectedOf(parse(text) as Whole | null, addition), after)
        assert.ok(isWoven(text, after), `a byte was lost:\n${after}`)
        assert.equal(after.includes('\r\n'), text.includes('\r\n'))
        assert.doesNotMatch(after, /[^\r]\n.*\r\n|\r\n[^\r\n]*[^\r]\n/)
      })

  it('is refused where something else stands', () => {
    assert.throws(() => withAddition('servers: 5\n', server), /no map in line 1/)
    assert.throws(() => withAddition('a: 1\nroles: { user: {} }\n', rule), /no list in line 2/)
    assert.throws(() => withAddition('{"servers": null}', server), /line 1 says null; write \{\}/)
  })

  it('is left to a person where it would change what is there', () => {
    const aliased = 'base: &base {}\nservers: *base\n'
    assert.throws(() => withAddition('base: &base { x: {} }\nservers: { <<: *base, mem: { command: [y] } }\n', server), /by hand/)
    assert.throws(() => withAddition('{ servers }\n', server), {
      message: /add this by hand:\nservers:\n {2}mem:\n {4}command: \[npx, "-y", "@scope\/mem@1\.0\.0"\]\n/,
    })
    assert.throws(() => withAddition(aliased, server))
    assert.throws(() => withAddition('servers: {}\n---\nservers: {}\n', server), /by hand/)
    assert.throws(() => withAddition('servers: {\n', server), /by hand/)
  })

  it('reads well', () => {
    assert.equal(
      withAddition('servers:\n  a:\n    command: [x] # why\n\n# who\nroles: {}\n', server),
      'servers:\n  a:\n    command: [x] # why\n  mem:\n    command: [npx, "-y", "@scope/mem@1.0.0"]\n    sandbox: { network: { hosts: ["a.example.com:443"] } }\n    tools: { read: ["get *"], write: [] }\n\n# who\nroles: {}\n',
    )
  })
})

/** Numbers that are the same in every run. */
function* numbers(seed: number): Generator<number, never> {
  for (let state = seed; ; ) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    yield state / 2 ** 32
  }
}

describe('whatever a document looks like, it says what it said, and the addition', () => {
  /** Written in some way, with comments after some of its lines, before some, and in brackets. */
  const documentOf = (seed: number): string => {
    const random = numbers(seed)
    const below = (max: number): number => Math.floor(random.next().value * max)
    const word = (): string =>
      ['a', 'b-c', '# no comment', 'x: y', '{', ']', 'two\nlines', '"', "it's", '', 'null', '5'][below(12)] ?? ''
    const valueAt = (depth: number): unknown => {
      const kind = depth === 0 ? 0 : below(4)
      if (kind < 2) return [word(), below(100), true, null, word()][below(5)]
      if (kind === 2) return Array.from({ length: below(3) }, () => valueAt(depth - 1))
      return Object.fromEntries(Array.from({ length: below(3) }, () => [word(), valueAt(depth - 1)]))
    }
    const some = (): object => Object.fromEntries(Array.from({ length: below(3) }, (_, at) => [`k${at}`, valueAt(2)]))
    const parts = [
      ['listen', '127.0.0.1:1'],
      ...(below(4) > 0 ? [['servers', [some(), some(), null][below(3)]]] : []),
      ...(below(4) > 0 ? [['roles', [{ user: [some()] }, { other: [] }, { user: [] }, null][below(4)]]] : []),
      ['more', valueAt(3)],
    ]
    const said = Object.fromEntries(below(2) === 0 ? parts : parts.toReversed()) as object
    if (below(3) === 0)
      return JSON.stringify(said, undefined, below(3) + 1).replace(/$/gm, () => (below(3) === 0 ? ' # c, } ] "x' : ''))
    const document = new Document(said)
    visit(document, {
      Collection(_, node) {
        node.flow = below(3) === 0
        if (below(4) === 0) node.comment = ' c, } ]'
      },
      Scalar(key, node) {
        if (key === 'key') return
        if (below(6) === 0) node.comment = ' s, } # ]'
        if (below(9) === 0) node.commentBefore = ' { before'
      },
    })
    return document.toString({ indent: 2 + below(3), lineWidth: 0, indentSeq: below(2) === 0 })
  }

  for (const addition of [server, rule])
    it('key' in addition ? 'an entry' : 'an item', () => {
      let [added, left] = [0, 0]
      for (let seed = 1; seed <= 2000; seed++) {
        const text = documentOf(seed)
        if (parseDocument(text).errors.length > 0) continue // a comment where the package itself cannot read it again
        const before = parse(text) as Whole
        let after: string
        try {
          after = withAddition(text, addition)
        } catch (error) {
          assert.match(String(error), /add this by hand:|write \{\} or \[\] there/, text)
          if (/by hand/.test(String(error))) left++
          continue
        }
        added++
        assert.deepEqual(parse(after), expectedOf(before, addition), `${text}\n---\n${after}`)
        assert.ok(isWoven(text, after), `a byte was lost:\n${text}\n---\n${after}`)
      }
      assert.ok(added > 1000 && left < 10, `${added} were possible, and ${left} were left to a person`)
    })
})

/** Whether `after` is `before` with one piece put in. */
function isWoven(before: string, after: string): boolean {
  let at = 0
  while (at < before.length && before[at] === after[at]) at++
  return after.endsWith(before.slice(at))
}
