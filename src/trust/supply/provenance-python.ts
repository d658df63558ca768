/**
 * Attestations of PyPI (PEP 740): who published this very file, in Sigstore's terms, verified without a network. PEP 740 writes a bundle of
 * Sigstore down in words of its own; it is put into those of Sigstore and verified as any other. All that are given have to hold, and one
 * has to be of the publication.
 */
import { isObject } from '../../protocol/json-rpc.ts'
import { type Failed, type Statement, signedByBuilder } from './provenance.ts'
import { repositoryName } from './repository-name.ts'
import type { TrustRoot } from './trust-root.ts'

export interface Distribution {
  /** `server-1.0-py3-none-any.whl` */
  readonly filename: string
  /** Hexadecimal. */
  readonly sha256: string
}
export type PythonProvenance =
  | { readonly status: 'verified'; readonly repository: string; readonly workflow: string; readonly slsa: boolean }
  | Failed

const publication = 'https://docs.pypi.org/attestations/publish/v1'
const slsa = 'https://slsa.dev/provenance/v1'
const statementType = 'https://in-toto.io/Statement/v1'
/** PyPI takes at most one of each kind for a file. */
const attestationsMax = 16

const failed = (why: string): Failed => ({ status: 'failed', why })

/** Whether it looks like one attestation of PEP 740, or like what the Integrity API answers. */
export const isPythonAttestation = (json: unknown): boolean =>
  isObject(json) && ('attestation_bundles' in json || 'verification_material' in json)

/** Never throws: what cannot be read has failed. */
export function verifyPythonProvenance(json: unknown, distribution: Distribution, trust: TrustRoot): PythonProvenance {
  const given = attestationsIn(json)
  if (given === undefined || given.length === 0) return failed('there is no attestation of PEP 740 in it')
  if (given.length > attestationsMax) return failed(`there are more than ${attestationsMax} attestations`)
  const verified: { repository: string; workflow: string; kind: string }[] = []
  for (const { attestation, publisher } of given) {
    const bundle = bundleOf(attestation)
    if (bundle === undefined) return failed('an attestation is not as PEP 740 has it')
    const signed = signedByBuilder(bundle, trust)
    if ('why' in signed) return signed
    const { statement, workflow, repository } = signed
    const why = faultOf(statement, distribution)
    if (why !== undefined) return failed(why)
    if (publisher !== undefined && repositoryName(publisher) !== repositoryName(repository))
      return failed(`the index names ${publisher} as its publisher, and it was signed by a build of ${repository}`)
    verified.push({ repository, workflow, kind: String(statement.predicateType) })
  }
  const published = verified.find(({ kind }) => kind === publication)
  if (published === undefined) return failed('nothing in it is about the publication')
  const other = verified.find(({ repository }) => repository !== published.repository)
  if (other !== undefined) return failed(`it was published from ${published.repository}, and built in ${other.repository}`)
  return {
    status: 'verified',
    repository: published.repository,
    workflow: published.workflow,
    slsa: verified.some(({ kind }) => kind === slsa),
  }
}

interface Given {
  readonly attestation: unknown
  /** The repository that the index says it is of; nobody has signed that. */
  readonly publisher: string | undefined
}
const hosts: Readonly<Record<string, string>> = { GitHub: 'https://github.com/', GitLab: 'https://gitlab.com/' }

function attestationsIn(json: unknown): readonly Given[] | undefined {
  if (!isObject(json) || json['version'] !== 1) return undefined
  if ('verification_material' in json) return [{ attestation: json, publisher: undefined }]
  const bundles = json['attestation_bundles']
  if (!Array.isArray(bundles)) return undefined
  const given: Given[] = []
  for (const one of bundles as readonly unknown[]) {
    if (!isObject(one) || !Array.isArray(one['attestations'])) return undefined
    const publisher = publisherOf(one['publisher'])
    given.push(...(one['attestations'] as readonly unknown[]).map((attestation) => ({ attestation, publisher })))
  }
  return given
}

/** A kind of publisher that is not known here names no repository; then the signature alone says who it was. */
function publisherOf(publisher: unknown): string | undefined {
  if (!isObject(publisher)) return undefined
  const { kind, repository } = publisher
  const host = typeof kind === 'string' && Object.hasOwn(hosts, kind) ? hosts[kind] : undefined
  return host === undefined || typeof repository !== 'string' ? undefined : `${host}${repository}`
}

/** The words of PEP 740 in those of a bundle of Sigstore, version 0.3. */
function bundleOf(attestation: unknown): object | undefined {
  if (!isObject(attestation) || attestation['version'] !== 1) return undefined
  const { verification_material: material, envelope } = attestation
  if (!isObject(material) || !isObject(envelope)) return undefined
  return {
    mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
    verificationMaterial: {
      certificate: { rawBytes: material['certificate'] },
      tlogEntries: material['transparency_entries'],
    },
    dsseEnvelope: {
      payload: envelope['statement'],
      payloadType: 'application/vnd.in-toto+json',
      signatures: [{ sig: envelope['signature'], keyid: '' }],
    },
  }
}

function faultOf({ _type, predicateType, subject }: Statement, { filename, sha256 }: Distribution): string | undefined {
  if (_type !== statementType || (predicateType !== publication && predicateType !== slsa))
    return 'the statement is neither of the publication nor SLSA provenance'
  const [only, ...more]: readonly unknown[] = Array.isArray(subject) ? subject : []
  const digest = isObject(only) ? only['digest'] : undefined
  if (!isObject(only) || more.length > 0 || !isObject(digest) || digest['sha256'] !== sha256)
    return 'the statement is about other bytes'
  return typeof only['name'] === 'string' && plainName(only['name']) === plainName(filename)
    ? undefined
    : 'the statement is about a file of another name'
}

/** As the names of projects are compared (PyPA, Names and normalization), for the whole of a file's name. */
const plainName = (filename: string): string => filename.toLowerCase().replace(/[-_.]+/g, '-')
