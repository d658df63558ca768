/** How packages are enquired about from here: the registry that npm would ask, through the operator's proxy, and npm's cache. */
import { join } from 'node:path'
import type { Config } from '../config/schema.ts'
import { safeFetch } from '../lib/safe-fetch.ts'
import { enquiry } from '../trust/supply/enquiry.ts'
import { npmRegistry } from '../trust/supply/registry.ts'
import { shippedTrustRoot } from '../trust/supply/trust-root.ts'

const publicRegistry = 'https://registry.npmjs.org'
/** The whole story of a package that has had many versions. */
const bytesMax = 64 * 1024 * 1024

export interface EnquiryFrom {
  readonly offline: boolean
  readonly registry: string | undefined
  readonly proxy: Config['proxy']
  readonly variables: Readonly<Record<string, string>>
}

export function configuredEnquiry({ offline, registry, proxy, variables }: EnquiryFrom) {
  const url = registry ?? variables['npm_config_registry'] ?? publicRegistry
  const home = variables['HOME'] ?? variables['USERPROFILE']
  const npm = variables['npm_config_cache'] ?? (home === undefined ? undefined : join(home, '.npm'))
  const reach = safeFetch({ trustedOrigins: [new URL(url).origin], proxy, bytesMax, timeoutMs: 30_000 })
  return enquiry({
    registry: offline ? undefined : npmRegistry({ url, reach }),
    cache: npm === undefined ? undefined : join(npm, '_cacache'),
    trust: shippedTrustRoot,
  })
}
