/** What the installer wrote down about the packages in a node_modules: integrity and source, by location. Believed, and said so. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

export interface Recorded {
  readonly version: string | undefined
  readonly integrity: string | undefined
  readonly resolved: string | undefined
}

const files = ['node_modules/.package-lock.json', 'package-lock.json', 'npm-shrinkwrap.json']

/** Empty where npm has written nothing. */
export async function npmRecord(base: string): Promise<ReadonlyMap<string, Recorded>> {
  const known = new Map<string, Recorded>()
  for (const file of files) {
    const text = await readFile(join(base, file), 'utf8').catch(() => undefined)
    for (const [location, entry] of Object.entries(packagesIn(text))) {
      const { version, integrity, resolved } = (entry ?? {}) as Record<string, unknown>
      if (!known.has(location))
        known.set(location, { version: word(version), integrity: word(integrity), resolved: url(resolved) })
    }
  }
  return known
}

function packagesIn(text: string | undefined): Record<string, unknown> {
  try {
    return ((JSON.parse(text ?? '{}') as { packages?: Record<string, unknown> } | null)?.packages ?? {}) as Record<
      string,
      unknown
    >
  } catch {
    return {}
  }
}

const word = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined)

/** Without what a private registry may have put into it. */
function url(value: unknown): string | undefined {
  if (typeof value !== 'string' || !URL.canParse(value)) return undefined
  const { origin, protocol, pathname } = new URL(value)
  return origin === 'null' ? `${protocol}${pathname}` : origin + pathname
}
