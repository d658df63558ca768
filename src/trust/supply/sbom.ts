/**
 * The inventory as a bill of materials: CycloneDX 1.6 or 1.7 in JSON, models and data included (ML-BOM). The library writes what
 * its own model has; endpoints and flows of services, model cards and data sets are added after it, as the schema of the
 * specification names them. The same inventory gives the same bytes.
 */
import { Enums, Models, Serialize, SPDX, Spec } from '@cyclonedx/cyclonedx-library'
import { version as ownVersion } from '../../lib/version.ts'
import { type Component, type ComponentKind, refOf, uuidOf } from './inventory-component.ts'
import { isSpdxExpression } from './licences.ts'
import { factsOf } from './sbom-facts.ts'
import { withMore } from './sbom-more.ts'

export const sbomVersions = ['1.6', '1.7'] as const
export interface SbomOptions {
  readonly version?: (typeof sbomVersions)[number]
  /** `urn:uuid:…`; by default one that depends on the inventory alone. */
  readonly serialNumber?: string | undefined
  /** Milliseconds since 1970; left out of the document where it is undefined. */
  readonly at?: number | undefined
  /** What the bill is of. */
  readonly subject?: string | undefined
}

export function cycloneDx(inventory: readonly Component[], options: SbomOptions = {}): string {
  const { version = '1.6', at, subject = 'mcp-gateway' } = options
  const bom = new Models.Bom({
    serialNumber: options.serialNumber ?? `urn:uuid:${uuidOf(JSON.stringify([subject, inventory]))}`,
    metadata: new Models.Metadata({
      ...(at !== undefined && { timestamp: new Date(at) }),
      tools: new Models.Tools({
        components: new Models.ComponentRepository([
          new Models.Component(Enums.ComponentType.Application, 'sekisho', { version: ownVersion, bomRef: 'tool:sekisho' }),
        ]),
      }),
      component: new Models.Component(Enums.ComponentType.Application, subject, { bomRef: 'subject' }),
    }),
  })
  for (const one of inventory) (isService(one) ? addService : addComponent)(bom, one)
  linkDependencies(bom, inventory)
  const spec = version === '1.7' ? Spec.Spec1dot7 : Spec.Spec1dot6
  const plain = new Serialize.JSON.Normalize.Factory(spec).makeForBom().normalize(bom, { sortLists: true }) as object
  return `${JSON.stringify(withMore(plain, new Map(inventory.map((one) => [refOf(one), one]))), undefined, 2)}\n`
}

const types: Readonly<Record<ComponentKind, Enums.ComponentType>> = {
  package: Enums.ComponentType.Library,
  container: Enums.ComponentType.Container,
  server: Enums.ComponentType.Application,
  'tool-pack': Enums.ComponentType.Application,
  model: Enums.ComponentType.MachineLearningModel,
  'embedding-service': Enums.ComponentType.MachineLearningModel,
  'data-set': Enums.ComponentType.Data,
  'context-provider': Enums.ComponentType.Data,
  api: Enums.ComponentType.Application,
  'identity-provider': Enums.ComponentType.Application,
}
const servedByOthers: ReadonlySet<ComponentKind> = new Set([
  ...(['server', 'api', 'identity-provider', 'embedding-service', 'context-provider'] as const),
])
const isService = ({ kind, url }: Component): boolean => url !== undefined && servedByOthers.has(kind)

function addComponent(bom: Models.Bom, one: Component): void {
  const component = new Models.Component(types[one.kind], one.name, {
    bomRef: refOf(one),
    version: one.version ?? one.commit,
    purl: one.purl,
    scope: one.development === true ? Enums.ComponentScope.Excluded : undefined,
    supplier: ownerOf(one),
    licenses: new Models.LicenseRepository(licencesOf(one)),
    hashes: new Models.HashDictionary(hashesOf(one)),
    externalReferences: new Models.ExternalReferenceRepository(referencesOf(one)),
    properties: propertiesOf(one),
  })
  bom.components.add(component)
}

function addService(bom: Models.Bom, one: Component): void {
  const service = new Models.Service(one.name, {
    bomRef: refOf(one),
    version: one.version,
    provider: ownerOf(one),
    licenses: new Models.LicenseRepository(licencesOf(one)),
    properties: propertiesOf(one),
  })
  bom.services.add(service)
}

const ownerOf = ({ owner }: Component): Models.OrganizationalEntity | undefined =>
  owner === undefined ? undefined : new Models.OrganizationalEntity({ name: owner })

/** A text that is no SPDX expression is a name, as the schema wants it. */
function licencesOf({ licence }: Component): Models.License[] {
  if (licence === undefined || licence === '') return []
  if (SPDX.isSupportedSpdxId(licence)) return [new Models.SpdxLicense(licence)]
  return [isSpdxExpression(licence) ? new Models.LicenseExpression(licence) : new Models.NamedLicense(licence)]
}

const algorithms: Readonly<Record<string, Enums.HashAlgorithm>> = {
  sha1: Enums.HashAlgorithm['SHA-1'],
  sha256: Enums.HashAlgorithm['SHA-256'],
  sha384: Enums.HashAlgorithm['SHA-384'],
  sha512: Enums.HashAlgorithm['SHA-512'],
}

function hashesOf({ hash = '' }: Component): Models.Hash[] {
  const [algorithm = '', digest = ''] = hash.split(':')
  return Object.hasOwn(algorithms, algorithm) ? [[algorithms[algorithm] as Enums.HashAlgorithm, digest]] : []
}

function referencesOf({ url, source, commit }: Component): Models.ExternalReference[] {
  const of = (text: string | undefined, type: Enums.ExternalReferenceType, comment?: string) =>
    text !== undefined && /^[a-z][a-z+.-]*:\/\//.test(text)
      ? [new Models.ExternalReference(text, type, comment === undefined ? {} : { comment })]
      : []
  return [
    ...of(url, Enums.ExternalReferenceType.Website),
    ...(commit === undefined
      ? of(source, Enums.ExternalReferenceType.Distribution)
      : of(source, Enums.ExternalReferenceType.VCS, `commit ${commit}`)),
  ]
}

const propertiesOf = (one: Component): Models.PropertyRepository =>
  new Models.PropertyRepository(factsOf(one).map(([name, value]) => new Models.Property(name, value)))

function linkDependencies(bom: Models.Bom, inventory: readonly Component[]): void {
  const all = [...bom.components, ...bom.services]
  const held = new Map(all.map((one) => [one.bomRef.value, one]))
  for (const one of inventory) {
    const holder = held.get(refOf(one))
    for (const needed of one.dependsOn) {
      const target = held.get(needed)
      if (holder !== undefined && target !== undefined) holder.dependencies.add(target.bomRef)
    }
  }
  const needed = new Set(inventory.flatMap(({ dependsOn }) => dependsOn))
  const root = bom.metadata.component
  for (const one of all) if (!needed.has(one.bomRef.value as string)) root?.dependencies.add(one.bomRef)
}
