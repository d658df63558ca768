/**
 * Where a package was built, from what, and by whom: Sigstore bundles with an in-toto statement in a DSSE envelope (SLSA Provenance 0.2 and
 * 1.0), verified without a network. The statement must be about these very bytes, the signer must be a known builder's, and the builder must
 * have built from the repository that the package names. Anything less is no provenance.
 */
import { bundleFromJSON } from '@sigstore/bundle'
import { toSignedEntity, VerificationError, Verifier } from '@sigstore/verify'
import type { ProvenanceFact } from './lock.ts'
import { repositoryName } from './repository-name.ts'
import type { TrustRoot } from './trust-root.ts'

export interface Subject {
  /** A Package URL, or for a file that is no package its name. */
  readonly name: string
  /** SHA-512 of the tarball, hex. */
  readonly sha512: string
  /** What package.json has under "repository"; undefined where there is none. */
  readonly repository: string | undefined
}
export type Failed = { readonly status: 'failed'; readonly why: string }
export type Provenance = Exclude<ProvenanceFact, { status: 'not checked' | 'absent' }> | Failed

/** Who issues identities to builders, and where the sources of those lie. */
const issuers: Readonly<Record<string, string>> = {
  'https://token.actions.githubusercontent.com': 'https://github.com/',
  'https://gitlab.com': 'https://gitlab.com/',
}
const statementTypes = ['https://in-toto.io/Statement/v0.1', 'https://in-toto.io/Statement/v1']
const slsa = /^https:\/\/slsa\.dev\/provenance\/v(0\.2|1)$/
const failed = (why: string): Failed => ({ status: 'failed', why: why.slice(0, 300) })

/** Never throws: what cannot be read has failed. */
export function verifyProvenance(json: unknown, subject: Subject, trust: TrustRoot): Provenance {
  const signed = signedByBuilder(json, trust)
  if ('why' in signed) return signed
  try {
    return judged(signed.statement, subject, signed)
  } catch (error) {
    return failed(reasonOf(error)) // its members are not what their names promise
  }
}

export interface SignedByBuilder {
  /** What it says has not been held against anything at this point. */
  readonly statement: Statement
  readonly issuer: string
  /** As the certificate names it. */
  readonly workflow: string
  /** Of the workflow. */
  readonly repository: string
}

/** A statement that a known builder has signed, and that is in the transparency log. Never throws. */
export function signedByBuilder(json: unknown, { material }: TrustRoot): SignedByBuilder | Failed {
  try {
    const bundle = bundleFromJSON(json)
    if (bundle.content.$case !== 'dsseEnvelope') return failed('the bundle has no statement')
    const { payload, payloadType } = bundle.content.dsseEnvelope
    if (payloadType !== 'application/vnd.in-toto+json') return failed('the envelope has no in-toto statement')
    if (bundle.verificationMaterial.content.$case === 'publicKey') return failed('it is signed by a key, not by a builder')
    const signer = new Verifier(material).verify(toSignedEntity(bundle))
    const { subjectAlternativeName: workflow = '', extensions } = signer.identity ?? {}
    const issuer = extensions?.issuer ?? ''
    const host = Object.hasOwn(issuers, issuer) ? issuers[issuer] : undefined
    if (host === undefined || !workflow.startsWith(host))
      return failed(`it was signed by ${workflow || 'nobody'}, vouched for by ${issuer}`)
    const statement: unknown = JSON.parse(Buffer.from(payload).toString('utf8'))
    if (typeof statement !== 'object' || statement === null) return failed('the envelope has no in-toto statement')
    return { statement, issuer, workflow, repository: repositoryIn(workflow, host) }
  } catch (error) {
    return failed(reasonOf(error))
  }
}

/** npm's own statement that it published these bytes under this name: signed with a key of the registry. */
export function verifyPublication(
  json: unknown,
  subject: Subject,
  { material }: TrustRoot,
): { readonly status: 'verified' } | Failed {
  try {
    const bundle = bundleFromJSON(json)
    if (bundle.content.$case !== 'dsseEnvelope') return failed('the bundle has no statement')
    if (bundle.verificationMaterial.content.$case !== 'publicKey') return failed('it is not signed by the registry')
    new Verifier(material).verify(toSignedEntity(bundle))
    const statement = JSON.parse(Buffer.from(bundle.content.dsseEnvelope.payload).toString('utf8')) as Statement
    return isAbout(statement, subject) ? { status: 'verified' } : failed('it is about other bytes, or another package')
  } catch (error) {
    return failed(reasonOf(error))
  }
}

