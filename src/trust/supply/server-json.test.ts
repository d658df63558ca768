import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { NpmLock, RemoteLock } from './lock.ts'
import { NotAdmitted } from './not-admitted.ts'
import { readServerJson, withRegistry } from './server-json.ts'

const given = {
  $schema: 'https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json',
  name: 'io.github.acme/server',
  description: 'x',
  version: '1.2.3',
  packages: [
    { registryType: 'npm', identifier: '@acme/server', version: '1.2.3', transport: { type: 'stdio' } },
    { registryType: 'mcpb', identifier: 'https://example.com/x.mcpb', fileSha256: 'ab'.repeat(32), transport: { type: 'stdio' } },
  ],
  remotes: [{ type: 'streamable-http', url: 'https://mcp.acme.example/mcp' }],
}
const npm = { kind: 'npm', package: 'pkg:npm/%40acme/server@1.2.3' } as NpmLock
const remote: RemoteLock = { kind: 'remote', url: 'https://mcp.acme.example/mcp' }
const refused = (pattern: RegExp) => (error: unknown) => {
  assert.ok(error instanceof NotAdmitted, String(error))
  assert.match(error.message, pattern)
  return true
}
const read = (value: unknown) => readServerJson(typeof value === 'string' ? value : JSON.stringify(value), 'server.json')

describe('SUP-C1 a server.json is refused', () => {
  const cases: readonly (readonly [string, () => unknown, RegExp])[] = [
    ['that is not JSON', () => read('{'), /server\.json: is not JSON/],
    ['without a name', () => read({ ...given, name: undefined }), /is not a server\.json: name/],
    [
      'with a digest that is none',
      () => read({ ...given, packages: [{ ...given.packages[1], fileSha256: 'abc' }] }),
      /packages\.0\.fileSha256/,
    ],
    ['null', () => read('null'), /is not a server\.json/],
    [
      'of another version than is installed',
      () => withRegistry(npm, read({ ...given, packages: [{ ...given.packages[0], version: '1.2.4' }] })),
      /io\.github\.acme\/server@1\.2\.3: names pkg:npm\/%40acme\/server@1\.2\.4, and pkg:npm\/%40acme\/server@1\.2\.3 is installed/,
    ],
    [
      'of another package',
      () => withRegistry({ ...npm, package: 'pkg:npm/server@1.2.3' }, read(given)),
      /and pkg:npm\/server@1\.2\.3 is installed/,
    ],
    [
      'without this remote',
      () => withRegistry({ ...remote, url: 'https://evil.example/mcp' }, read(given)),
      /has no remote at https:\/\/evil/,
    ],
  ]
  for (const [what, work, says] of cases) it(what, () => assert.throws(work, refused(says)))
})

it('what it says is locked, also as the registry wraps it', () => {
  for (const one of [given, { server: given, _meta: {} }])
    assert.deepEqual(withRegistry(npm, read(one)).registry, {
      name: 'io.github.acme/server',
      version: '1.2.3',
      packages: [
        { type: 'npm', identifier: '@acme/server', version: '1.2.3' },
        { type: 'mcpb', identifier: 'https://example.com/x.mcpb', fileSha256: `sha256:${'ab'.repeat(32)}` },
      ],
    })
  assert.equal(withRegistry(remote, read(given)).registry?.name, 'io.github.acme/server')
})
