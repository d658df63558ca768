/** An unknown host in traffic is an undeclared component (SUP-R1), and servers of clients are told apart. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { z } from 'zod'
import { takeInventory } from './inventory.ts'
import { checksOf } from './inventory-checks.ts'
import { supplyPolicyShape } from './inventory-policy.ts'

const servers = { crm: { kind: 'http', url: 'https://crm.example.com/mcp' } } as const
const at = (host: string, port = 443, server = 'files') => ({ host, port, server })

test('a host that nobody declared is a component, with who reached for it; one that is declared is not', () => {
  const reached = [
    at('evil.example', 443, 'b'),
    at('Evil.Example', 22, 'a'),
    at('crm.example.com'),
    at('10.0.0.9', 80),
    at('[::1]', 80),
  ]
  const undeclared = takeInventory({ servers, reached }).filter(({ seen }) => seen.includes('traffic'))
  assert.deepEqual(
    undeclared.map(({ kind, name, usedBy, gaps }) => [kind, name, usedBy.join(), ...gaps]),
    [
      ['api', '10.0.0.9', 'files', 'undeclared: reached for at port 80, and kept back'],
      ['api', '[::1]', 'files', 'undeclared: reached for at port 80, and kept back'],
      ['api', 'evil.example', 'a,b', 'undeclared: reached for at port 22, 443, and kept back'],
    ],
  )
  const [first] = undeclared
  assert.ok(first)
  assert.deepEqual(checksOf(first, { attestations: [] }, z.strictObject(supplyPolicyShape).parse({})), [
    { what: 'declared', outcome: 'failed', detail: 'undeclared: reached for at port 80, and kept back' },
  ])
})

test('what is no host is left out: a server wrote it', () => {
  const reached = ['', '-x', 'a b', '\u001b[2J', 'x'.repeat(300), '../..', '"}'].map((host) => at(host))
  assert.equal(takeInventory({ servers, reached }).length, 1)
})

test('two clients with one name for different servers: both are there, each with its client; the same server is there once', () => {
  const reached = (command: string) => ({ kind: 'stdio', command: command.split(' ') }) as const
  const inventory = takeInventory({
    servers: { git: reached('npx a@1.0.0') },
    clients: [
      { client: 'cursor', name: 'git', reached: reached('npx b@2.0.0') },
      { client: 'cursor', name: 'git', reached: reached('npx c@3.0.0') },
      { client: 'zed', name: 'git', reached: reached('npx a@1.0.0') },
      { client: 'zed', name: 'remote', reached: { kind: 'http', url: '$URL' } },
    ],
  })
  assert.deepEqual(
    inventory
      .filter(({ kind }) => kind === 'server')
      .map(({ name, version, clients = [], seen }) => [name, version, clients.join(), seen.join()]),
    [
      ['git (cursor 2)', '3.0.0', 'cursor', 'client'],
      ['git (cursor)', '2.0.0', 'cursor', 'client'],
      ['git', '1.0.0', 'zed', 'configuration,client'],
      ['remote', undefined, 'zed', 'client'],
    ],
  )
})