export interface Statement {
  readonly _type?: unknown
  readonly subject?: readonly {
    readonly name?: unknown
    readonly digest?: { readonly sha512?: unknown; readonly sha256?: unknown }
  }[]
  readonly predicateType?: unknown
  readonly predicate?: Predicate
}
/** Both versions of SLSA, each member of which may be anything. */
interface Predicate {
  readonly buildDefinition?: {
    readonly externalParameters?: { readonly workflow?: { readonly repository?: unknown } }
    readonly resolvedDependencies?: readonly { readonly uri?: unknown; readonly digest?: { readonly gitCommit?: unknown } }[]
  }
  readonly runDetails?: { readonly builder?: { readonly id?: unknown } }
  readonly builder?: { readonly id?: unknown }
  readonly invocation?: { readonly configSource?: { readonly uri?: unknown; readonly digest?: { readonly sha1?: unknown } } }
}

function judged(
  statement: Statement,
  subject: Subject,
  signer: { readonly issuer: string; readonly repository: string },
): Provenance {
  if (!statementTypes.includes(String(statement._type)) || !slsa.test(String(statement.predicateType)))
    return failed('the statement is not SLSA provenance')
  if (!isAbout(statement, subject)) return failed('the statement is about other bytes, or another package')
  const { buildDefinition, runDetails, builder, invocation } = statement.predicate ?? {}
  const [source] = buildDefinition?.resolvedDependencies ?? []
  const repository = repositoryName(
    buildDefinition?.externalParameters?.workflow?.repository ?? source?.uri ?? invocation?.configSource?.uri,
  )
  if (repository === undefined || repository !== repositoryName(signer.repository))
    return failed(`the statement names ${repository ?? 'no source'}, and was signed by a build of ${signer.repository}`)
  const named = repositoryName(subject.repository)
  if (named !== undefined && named !== repository) return failed(`it was built from ${repository}, and the package says ${named}`)
  const commit = source?.digest?.gitCommit ?? invocation?.configSource?.digest?.sha1
  return {
    status: 'verified',
    repository,
    ...(typeof commit === 'string' && /^[0-9a-f]{40,64}$/.test(commit) && { commit }),
    builder: String(runDetails?.builder?.id ?? builder?.id ?? 'unknown').slice(0, 200),
    issuer: signer.issuer,
  }
}

/** One subject, its name and its digest. */
function isAbout({ subject = [] }: Statement, { name, sha512 }: Subject): boolean {
  const [only, ...more] = Array.isArray(subject) ? subject : []
  return only !== undefined && more.length === 0 && only.name === name && only.digest?.sha512 === sha512
}

/** `https://github.com/owner/name/.github/workflows/x.yml@ref`, `https://gitlab.com/group/name//.gitlab-ci.yml@ref`. */
function repositoryIn(workflow: string, host: string): string {
  const path = workflow.slice(host.length).split('@', 1)[0] as string
  const at = path.includes('//') ? path.indexOf('//') : path.split('/', 2).join('/').length
  return host + path.slice(0, at)
}

const words: Readonly<Record<string, string>> = {
  TIMESTAMP_ERROR: 'a timestamp is missing or wrong',
  CERTIFICATE_ERROR: 'the certificate leads to no trusted root',
  PUBLIC_KEY_ERROR: 'the key is not known, or was not valid then',
  SIGNATURE_ERROR: 'the signature is wrong',
  TLOG_ERROR: 'it is not in the transparency log',
  TLOG_INCLUSION_PROOF_ERROR: 'the proof that it is in the transparency log is wrong',
  TLOG_INCLUSION_PROMISE_ERROR: 'the promise to put it in the transparency log is wrong',
  TLOG_MISSING_INCLUSION_ERROR: 'nothing proves that it is in the transparency log',
  TLOG_BODY_ERROR: 'the transparency log has something else in its place',
}

const reasonOf = (error: unknown): string =>
  error instanceof VerificationError ? (words[error.code] ?? error.message) : 'it cannot be read'
