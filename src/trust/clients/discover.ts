/** Which MCP servers do the clients of this machine use? Reads their configurations, and nothing that these name. */
import { readdirSync, realpathSync } from 'node:fs'
import { posix, win32 } from 'node:path'
import { type ConfigFile, FileRefused, readConfigFile, readTree } from './config-file.ts'
import type { Dialect } from './dialects.ts'
import { entriesOf, type FileProblem, type FoundServer } from './entries.ts'
import { type Places, type Scope, type Spot, spots } from './known.ts'
import type { Tree } from './tree.ts'

export interface ClientFile {
  readonly client: string
  readonly scope: Scope
  readonly file: string
  readonly problems: readonly FileProblem[]
  readonly servers: readonly FoundServer[]
  readonly dialect: Dialect
  /** Undefined where it could not be read. */
  readonly source?: ConfigFile & { readonly tree: Tree }
}

/** A folder full of other things is not searched to its end. */
const matchesMax = 256

/** Every file that is there, in the order of the table of clients; names in a folder in the order of their letters. */
export function discover(places: Places, projects: readonly string[]): readonly ClientFile[] {
  const seen = new Set<string>()
  return spots(places, projects).flatMap((spot) =>
    filesOf(spot, places).flatMap((file) => {
      if (seen.has(file)) return []
      seen.add(file)
      return readSpot(spot, file)
    }),
  )
}

function readSpot({ client, scope, within, format, dialect }: Spot, file: string): ClientFile[] {
  const common = { client, scope, file, dialect }
  try {
    const source = readConfigFile(file, within)
    if (source === undefined) return []
    const tree = { ...readTree(format, source.text), ...(scope === 'project' && { cameWith: [within, realpathSync(within)] }) }
    return [{ ...common, ...entriesOf(tree, dialect), source: { ...source, tree } }]
  } catch (error) {
    if (!(error instanceof FileRefused)) throw error
    const { message, line, column } = error
    const problem = { message, ...(line !== undefined && { line }), ...(column !== undefined && { column }) }
    return [{ ...common, servers: [], problems: [problem] }]
  }
}

/** What the one `*` of a pattern stands for. */
function filesOf({ pattern }: Spot, { platform }: Places): readonly string[] {
  const { join, sep } = platform === 'win32' ? win32 : posix
  const steps = pattern.split(sep)
  const at = steps.findIndex((step) => step.includes('*'))
  if (at === -1) return [pattern]
  const [before = '', after = ''] = (steps[at] as string).split('*')
  const folder = steps.slice(0, at).join(sep)
  return namesIn(folder)
    .filter((name) => name.length >= before.length + after.length && name.startsWith(before) && name.endsWith(after))
    .slice(0, matchesMax)
    .map((name) => join(folder, name, ...steps.slice(at + 1)))
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).sort()
  } catch {
    return []
  }
}
