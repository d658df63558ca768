import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parse } from 'yaml'
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
  ['JSON on one line', '{"servers":{}}'],
]

interface Whole {
  servers?: object
  roles?: { user?: readonly unknown[] }
}

describe('an addition', () => {
  for (const [says, text] of documents)
    for (const addition of [server, rule])
      it(`to ${says}: ${'key' in addition ? 'an entry' : 'an item'}`, () => {
        const after = withAddition(text, addition)
        const expected = structuredClone((parse(text) as Whole | null) ?? {}) as Whole
        if ('key' in addition) expected.servers = { ...expected.servers, mem: addition.value }
        else expected.roles = { ...expected.roles, user: [...(expected.roles?.user ?? []), addition.item] }
        assert.deepEqual(parse(after), expected, after)
        assert.ok(isWoven(text, after), `a byte was lost:\n${after}`)
        assert.equal(after.includes('\r\n'), text.includes('\r\n'))
        assert.doesNotMatch(after, /[^\r]\n.*\r\n|\r\n[^\r\n]*[^\r]\n/)
      })

  it('is refused where something else stands', () => {
    assert.throws(() => withAddition('servers: 5\n', server), /no map in line 1/)
    assert.throws(() => withAddition('a: 1\nroles: { user: {} }\n', rule), /no list in line 2/)
    assert.throws(() => withAddition('{"servers": null}', server), /line 1 says null; write \{\}/)
  })

  it('reads well', () => {
    assert.equal(
      withAddition('servers:\n  a:\n    command: [x] # why\n\n# who\nroles: {}\n', server),
      'servers:\n  a:\n    command: [x] # why\n  mem:\n    command: [npx, "-y", "@scope/mem@1.0.0"]\n    sandbox: { network: { hosts: ["a.example.com:443"] } }\n    tools: { read: ["get *"], write: [] }\n\n# who\nroles: {}\n',
    )
  })
})

/** Whether `after` is `before` with one piece put in. */
function isWoven(before: string, after: string): boolean {
  let at = 0
  while (at < before.length && before[at] === after[at]) at++
  return after.endsWith(before.slice(at))
}
