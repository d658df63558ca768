/**
 * GitHub's dependency submission (REST API 2022-11-28), as strict as the documentation says it is: who may, what a snapshot has to
 * have, and that the latest one for each correlator and detector counts.
 */
import { Ajv } from 'ajv'
import { PackageURL } from 'packageurl-js'
import { type Got, json, type Listener, listen, type Reply } from './listener.ts'

export interface GithubRepository {
  /** `owner/name`. */
  readonly name: string
  readonly token: string
  /** What the token may: `contents: write` is needed. */
  readonly permission?: 'read' | 'write'
}
interface Submitted {
  readonly job: { readonly correlator: string }
  readonly detector: { readonly name: string }
  readonly manifests: Readonly<Record<string, { readonly resolved: Readonly<Record<string, { readonly package_url: string }>> }>>
}
export interface Github extends Listener<'snapshots'> {
  /** The snapshots that count, by `correlator detector`. */
  readonly snapshots: ReadonlyMap<string, Submitted>
}

const text = { type: 'string', minLength: 1 }
const metadata = { type: 'object', maxProperties: 8, additionalProperties: { type: ['string', 'number', 'boolean', 'null'] } }
const resolved = {
  type: 'object',
  additionalProperties: false,
  properties: {
    package_url: { type: 'string', pattern: '^pkg:' },
    metadata,
    relationship: { enum: ['direct', 'indirect'] },
    scope: { enum: ['runtime', 'development'] },
    dependencies: { type: 'array', items: text },
  },
}
const manifest = {
  type: 'object',
  required: ['name'],
  additionalProperties: false,
  properties: {
    name: text,
    file: { type: 'object', properties: { source_location: text }, additionalProperties: false },
    metadata,
    resolved: { type: 'object', additionalProperties: resolved },
  },
}
const valid = new Ajv({ allErrors: true, allowUnionTypes: true }).compile({
  type: 'object',
  required: ['version', 'sha', 'ref', 'job', 'detector', 'scanned'],
  additionalProperties: false,
  properties: {
    version: { const: 0 },
    sha: { type: 'string', pattern: '^[0-9a-f]{40}$' },
    ref: { type: 'string', pattern: '^refs/' },
    job: {
      type: 'object',
      required: ['id', 'correlator'],
      properties: { id: text, correlator: text, html_url: text },
      additionalProperties: false,
    },
    detector: {
      type: 'object',
      required: ['name', 'version', 'url'],
      properties: { name: text, version: text, url: text },
      additionalProperties: false,
    },
    scanned: { type: 'string', pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d+)?Z$' },
    metadata,
    manifests: { type: 'object', additionalProperties: manifest },
  },
})

export async function startGithub(repositories: readonly GithubRepository[]): Promise<Github> {
  const snapshots = new Map<string, Submitted>()
  let count = 0

  function answer(got: Got): Reply {
    const [, name] = /^\/repos\/([^/]+\/[^/]+)\/dependency-graph\/snapshots$/.exec(got.path) ?? []
    const token = /^Bearer (.+)$/.exec(got.headers['authorization'] ?? '')?.[1]
    if (token === undefined || !repositories.some((one) => one.token === token)) return json({ message: 'Bad credentials' }, 401)
    const repository = repositories.find((one) => one.name === name && one.token === token)
    if (repository === undefined) return json({ message: 'Not Found' }, 404)
    if (repository.permission === 'read') return json({ message: 'Resource not accessible by integration' }, 403)
    if (got.headers['x-github-api-version'] !== '2022-11-28') return json({ message: 'Unsupported API version' }, 400)
    if (!(got.headers['user-agent'] ?? '')) return json({ message: 'Request forbidden by administrative rules' }, 403)
    const snapshot = parsed(got.body)
    if (snapshot === undefined) return json({ message: 'Problems parsing JSON' }, 400)
    if (!valid(snapshot)) return json({ message: 'Invalid request', errors: valid.errors }, 422)
    const submitted = snapshot as unknown as Submitted
    const wrong = Object.values(submitted.manifests).flatMap((one) =>
      Object.values(one.resolved).filter((entry) => !isCanonical(entry.package_url)),
    )
    if (wrong.length > 0) return json({ message: `Invalid package URL: ${wrong[0]?.package_url}` }, 422)
    snapshots.set(`${submitted.job.correlator} ${submitted.detector.name}`, submitted)
    const created = {
      id: ++count,
      created_at: '2026-11-20T10:00:00Z',
      result: 'SUCCESS',
      message: 'Dependency results for the repo have been successfully updated.',
    }
    return json(created, 201)
  }

  const door = await listen<'snapshots'>({
    route: (got) => (got.method === 'POST' && got.path.endsWith('/snapshots') ? { endpoint: 'snapshots', answer } : undefined),
    faulty: (status) => JSON.stringify({ message: status === 429 ? 'You have exceeded a secondary rate limit' : 'Server Error' }),
  })
  return { ...door, snapshots }
}

function parsed(body: string): object | undefined {
  try {
    return JSON.parse(body) as object
  } catch {
    return undefined
  }
}

const isCanonical = (purl: string): boolean => {
  try {
    return PackageURL.fromString(purl).toString() === purl
  } catch {
    return false
  }
}
