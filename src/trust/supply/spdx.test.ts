/** Held against the rules of SPDX 2.3 as far as they can be written: the members of its JSON, and what ties them together. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import test from 'node:test'
import { Ajv } from 'ajv'
import { takeInventory } from './inventory.ts'
import { readPackageLock } from './inventory-npm.ts'
import { componentsSchema } from './inventory-schema.ts'
import { isSpdxExpression } from './licences.ts'
import { spdx } from './spdx.ts'

const text = { type: 'string', minLength: 1 }
const line = { type: 'string', pattern: '^\\S[^\\n]*$' }
const date = { type: 'string', pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ$' }
const id = { type: 'string', pattern: '^SPDXRef-[A-Za-z0-9.-]+$' }
const agent = { type: 'string', pattern: '^((Person|Organization|Tool): \\S.*|NOASSERTION)$' }
const closed = (required: object, optional: object = {}): object => ({
  ...{ type: 'object', additionalProperties: false, required: Object.keys(required) },
  properties: { ...required, ...optional },
})
const list = (items: object): object => ({ type: 'array', minItems: 1, items })
const valid = new Ajv({ allErrors: true }).compile(
  closed(
    {
      spdxVersion: { const: 'SPDX-2.3' },
      dataLicense: { const: 'CC0-1.0' },
      SPDXID: { const: 'SPDXRef-DOCUMENT' },
      name: line,
      documentNamespace: { type: 'string', pattern: '^[a-z][a-z0-9+.-]*:[^#\\s]+$' },
      creationInfo: closed({ created: date, creators: list(agent) }),
      packages: list(
        closed(
          {
            ...{ SPDXID: id, name: line, filesAnalyzed: { const: false } },
            downloadLocation: { type: 'string', pattern: '^(NONE|NOASSERTION|(git\\+)?(https?|ssh)://\\S+)$' },
            primaryPackagePurpose: { enum: ['APPLICATION', 'LIBRARY', 'CONTAINER', 'OTHER'] },
          },
          {
            ...{ versionInfo: text, supplier: agent, licenseConcluded: text, licenseDeclared: text, copyrightText: text },
            checksums: list(
              closed({
                algorithm: { enum: ['SHA1', 'SHA256', 'SHA384', 'SHA512'] },
                checksumValue: { type: 'string', pattern: '^[0-9a-f]+$' },
              }),
            ),
            externalRefs: list(
              closed({
                referenceCategory: { enum: ['PACKAGE-MANAGER', 'OTHER'] },
                ...{
                  referenceType: { type: 'string', pattern: '^[A-Za-z0-9.-]+$' },
                  referenceLocator: { type: 'string', pattern: '^\\S+$' },
                },
              }),
            ),
            annotations: list(
              closed({ annotationDate: date, annotationType: { enum: ['OTHER', 'REVIEW'] }, annotator: agent, comment: text }),
            ),
          },
        ),
      ),
      relationships: list(
        closed({
          spdxElementId: id,
          relationshipType: { enum: ['DESCRIBES', 'DEPENDS_ON', 'DEV_DEPENDENCY_OF'] },
          relatedSpdxElement: id,
        }),
      ),
    },
    {
      hasExtractedLicensingInfos: list(
        closed({ licenseId: { type: 'string', pattern: '^LicenseRef-[A-Za-z0-9.-]+$' }, extractedText: text, name: text }),
      ),
    },
  ),
)

interface Document {
  readonly documentNamespace: string
  readonly packages: readonly {
    SPDXID: string
    name: string
    versionInfo?: string
    licenseDeclared?: string
    downloadLocation: string
  }[]
  readonly relationships: readonly { spdxElementId: string; relationshipType: string; relatedSpdxElement: string }[]
  readonly hasExtractedLicensingInfos?: readonly { licenseId: string; extractedText: string }[]
}

/** All that the schema cannot say: ids are there once, what is related is there, and licences are expressions whose parts are known. */
function read(json: string): Document {
  const document = JSON.parse(json) as Document
  assert.equal(valid(document), true, JSON.stringify(valid.errors?.slice(0, 3)))
  const ids = document.packages.map(({ SPDXID }) => SPDXID)
  assert.equal(new Set(ids).size, ids.length)
  const known = new Set([...ids, 'SPDXRef-DOCUMENT'])
  for (const { spdxElementId, relatedSpdxElement } of document.relationships)
    assert.ok(known.has(spdxElementId) && known.has(relatedSpdxElement), `${spdxElementId} ${relatedSpdxElement}`)
  assert.deepEqual(
    document.relationships.filter(({ relationshipType }) => relationshipType === 'DESCRIBES'),
    [{ spdxElementId: 'SPDXRef-DOCUMENT', relationshipType: 'DESCRIBES', relatedSpdxElement: 'SPDXRef-subject' }],
  )
  const extracted = new Set((document.hasExtractedLicensingInfos ?? []).map(({ licenseId }) => licenseId))
  for (const { licenseDeclared = 'NOASSERTION' } of document.packages) {
    if (/^(NOASSERTION|NONE)$/.test(licenseDeclared)) continue
    assert.ok(isSpdxExpression(licenseDeclared), licenseDeclared)
    for (const named of licenseDeclared.match(/LicenseRef-[A-Za-z0-9.-]+/g) ?? []) assert.ok(extracted.has(named), named)
  }
  return document
}

