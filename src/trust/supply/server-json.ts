/**
 * What the MCP registry says of a server in its server.json (MCP Registry, server.json format): name, version, packages and remotes. It
 * vouches for nothing; it is compared with what is locked, so that a server that was found there is the one that runs.
 */
import { z } from 'zod'
import type { ServerLock } from './lock.ts'
import { NotAdmitted } from './not-admitted.ts'

const word = z.string().min(1).max(500)
const serverJson = z.object({
  name: word,
  version: word,
  packages: z
    .array(
      z.object({
        registryType: word,
        identifier: word,
        version: word.optional(),
        fileSha256: z
          .string()
          .regex(/^[0-9a-f]{64}$/)
          .optional(),
      }),
    )
    .default([]),
  remotes: z.array(z.object({ url: word })).default([]),
})
export type ServerJson = z.output<typeof serverJson>

/** Throws {@link NotAdmitted}. */
export function readServerJson(text: string, file: string): ServerJson {
  const refuse = (why: string): NotAdmitted =>
    new NotAdmitted({ file, why, fix: 'take the server.json that the MCP registry has for this server' })
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw refuse('is not JSON')
  }
  // The registry answers with { server, _meta }.
  const inner = (value as { server?: unknown } | null)?.server ?? value
  const read = serverJson.safeParse(inner)
  if (read.success) return read.data
  const [issue] = read.error.issues
  throw refuse(`is not a server.json: ${(issue?.path ?? []).join('.')} ${issue?.message ?? ''}`)
}

const purlTypes: Readonly<Record<string, string>> = { npm: 'npm', pypi: 'pypi' }

/** The entry with the registry's facts. Throws {@link NotAdmitted} where they are about something else. */
export function withRegistry<Entry extends ServerLock>(entry: Entry, { name, version, packages, remotes }: ServerJson): Entry {
  const refuse = (why: string): NotAdmitted =>
    new NotAdmitted({
      package: `${name}@${version}`,
      why,
      fix: 'install what the registry names, or take the server.json of what is installed',
    })
  if (entry.kind === 'remote' && !remotes.some(({ url }) => url === entry.url)) throw refuse(`has no remote at ${entry.url}`)
  if (entry.kind === 'npm' || entry.kind === 'pypi') {
    const purls = packages.map(
      ({ registryType, identifier, version: at = version }) =>
        `pkg:${purlTypes[registryType] ?? registryType}/${identifier.split('/').map(encodeURIComponent).join('/')}@${encodeURIComponent(at)}`,
    )
    if (!purls.includes(entry.package))
      throw refuse(`names ${purls.join(', ') || 'no package'}, and ${entry.package} is installed`)
  }
  const facts = packages.map(({ registryType, identifier, version: at, fileSha256 }) => ({
    type: registryType,
    identifier,
    ...(at !== undefined && { version: at }),
    ...(fileSha256 !== undefined && { fileSha256: `sha256:${fileSha256}` }),
  }))
  return { ...entry, registry: { name, version, ...(facts.length > 0 && { packages: facts }) } }
}
