import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import test from 'node:test'
import { Spec, Validation } from '@cyclonedx/cyclonedx-library'
import { takeInventory } from './inventory.ts'
import { readPackageLock } from './inventory-npm.ts'
import { componentsSchema } from './inventory-schema.ts'
import { cycloneDx, sbomVersions } from './sbom.ts'

const hash = `sha256:${'a'.repeat(64)}`
const attestations = [{ by: 'Ann', owner: 'Acme', statement: 'tested against our red team set', expires: '2027-06-30' }]
const inventory = takeInventory({
  servers: {
    files: { kind: 'stdio', command: ['npx', '@scope/server@1.2.3'] },
    boxed: { kind: 'stdio', command: ['docker', 'run', `ghcr.io/acme/x@${hash}`] },
    crm: { kind: 'http', url: 'https://crm.example.com/mcp' },
  },
  identityProviders: [{ name: 'login.example.com', url: 'https://login.example.com/' }],
  services: [{ name: 'vault.example.com', url: 'https://vault.example.com/' }],
  declared: componentsSchema.parse([
    {
      kind: 'model',
      name: 'local-embedder',
      version: '1',
      hash,
      licence: 'Apache-2.0',
      owner: 'Acme',
      dataRegion: 'EU',
      attestations,
    },
    { kind: 'embedding-service', name: 'embeddings', url: 'https://api.example.com/v1', dataRegion: 'EU' },
    { kind: 'embedding-service', name: 'embedder in process', commit: 'b'.repeat(40) },
    { kind: 'data-set', name: 'handbook', url: 'https://data.example.com/handbook', owner: 'Acme' },
    { kind: 'context-provider', name: 'wiki', url: 'https://wiki.example.com' },
    { kind: 'tool-pack', name: 'office tools', version: '3', licence: 'see LICENSE.txt' },
    { kind: 'api', name: 'weather', url: 'https://weather.example.com', licence: 'MIT OR Apache-2.0' },
  ]),
  packages: readPackageLock(readFileSync(resolve(import.meta.dirname, '../../../package-lock.json'), 'utf8')),
})

interface Bom {
  serialNumber: string
  metadata: { timestamp?: string }
  components: { type: string; name: string; modelCard?: object; data?: object[]; licenses?: object[] }[]
  services: { name: string; endpoints: string[]; data: { flow: string }[] }[]
  dependencies: { ref: string; dependsOn?: string[] }[]
}
const read = (text: string): Bom => JSON.parse(text) as Bom

for (const version of sbomVersions)
  test(`CycloneDX ${version}: every kind of component, and the packages of this project, fit the official schema`, async () => {
    const text = cycloneDx(inventory, { version, at: 0 })
    const spec = version === '1.6' ? Spec.Version.v1dot6 : Spec.Version.v1dot7
    assert.equal(await new Validation.JsonStrictValidator(spec).validate(text), null)
  })

test('the validator does find what does not fit', async () => {
  const text = cycloneDx(inventory).replace('"x-trust-boundary": true', '"x-trust-boundary": "yes"')
  assert.notEqual(await new Validation.JsonStrictValidator(Spec.Version.v1dot6).validate(text), null)
})

test('models, data and services stand where the specification has a place for them', () => {
  const { components, services, dependencies } = read(cycloneDx(inventory))
  const of = (name: string) => components.find((one) => one.name === name)
  assert.equal(of('local-embedder')?.type, 'machine-learning-model')
  assert.ok(of('local-embedder')?.modelCard)
  assert.ok(of('embedder in process')?.modelCard)
  assert.equal(of('handbook')?.data?.length, 1)
  assert.deepEqual(services.map(({ name }) => name).sort(), [
    'crm',
    'embeddings',
    'login.example.com',
    'vault.example.com',
    'weather',
    'wiki',
  ])
  assert.deepEqual(services.find(({ name }) => name === 'crm')?.endpoints, ['https://crm.example.com/mcp'])
  assert.equal(services[0]?.data[0]?.flow, 'bi-directional')
  assert.deepEqual(of('office tools')?.licenses, [{ license: { name: 'see LICENSE.txt' } }])
  assert.deepEqual(dependencies.find(({ ref }) => ref === 'server:files@1.2.3')?.dependsOn, [
    'package:pkg:npm/%40scope/server@1.2.3',
  ])
})

test('the same inventory gives the same bytes; another one another serial number', () => {
  assert.equal(cycloneDx(inventory), cycloneDx(inventory))
  const [one, two] = [inventory, inventory.slice(1)].map((list) => read(cycloneDx(list)).serialNumber)
  assert.match(one ?? '', /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  assert.notEqual(one, two)
  const serialNumber = 'urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79'
  assert.equal(read(cycloneDx(inventory, { serialNumber, at: 0 })).serialNumber, serialNumber)
  assert.equal(read(cycloneDx(inventory, { at: 0 })).metadata.timestamp, '1970-01-01T00:00:00.000Z')
  assert.equal(read(cycloneDx(inventory)).metadata.timestamp, undefined)
})
