/** How packages are enquired about from here: the registry that npm would ask, through the operator's proxy, and npm's cache. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Config } from '../config/schema.ts'
import { isLoopback } from '../lib/loopback.ts'
import { safeFetch } from '../lib/safe-fetch.ts'
import { type BundleAtHand, enquiry } from '../trust/supply/enquiry.ts'
import { npmRegistry, type Registry } from '../trust/supply/registry.ts'
import { shippedTrustRoot } from '../trust/supply/trust-root.ts'

const publicRegistry = 'https://registry.npmjs.org'
/** The whole story of a package that has had many versions; and tarballs. */
const bytesMax = 64 * 1024 * 1024

export interface EnquiryFrom {
  readonly offline: boolean
  readonly registry: string | undefined
  readonly proxy: Config['proxy']
  readonly variables: Readonly<Record<string, string>>
  /** A file: a Sigstore bundle, or an answer of a registry about attestations. */
  readonly bundle?: string | undefined
}

export function configuredEnquiry({ offline, registry: named, proxy, variables, bundle }: EnquiryFrom): {
  readonly enquire: ReturnType<typeof enquiry>
  readonly registry: Registry | undefined
} {
  const home = variables['HOME'] ?? variables['USERPROFILE']
  const npm = variables['npm_config_cache'] ?? (home === undefined ? undefined : join(home, '.npm'))
  const registry = offline ? undefined : registryAt(named, variables, proxy)
  const enquire = enquiry({
    registry,
    cache: npm === undefined ? undefined : join(npm, '_cacache'),
    ...(bundle !== undefined && { bundles: () => bundlesIn(bundle) }),
    trust: shippedTrustRoot,
  })
  return { enquire, registry }
}

/** What the variable says is in no message: there may be a password in it. As npm does, an empty one counts as none. */
function registryAt(named: string | undefined, variables: EnquiryFrom['variables'], proxy: Config['proxy']): Registry {
  const url = named ?? (variables['npm_config_registry'] || publicRegistry)
  const { origin, protocol, hostname } = URL.canParse(url) ? new URL(url) : { origin: '', protocol: '', hostname: '' }
  if (protocol !== 'https:' && !(protocol === 'http:' && isLoopback(hostname)))
    throw Object.assign(
      new Error(
        `${named === undefined ? 'the environment variable npm_config_registry' : '--registry'} has to be an https URL (http only on this machine)`,
      ),
      { fix: `set it to the registry to ask, such as ${publicRegistry}, or ask none with --offline` },
    )
  return npmRegistry({ url, reach: safeFetch({ trustedOrigins: [origin], proxy, bytesMax, timeoutMs: 30_000 }) })
}

async function bundlesIn(file: string): Promise<readonly BundleAtHand[]> {
  const text = await readFile(file, 'utf8')
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new Error(`${file} is not JSON; it has to be a Sigstore bundle, or what a registry says of attestations`)
  }
  const { attestations } = (value ?? {}) as { attestations?: unknown }
  return Array.isArray(attestations)
    ? (attestations as BundleAtHand[])
    : [{ predicateType: 'https://slsa.dev/provenance/v1', bundle: value }]
}
