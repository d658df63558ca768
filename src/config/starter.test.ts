import assert from 'node:assert/strict'
import test from 'node:test'
import { newApiKey } from '../identity/api-keys.ts'
import type { StdioServer } from '../outbound/schema.ts'
import { parseConfig } from './load.ts'
import { exampleServer, keyIdFault, type Starter, serverIdFault, starterConfig } from './starter.ts'

const { sha256 } = newApiKey('ci')
const starters: readonly [name: string, starter: Starter][] = [
  ['the default', { servers: [exampleServer], callers: 'anonymous', access: 'read' }],
  [
    'keys',
    {
      servers: [{ id: 'crm', url: 'https://crm.example.com/mcp' }, exampleServer],
      callers: [{ id: 'ci', sha256 }],
      access: 'everything',
    },
  ],
  [
    'awkward words',
    { servers: [{ id: 'x', command: ['a "b" c', "d'e", '# no', 'ü: [', '\\'] }], callers: 'anonymous', access: 'read' },
  ],
]
for (const [name, starter] of starters)
  test(`a first configuration is accepted: ${name}`, () => {
    const config = parseConfig(starterConfig(starter))
    assert.deepEqual(
      Object.keys(config.servers),
      starter.servers.map(({ id }) => id),
    )
    assert.equal(config.bindings.length, 1)
    for (const { id, command } of starter.servers)
      if (command && !command[0]?.startsWith('.')) assert.deepEqual((config.servers[id] as StdioServer).command, command)
  })

test('a bad id is told to whoever types it', () => {
  assert.match(serverIdFault('mcp') ?? '', /a path of our own/)
  assert.match(keyIdFault('C_I') ?? '', /1 to 32/)
  assert.equal(serverIdFault('files') ?? keyIdFault('ci'), undefined)
})
