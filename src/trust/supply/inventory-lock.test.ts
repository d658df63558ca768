/** What the lock knows of versions and digests, in the inventory (SUP-R1). */
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { z } from 'zod'
import { takeInventory } from './inventory.ts'
import { checksOf } from './inventory-checks.ts'
import { refOf } from './inventory-component.ts'
import { supplyPolicyShape } from './inventory-policy.ts'
import type { PackageLock, ServerLock } from './lock.ts'

const sha256 = `sha256:${'a'.repeat(64)}`
const integrity = `sha512-${Buffer.alloc(64, 1).toString('base64')}`
const piece = (name: string, more: Partial<PackageLock> = {}): PackageLock => ({
  ...{ package: `pkg:npm/${name}@1.0.0`, integrity, licence: 'MIT', files: sha256 },
  ...more,
})
const npm: ServerLock = {
  ...{ kind: 'npm', command: ['npx', 'server'], package: 'pkg:npm/server@1.0.0', entry: 'node_modules/server/x.js' },
  ...{ interpreter: 'own', tree: sha256 },
  packages: {
    'node_modules/server': piece('server', { installScripts: { install: 'x' } }),
    'node_modules/deep': piece('deep', { resolved: 'https://npm.acme.test/deep.tgz?token=x' }),
  },
}
const python: ServerLock = {
  ...{ kind: 'pypi', command: ['uvx', 'tool'], package: 'pkg:pypi/tool@2.0', entry: { module: 'tool' } },
  ...{ interpreter: { path: '/usr/bin/python3', digest: sha256 }, tree: sha256, parts: {} },
  packages: { tool: { package: 'pkg:pypi/tool@2.0', files: sha256 } },
}
const image: ServerLock = {
  ...{ kind: 'image', command: ['docker', 'run', 'acme/x'], image: `acme/x@${sha256}` },
  runtime: { path: '/usr/bin/docker', digest: sha256 },
}
const files: ServerLock = { kind: 'files', command: ['node', './a.js'], files: { './a.js': { digest: sha256 } } }
const remote: ServerLock = { kind: 'remote', url: 'https://crm.example.com/mcp?key=hidden', spki: sha256 }

const stdio = (command: readonly string[]) => ({ kind: 'stdio', command }) as const

test('a command that names no version has one in the lock, and so has all that it brings', () => {
  const servers = { one: stdio(['npx', 'server']), two: stdio(['uvx', 'tool']) }
  const open = takeInventory({ servers })
  assert.ok(open.every(({ gaps }) => gaps.length > 0))
  const inventory = takeInventory({ servers, locked: { one: npm, two: python } })
  assert.deepEqual(
    inventory.map((one) => [
      refOf(one),
      one.seen.join(' '),
      one.usedBy.join(),
      one.gaps.length,
      one.hash?.slice(0, 9),
      one.source,
    ]),
    [
      ['package:pkg:npm/deep@1.0.0', 'lock', 'one', 0, 'sha512:01', 'https://npm.acme.test'],
      ['package:pkg:npm/server@1.0.0', 'lock', 'one', 0, 'sha512:01', undefined],
      ['package:pkg:pypi/tool@2.0', 'lock', 'two', 0, undefined, undefined],
      ['server:one@1.0.0', 'configuration lock', 'one', 0, undefined, undefined],
      ['server:two@2.0', 'configuration lock', 'two', 0, undefined, undefined],
    ],
  )
  assert.deepEqual(inventory.find(({ name }) => name === 'one')?.dependsOn, [
    'package:pkg:npm/deep@1.0.0',
    'package:pkg:npm/server@1.0.0',
  ])
  assert.equal(inventory.find(({ name }) => name === 'server')?.installScripts, true)
})

describe('of the other kinds', () => {
  const cases: readonly (readonly [
    says: string,
    reached: Parameters<typeof stdio>[0] | string,
    lock: ServerLock,
    facts: object,
  ])[] = [
    ['an image has its digest', ['docker', 'run', 'acme/x'], image, { kind: 'container', hash: sha256, gaps: [] }],
    ['a file has its digest', ['node', './a.js'], files, { kind: 'server', hash: sha256, gaps: [] }],
    [
      'a remote server has its key, as RFC 7469 writes it, and no secret',
      'https://crm.example.com/mcp?key=hidden',
      remote,
      { kind: 'server', url: 'https://crm.example.com/mcp', tlsKey: `sha256/${Buffer.alloc(32, 0xaa).toString('base64')}` },
    ],
  ]
  for (const [says, how, lock, facts] of cases)
    test(says, () => {
      const reached = typeof how === 'string' ? ({ kind: 'http', url: how } as const) : stdio(how)
      const [first] = takeInventory({ servers: { s: reached }, locked: { s: lock } })
      assert.deepEqual(Object.fromEntries(Object.keys(facts).map((key) => [key, first?.[key as 'name']])), facts)
    })
})

test('what is locked is not said to be unlooked at: comparing it is the work of supply verify', () => {
  const [server] = takeInventory({ servers: { s: stdio(['node', './a.js']) }, locked: { s: files } })
  assert.ok(server)
  assert.deepEqual(
    checksOf(server, { attestations: [] }, z.strictObject(supplyPolicyShape).parse({})).map(
      ({ what, outcome }) => `${what} ${outcome}`,
    ),
    ['pinned verified'],
  )
})
