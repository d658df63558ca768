/**
 * The inventory as SPDX 2.3 in JSON (ISO/IEC 5962, clauses 6, 7, 10 to 12). No file was analysed, nothing was concluded about licences:
 * what is not known is NOASSERTION. The same inventory at the same time gives the same bytes.
 */
import { createHash } from 'node:crypto'
import { version as ownVersion } from '../../lib/version.ts'
import { type Component, type ComponentKind, refOf, uuidOf } from './inventory-component.ts'
import { isSpdxExpression } from './licences.ts'
import { factsOf } from './sbom-facts.ts'

export interface SpdxOptions {
  /** Milliseconds since 1970. */
  readonly at: number
  /** A URI that no other document has; by default one that depends on the inventory and the time alone. */
  readonly namespace?: string | undefined
  /** What the bill is of. */
  readonly subject?: string | undefined
}

const unknown = 'NOASSERTION'
const documentId = 'SPDXRef-DOCUMENT'
const subjectId = 'SPDXRef-subject'
const tool = `Tool: sekisho-${ownVersion}`

const purposes: Readonly<Record<ComponentKind, string>> = {
  package: 'LIBRARY',
  container: 'CONTAINER',
  server: 'APPLICATION',
  'tool-pack': 'APPLICATION',
  model: 'OTHER',
  'embedding-service': 'OTHER',
  'data-set': 'OTHER',
  'context-provider': 'OTHER',
  api: 'OTHER',
  'identity-provider': 'OTHER',
}

export function spdx(inventory: readonly Component[], { at, namespace, subject = 'mcp-gateway' }: SpdxOptions): string {
  const created = new Date(at).toISOString().replace(/\.\d+Z$/, 'Z')
  const licences = new Licences()
  const packages = inventory.map((one) => packageOf(one, licences, created))
  const document = {
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: documentId,
    name: subject,
    documentNamespace: namespace ?? `urn:uuid:${uuidOf(JSON.stringify([subject, created, inventory]))}`,
    creationInfo: { created, creators: [tool] },
    packages: [
      { SPDXID: subjectId, name: subject, downloadLocation: unknown, filesAnalyzed: false, primaryPackagePurpose: 'APPLICATION' },
      ...packages,
    ],
    ...(licences.extracted.length > 0 && { hasExtractedLicensingInfos: licences.extracted }),
    relationships: relationshipsOf(inventory),
  }
  return `${JSON.stringify(document, undefined, 2)}\n`
}

/** Letters, digits, dots and hyphens (clause 7.2), and a digest that keeps apart what would look the same. */
function idOf(ref: string): string {
  const shown = ref.replace(/[^A-Za-z0-9.-]+/g, '-').replace(/^-+|-+$/g, '')
  return `SPDXRef-${shown.slice(0, 80)}-${createHash('sha256').update(ref).digest('hex').slice(0, 12)}`
}

function packageOf(one: Component, licences: Licences, created: string): object {
  const { name, version, commit, owner, purl, url, kind } = one
  const checksum = checksumOf(one)
  const references = [
    ...(purl === undefined ? [] : [{ referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: purl }]),
    ...(url === undefined
      ? []
      : [{ referenceCategory: 'OTHER', referenceType: 'endpoint', referenceLocator: new URL(url).href }]),
  ]
  const note = (comment: string): object => ({ annotationDate: created, annotationType: 'OTHER', annotator: tool, comment })
  return {
    SPDXID: idOf(refOf(one)),
    name,
    ...((version ?? commit) !== undefined && { versionInfo: version ?? commit }),
    supplier: owner === undefined ? unknown : `Organization: ${owner}`,
    downloadLocation: downloadOf(one),
    filesAnalyzed: false,
    ...(checksum && { checksums: [checksum] }),
    licenseConcluded: unknown,
    licenseDeclared: licences.declared(one.licence),
    copyrightText: unknown,
    ...(references.length > 0 && { externalRefs: references }),
    primaryPackagePurpose: purposes[kind],
    annotations: factsOf(one).map(([key, value]) => note(`${key}: ${value}`)),
  }
}

/** The names of clause 7.10, for the algorithms that we meet. */
const algorithms: Readonly<Record<string, string>> = { sha1: 'SHA1', sha256: 'SHA256', sha384: 'SHA384', sha512: 'SHA512' }

function checksumOf({ hash = '' }: Component): object | undefined {
  const [name = '', digest = ''] = hash.split(':')
  if (!Object.hasOwn(algorithms, name) || !/^[0-9a-f]+$/.test(digest)) return undefined
  return { algorithm: algorithms[name], checksumValue: digest }
}

/** Clause 7.7: a URL, or a place in version control. Which of its servers a registry gives a package from is for the registry to know. */
function downloadOf({ source, commit, purl }: Component): string {
  if (source === undefined) return unknown
  if (/^git\+(https|ssh):\/\/\S+$/.test(source)) return commit === undefined ? source : `${source}@${commit}`
  return purl === undefined && /^https?:\/\/[^/\s]+\/\S+$/.test(source) ? source : unknown
}

/** Licences that are on no list have to be written out once in the document (clause 10). */
class Licences {
  readonly extracted: { readonly licenseId: string; readonly extractedText: string; readonly name: string }[] = []

  declared(licence: string | undefined): string {
    const text = licence?.trim() ?? ''
    if (text === '' || /^(NOASSERTION|NONE)$/.test(text)) return text || unknown
    // A reference into another document would need that document.
    if (isSpdxExpression(text) && !text.includes('DocumentRef-')) {
      for (const id of text.match(/LicenseRef-[A-Za-z0-9.-]+/g) ?? [])
        this.#extract(id, `named in "${text}"; its text is not at hand`)
      return text
    }
    const id = `LicenseRef-${createHash('sha256').update(text).digest('hex').slice(0, 12)}`
    this.#extract(id, text.slice(0, 1000))
    return id
  }

  #extract(licenseId: string, extractedText: string): void {
    if (this.extracted.some((one) => one.licenseId === licenseId)) return
    this.extracted.push({ licenseId, extractedText, name: unknown })
  }
}

interface Relationship {
  readonly spdxElementId: string
  readonly relationshipType: 'DESCRIBES' | 'DEPENDS_ON' | 'DEV_DEPENDENCY_OF'
  readonly relatedSpdxElement: string
}

function relationshipsOf(inventory: readonly Component[]): readonly Relationship[] {
  const of = (
    spdxElementId: string,
    relationshipType: Relationship['relationshipType'],
    relatedSpdxElement: string,
  ): Relationship => ({
    ...{ spdxElementId, relationshipType, relatedSpdxElement },
  })
  const needed = new Set(inventory.flatMap(({ dependsOn }) => dependsOn))
  return [
    of(documentId, 'DESCRIBES', subjectId),
    ...inventory.flatMap((one) => {
      const id = idOf(refOf(one))
      const above = needed.has(refOf(one))
        ? []
        : [one.development === true ? of(id, 'DEV_DEPENDENCY_OF', subjectId) : of(subjectId, 'DEPENDS_ON', id)]
      return [...above, ...one.dependsOn.map((ref) => of(id, 'DEPENDS_ON', idOf(ref)))]
    }),
  ]
}
