/** A group in which somebody is denied something is not lost by the way their provider writes it (AUTH-C5, POL-C1). */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { z } from 'zod'
import { compilePolicy } from '../../src/policy/policy.ts'
import { policyShape } from '../../src/policy/schema.ts'
import { type Issuer, issuer } from './support/issuer.ts'
import { resource, resourceServer } from './support/resource-server.ts'

let provider: Issuer
before(async () => {
  provider = await issuer()
})
after(() => provider.close())

const unreadable = 'UNAUTHENTICATED: the groups or the roles of the token are not a list of texts'
const sources = { _claim_sources: { src1: { endpoint: 'https://graph.windows.net/x' } } }
const refusals: readonly (readonly [name: string, claims: object, answer: string])[] = [
  ['a number', { groups: 7 }, unreadable],
  ['a mapping', { groups: { contractors: true } }, unreadable],
  ['null', { groups: null }, unreadable],
  ['a list with a number in it', { groups: ['contractors', 7] }, unreadable],
  ['roles as a mapping', { roles: { contractors: true } }, unreadable],
  ['a source of groups', { _claim_names: { groups: 'src1' }, ...sources }, 'IDENTITY_UNAVAILABLE'],
  ['a source of roles', { _claim_names: { roles: 'src1' }, ...sources }, 'IDENTITY_UNAVAILABLE'],
  ['more groups than fit', { hasgroups: true }, 'IDENTITY_UNAVAILABLE'],
]
for (const [name, claims, answer] of refusals)
  test(`nobody is let in with ${name}`, async () => {
    const server = resourceServer(provider)
    assert.equal(await server.ask(provider.token(resource, 'ada', claims)), answer)
    assert.equal(server.errors.length, answer === 'IDENTITY_UNAVAILABLE' ? 1 : 0)
  })

const policy = compilePolicy(
  z.object(policyShape).parse({
    roles: {
      all: [{ effect: 'allow', server: '*', tools: ['*'] }],
      blocked: [{ effect: 'deny', server: 'x', tools: ['delete_*'] }],
    },
    bindings: [
      { role: 'all', client: 'editor' },
      { role: 'blocked', group: 'contractors' },
      { role: 'blocked', appRole: 'Contractor' },
    ],
  }),
)
const written: readonly (readonly [name: string, claims: object, allowed: boolean])[] = [
  ['a list of groups', { groups: ['contractors'] }, false],
  ['one group as a text', { groups: 'contractors' }, false],
  ['one role as a text', { roles: 'Contractor' }, false],
  ['another group', { groups: 'employees' }, true],
  ['no groups', {}, true],
  ['a source of something else', { _claim_names: { address: 'src1' }, ...sources }, true],
]
for (const [name, claims, allowed] of written)
  test(`${name}: what contractors are denied is ${allowed ? 'allowed' : 'denied'}`, async () => {
    const principal = await resourceServer(provider).ask(provider.token(resource, 'ada', claims))
    assert.ok(typeof principal === 'object', String(principal))
    assert.equal(policy.decide(principal, 'x', 'tool', 'delete_note', 'destructive').allowed, allowed)
  })