const hash = `sha256:${'a'.repeat(64)}`
const inventory = takeInventory({
  servers: {
    files: { kind: 'stdio', command: ['npx', '@scope/server@1.2.3'] },
    boxed: { kind: 'stdio', command: ['docker', 'run', `ghcr.io/acme/x@${hash}`] },
    fromGit: { kind: 'stdio', command: ['npx', `git+https://github.com/acme/tool#${'b'.repeat(40)}`] },
    crm: { kind: 'http', url: 'https://crm.example.com/mcp' },
  },
  declared: componentsSchema.parse([
    { kind: 'model', name: 'Embedder für alle', version: '1', hash, licence: 'Apache-2.0', owner: 'Acme', dataRegion: 'EU' },
    { kind: 'tool-pack', name: 'a/b', version: '3', licence: 'see LICENSE.txt' },
    { kind: 'tool-pack', name: 'a_b', version: '3', licence: 'MIT OR LicenseRef-house' },
    { kind: 'data-set', name: 'c', version: '3', licence: 'DocumentRef-other:LicenseRef-x' },
    { kind: 'data-set', name: 'd', version: '3', licence: 'NOASSERTION' },
  ]),
  packages: readPackageLock(readFileSync(resolve(import.meta.dirname, '../../../package-lock.json'), 'utf8')),
})

test('every kind of component, and the packages of this project, fit the rules', () => {
  const { packages, relationships, hasExtractedLicensingInfos } = read(spdx(inventory, { at: 0 }))
  assert.equal(packages.length, inventory.length + 1)
  const of = (name: string) => packages.find((one) => one.name === name)
  assert.equal(of('@scope/server')?.versionInfo, '1.2.3')
  assert.equal(of('tool')?.downloadLocation, `git+https://github.com/acme/tool@${'b'.repeat(40)}`)
  assert.equal(of('a_b')?.licenseDeclared, 'MIT OR LicenseRef-house')
  const written = hasExtractedLicensingInfos?.map(({ extractedText }) => extractedText) ?? []
  for (const expected of ['see LICENSE.txt', 'DocumentRef-other:LicenseRef-x']) assert.ok(written.includes(expected), expected)
  const needs = relationships.filter(({ spdxElementId }) => spdxElementId === of('files')?.SPDXID)
  assert.deepEqual(
    needs.map(({ relationshipType, relatedSpdxElement }) => [relationshipType, relatedSpdxElement]),
    [['DEPENDS_ON', of('@scope/server')?.SPDXID]],
  )
  assert.ok(relationships.some(({ relationshipType }) => relationshipType === 'DEV_DEPENDENCY_OF'))
})

test('nothing at all is a document, too', () => {
  assert.equal(read(spdx([], { at: 0 })).packages.length, 1)
})

test('the same inventory at the same time gives the same bytes, and any other another namespace', () => {
  assert.equal(spdx(inventory, { at: 0 }), spdx(inventory, { at: 0 }))
  const namespaces = [spdx(inventory, { at: 0 }), spdx(inventory, { at: 1000 }), spdx(inventory.slice(1), { at: 0 })].map(
    (json) => (JSON.parse(json) as Document).documentNamespace,
  )
  assert.equal(new Set(namespaces).size, 3)
  const namespace = 'urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79'
  assert.equal(read(spdx([], { at: 0, namespace })).documentNamespace, namespace)
})
