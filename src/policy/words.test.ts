import assert from 'node:assert/strict'
import test from 'node:test'
import { principalOf } from './explain.ts'
import type { Binding } from './schema.ts'
import { whyCommand } from './words.ts'

const thing = (said: object) => ({
  principal: principalOf('user:t.ada', said) as NonNullable<ReturnType<typeof principalOf>>,
  server: 'files',
  concern: 'tool' as const,
  subject: 'write_a',
})
const command = (flags: string): string => `sekisho policy why --principal user:t.ada${flags} --server files --tool write_a`
const bindings: readonly Binding[] = [
  { role: 'a', group: 'staff' },
  { role: 'b', group: 'staff' },
  { role: 'c', appRole: 'Mcp Reader' },
  { role: 'd', scope: 'mcp' },
  { role: 'e', client: 'https://c.example/x' },
  { role: 'f', tenant: 't' },
  { role: 'g', user: 'user:t.ada' },
  { role: 'h', group: 'of-others' },
  { role: 'i', anonymous: true },
]

const cases: readonly [says: string, said: object, flags: string][] = [
  ['nothing of the token, where it gave no role', { groups: ['x'], roles: ['y'] }, ''],
  ['a group once, and no group that is bound to nothing', { groups: ['staff', 'x'] }, ' --group staff'],
  ['the scopes, each once', { scopes: ['openid', 'mcp'] }, ' --scope mcp --scope openid'],
  ['a word with a space as one word', { roles: ['Mcp Reader'] }, " --app-role 'Mcp Reader'"],
  [
    'everything that gave a role',
    { scopes: ['mcp'], client: 'https://c.example/x', tenant: 't' },
    ' --scope mcp --client https://c.example/x --tenant t',
  ],
]
for (const [says, said, flags] of cases)
  test(`the command that explains a refusal repeats ${says}`, () => {
    assert.equal(whyCommand(thing(said), bindings), command(flags))
  })

test('a command stays short, and what a token says cannot leave its word', () => {
  const groups = Array.from({ length: 20 }, (_, at) => `g${at}`)
  const many = groups.map((group) => ({ role: 'a', group }))
  assert.equal(whyCommand(thing({ groups }), many).match(/--group/g)?.length, 8)
  const nasty = "x'; rm -rf ~ #"
  assert.equal(whyCommand(thing({ groups: [nasty] }), [{ role: 'a', group: nasty }]), command(" --group 'x?; rm -rf ~ #'"))
})
