import type { Config } from '../../config/schema.ts'
import type { SafeFetch } from '../../lib/safe-fetch.ts'
import type { Secret } from '../../lib/secret.ts'
import { version } from '../../lib/version.ts'
import { snapshotOf } from '../../trust/supply/inventory-snapshot.ts'
import { inventoryOf } from '../inventory-of.ts'

export interface SupplySubmit {
  /** `owner/name`. */
  readonly repository: string
  readonly sha: string
  readonly ref: string
  readonly correlator: string
  /** `https://api.github.com`, or that of a server of your own. */
  readonly api: string
  readonly token: Secret
}
export interface SubmitAtHand {
  readonly config: Config
  readonly lockFiles: readonly string[]
  readonly reach: SafeFetch
  /** Milliseconds since 1970. */
  readonly now: number
}
export interface Submitted {
  readonly id: number
  readonly result: string
  readonly packages: number
  readonly manifests: readonly string[]
}

/** The form and the version of the API that this file speaks. */
const spoken = ['accept: application/vnd.github+json', 'x-github-api-version: 2022-11-28'].map((line) => line.split(': '))

/** Sends the packages to the dependency graph of a repository. Rejects with what GitHub said, and what to do. */
export async function supplySubmit({ config, lockFiles, reach, now }: SubmitAtHand, asked: SupplySubmit): Promise<Submitted> {
  const { repository, api, token, sha, ref, correlator } = asked
  if (!/^[\w.-]+\/[\w.-]+$/.test(repository)) throw new TypeError(`"${repository}" is no repository; write owner/name`)
  const detector = { name: 'sekisho', version, url: 'https://www.npmjs.com/package/sekisho' }
  const inventory = await inventoryOf(config, { lockFiles })
  const snapshot = snapshotOf(inventory, { sha, ref, correlator, jobId: `${correlator}-${now}`, detector, scanned: now })
  const response = await reach(`${api.replace(/\/$/, '')}/repos/${repository}/dependency-graph/snapshots`, {
    method: 'POST',
    headers: {
      ...Object.fromEntries(spoken),
      authorization: `Bearer ${token.reveal()}`,
      'content-type': 'application/json',
      'user-agent': `sekisho/${version}`,
    },
    body: JSON.stringify(snapshot),
  })
  const said = (await response.json().catch(() => ({}))) as { id?: unknown; result?: unknown; message?: unknown }
  const message = typeof said.message === 'string' ? said.message.slice(0, 200) : ''
  if (response.status !== 201 || said.result === 'INVALID')
    throw Object.assign(new Error(`GitHub refused the snapshot (${response.status}): ${message}`), {
      fix: fixes[response.status] ?? 'try again later',
    })
  return {
    id: Number(said.id),
    result: String(said.result),
    packages: Object.values(snapshot.manifests).reduce((sum, { resolved }) => sum + Object.keys(resolved).length, 0),
    manifests: Object.keys(snapshot.manifests),
  }
}

const fixes: Readonly<Record<number, string>> = {
  401: 'check the token: it is none, or has run out',
  403: 'give the token "contents: write" for that repository, or wait where it says that the rate is exceeded',
  404: 'check the name of the repository, and that the token may see it; the dependency graph has to be switched on',
  422: 'report this: the snapshot should have been in order',
}
