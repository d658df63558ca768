import assert from 'node:assert/strict'
import test from 'node:test'
import { configJsonSchema, knownKeys } from './json-schema.ts'

/** Every key that may be written anywhere in the document. */
function everyKey(node: unknown): string[] {
  if (typeof node !== 'object' || node === null) return []
  const { properties = {} } = node as { properties?: Record<string, unknown> }
  return [...Object.keys(properties), ...Object.values(node).flatMap(everyKey)]
}

test('no key would send a client’s own token on, and none turns the audience check off (TPT-R6)', () => {
  const suspicious =
    /pass.?through|forward.*(auth|token|header|credential)|relay.*(auth|token)|propagate|preserve.*auth|client.?token|skip.*(aud|verif)|insecure|allow.?any/i
  assert.deepEqual(
    everyKey(configJsonSchema()).filter((key) => suspicious.test(key)),
    [],
  )
  // The test is worth nothing if it sees nothing.
  assert.ok(everyKey(configJsonSchema()).includes('inheritEnv'))
  assert.match('tokenPassthrough forwardAuthorization', suspicious)
})

test('an editor learns keys, values and what they mean, and that there are no others', () => {
  interface Node {
    readonly properties: Readonly<Record<string, Node>>
    readonly additionalProperties: Node
    readonly enum?: readonly string[]
    readonly description?: string
  }
  const schema = configJsonSchema() as Node
  assert.equal(schema.additionalProperties, false)
  const server = schema.properties['servers']!.additionalProperties
  assert.deepEqual(server.properties['trust']!.enum, ['untrusted', 'internal', 'trusted'])
  assert.ok(schema.properties['listen']!.description)
  assert.doesNotThrow(() => JSON.stringify(configJsonSchema()))
})

test('knows the keys at a path, through lists, records and alternatives', () => {
  assert.ok(knownKeys([]).includes('servers'))
  assert.deepEqual(knownKeys(['servers', 'any-id', 'tools']), ['read', 'write', 'destructive'])
  assert.ok(knownKeys(['roles', 'r', 0]).includes('effect'))
  for (const key of ['mode', 'keys', 'provider', 'audience']) assert.ok(knownKeys(['identity']).includes(key), key)
  assert.deepEqual(knownKeys(['nowhere', 'at', 'all']), [])
})
