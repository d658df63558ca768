/** What a registry of npm says of one version of a package. Everything in it is a stranger's word until it has been verified. */

import { FetchRefused } from '../../lib/fetch-refused.ts'
import type { SafeFetch } from '../../lib/safe-fetch.ts'

export interface Published {
  readonly integrity: string | undefined
  readonly tarball: string | undefined
  readonly signatures: unknown
  readonly hasAttestations: boolean
  readonly published: number | undefined
}

export interface Registry {
  /** Undefined: it does not know this version. Throws {@link SourceUnreachable}. */
  version(name: string, version: string): Promise<Published | undefined>
  /** Bundles, by predicate type. Throws {@link SourceUnreachable}. */
  attestations(name: string, version: string): Promise<readonly { readonly predicateType: string; readonly bundle: unknown }[]>
  tarball(name: string, version: string): Promise<Buffer | undefined>
}

export class SourceUnreachable extends Error {
  override readonly name = 'SourceUnreachable'
}

export interface RegistryOptions {
  /** `https://registry.npmjs.org` */
  readonly url: string
  readonly reach: SafeFetch
}

export function npmRegistry({ url, reach }: RegistryOptions): Registry {
  const base = url.replace(/\/+$/, '')
  /** As npm writes it. */
  const slug = (name: string): string => encodeURIComponent(name).replace('%40', '@').replace('%2F', '%2f')
  /** One that cannot be reached is not asked about the other hundred packages. */
  let unreachable: SourceUnreachable | undefined
  async function read(path: string): Promise<Response | undefined> {
    if (unreachable) throw unreachable
    let response: Response
    try {
      response = await reach(`${base}/${path}`)
    } catch (error) {
      const why = error instanceof FetchRefused ? ` (${error.message})` : ''
      const told = new SourceUnreachable(`${new URL(base).host} cannot be reached${why}`)
      if (!(error instanceof FetchRefused && error.code === 'size')) unreachable = told
      throw told
    }
    if (response.status === 404 || response.status === 410) return undefined
    if (!response.ok) throw new SourceUnreachable(`${new URL(base).host} answered with ${response.status}`)
    return response
  }
  async function json(path: string): Promise<Record<string, unknown> | undefined> {
    const response = await read(path)
    try {
      return response && ((await response.json()) as Record<string, unknown>)
    } catch {
      throw new SourceUnreachable(`${new URL(base).host} answered with what is not JSON`)
    }
  }
  async function version(name: string, wanted: string): Promise<Published | undefined> {
    const manifest = await json(`${slug(name)}/${encodeURIComponent(wanted)}`)
    const dist = (manifest?.['dist'] ?? undefined) as Record<string, unknown> | undefined
    if (dist === undefined) return undefined
    const isSigned = Array.isArray(dist['signatures']) && dist['signatures'].length > 0
    const whole = isSigned ? await json(slug(name)).catch(() => undefined) : undefined
    const time = (whole?.['time'] ?? undefined) as Record<string, unknown> | undefined
    const published = Date.parse(String(time?.[wanted]))
    return {
      integrity: typeof dist['integrity'] === 'string' ? dist['integrity'] : undefined,
      tarball: typeof dist['tarball'] === 'string' ? dist['tarball'] : undefined,
      signatures: dist['signatures'],
      hasAttestations: typeof dist['attestations'] === 'object' && dist['attestations'] !== null,
      published: Number.isNaN(published) ? undefined : published,
    }
  }
  return {
    version,
    async attestations(name, wanted) {
      const found = await json(`-/npm/v1/attestations/${slug(name)}@${encodeURIComponent(wanted)}`)
      const list = found?.['attestations']
      return Array.isArray(list)
        ? list.map((one: { predicateType?: unknown; bundle?: unknown }) => ({
            predicateType: String(one?.predicateType),
            bundle: one?.bundle,
          }))
        : []
    },
    async tarball(name, wanted) {
      // Always from this registry, whatever host the answer names: that is where the operator sent us.
      const file = `${name.replace(/^@[^/]*\//, '')}-${wanted}.tgz`
      const response = await read(`${slug(name).replace('%2f', '/')}/-/${encodeURIComponent(file)}`)
      return response && Buffer.from(await response.arrayBuffer())
    },
  }
}
