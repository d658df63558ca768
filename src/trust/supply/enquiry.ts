/**
 * All that can be found out about a package that is installed: is it what its tarball has, did the registry sign it, who built it from what?
 * What nobody could be asked is `not checked`, with the reason; what is wrong is an error, because nothing that is wrong is locked.
 */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { PackageLock } from './lock.ts'
import type { FileLine } from './manifest.ts'
import { NotAdmitted } from './not-admitted.ts'
import { npmPurl } from './npm-packages.ts'
import type { Recorded } from './npm-record.ts'
import { type Failed, type Provenance, verifyProvenance, verifyPublication } from './provenance.ts'
import { type Registry, SourceUnreachable } from './registry.ts'
import { verifyRegistrySignature } from './registry-signature.ts'
import { differenceFrom, readTarball } from './tarball.ts'
import type { TrustRoot } from './trust-root.ts'

export interface Asked {
  readonly name: string
  readonly version: string
  readonly repository: string | undefined
  readonly installScripts: boolean
  readonly recorded: Recorded | undefined
  readonly files: readonly FileLine[]
}
export interface BundleAtHand {
  readonly predicateType: string
  readonly bundle: unknown
}
export interface EnquiryOptions {
  /** Undefined: nobody is asked. */
  readonly registry: Registry | undefined
  /** Of npm, where tarballs lie by their integrity; undefined where there is none. */
  readonly cache: string | undefined
  /** Bundles at hand, by `name@version`. */
  bundles?(name: string, version: string): Promise<readonly BundleAtHand[]>
  trust(): TrustRoot
}

/** What was found, the bad included. */
export interface Findings {
  readonly integrity: string | undefined
  readonly contents: PackageLock['contents'] | Failed
  readonly signature: NonNullable<PackageLock['signature']> | Failed
  readonly provenance: NonNullable<PackageLock['provenance']> | Failed
}

export function enquiry(options: EnquiryOptions) {
  return async (asked: Asked): Promise<Findings> => {
    const { name, version, recorded } = asked
    const found = await published(options, asked)
    const told = typeof found === 'object' ? found : undefined
    const integrity = recorded?.integrity ?? told?.integrity
    if (
      told?.integrity !== undefined &&
      recorded?.integrity !== undefined &&
      !sameIntegrity(told.integrity, recorded.integrity)
    ) {
      const why = 'the registry has other bytes under this name and version than were installed'
      return {
        integrity,
        contents: { status: 'failed', why },
        signature: { status: 'failed', why },
        provenance: { status: 'failed', why },
      }
    }
    const contents = await compared(options, asked, integrity)
    const unasked = typeof found === 'string' ? found : undefined
    const sha512 = sha512In(integrity)
    const notChecked = (why: string) => ({ status: 'not checked' as const, why })
    const signature =
      unasked !== undefined
        ? notChecked(unasked)
        : told === undefined
          ? notChecked('the registry does not know this version')
          : told.integrity === undefined
            ? notChecked('the registry says nothing of its integrity')
            : verifyRegistrySignature(
                { name, version, integrity: told.integrity, signatures: told.signatures, published: told.published },
                options.trust().registryKeys,
              )
    const atHand = (await options.bundles?.(name, version)) ?? []
    if (atHand.length === 0 && unasked !== undefined) return { integrity, contents, signature, provenance: notChecked(unasked) }
    if (atHand.length === 0 && !told?.hasAttestations)
      return {
        integrity,
        contents,
        signature,
        provenance: told ? { status: 'absent' } : notChecked('the registry does not know this version'),
      }
    if (sha512 === undefined) return { integrity, contents, signature, provenance: notChecked('its SHA-512 is not known') }
    const subject = { name: npmPurl(asked), sha512, repository: asked.repository }
    try {
      const bundles = atHand.length > 0 ? atHand : ((await options.registry?.attestations(name, version)) ?? [])
      return { integrity, contents, signature, provenance: best(bundles, subject, options.trust()) }
    } catch (error) {
      if (!(error instanceof SourceUnreachable)) throw error
      return { integrity, contents, signature, provenance: notChecked(`source unreachable: ${error.message}`) }
    }
  }
}

/** What the registry says; a sentence where it could not be asked. */
async function published({ registry }: EnquiryOptions, { name, version }: Asked) {
  if (registry === undefined) return 'nobody was asked'
  try {
    return await registry.version(name, version)
  } catch (error) {
    if (error instanceof SourceUnreachable) return `source unreachable: ${error.message}`
    throw error
  }
}

/** Every statement has to be good: one that is not is a reason to look, whatever the others say. */
function best(
  bundles: readonly BundleAtHand[],
  subject: { readonly name: string; readonly sha512: string; readonly repository: string | undefined },
  trust: TrustRoot,
): Provenance | { readonly status: 'absent' } {
  let built: Provenance | undefined
  for (const { predicateType, bundle } of bundles) {
    const isBuild = predicateType.startsWith('https://slsa.dev/provenance/')
    const found = isBuild ? verifyProvenance(bundle, subject, trust) : verifyPublication(bundle, subject, trust)
    if (found.status === 'failed') return found
    if (isBuild) built = found as Provenance
  }
  return built ?? { status: 'absent' }
}

async function compared(
  { cache, registry }: EnquiryOptions,
  { name, version, installScripts, files }: Asked,
  integrity: string | undefined,
): Promise<Findings['contents']> {
  const sha512 = sha512In(integrity)
  if (sha512 === undefined) return 'not compared'
  const cached =
    cache === undefined
      ? undefined
      : await readFile(join(cache, 'content-v2', 'sha512', sha512.slice(0, 2), sha512.slice(2, 4), sha512.slice(4))).catch(
          () => undefined,
        )
  const tarball = cached ?? (await registry?.tarball(name, version).catch(() => undefined))
  if (tarball === undefined) return 'not compared'
  if (createHash('sha512').update(tarball).digest('hex') !== sha512)
    return cached ? 'not compared' : { status: 'failed', why: 'the tarball of the registry is not what its integrity says' }
  try {
    const difference = differenceFrom(readTarball(tarball, name), files)
    if (difference === undefined || (difference.why === 'added' && installScripts)) return 'as in the tarball'
    return {
      status: 'failed',
      why: `${difference.file} ${difference.why === 'gone' ? 'is missing' : `was ${difference.why}`} after it was installed`,
    }
  } catch (error) {
    if (error instanceof NotAdmitted) return { status: 'failed', why: error.message }
    throw error
  }
}

export function sha512In(integrity: string | undefined): string | undefined {
  const [, digest] = /(?:^|\s)sha512-([A-Za-z0-9+/]{86}==)/.exec(integrity ?? '') ?? []
  return digest === undefined ? undefined : Buffer.from(digest, 'base64').toString('hex')
}

/** By the strongest that both have. */
function sameIntegrity(one: string, other: string): boolean {
  const [mine, theirs] = [sha512In(one), sha512In(other)]
  return mine === undefined || theirs === undefined ? one.trim() === other.trim() : mine === theirs
}
