/** Takes Sekisho away from before the servers of clients again, in every file that {@link wrap} has changed and in all that is found. */
import { dirname } from 'node:path'
import { carryOutUnwrap, type Source, unwrappedBytes } from '../../trust/clients/change-file.ts'
import { FileRefused, readConfigFile, readTree } from '../../trust/clients/config-file.ts'
import { dialectOf } from '../../trust/clients/dialects.ts'
import { type ClientFile, discover } from '../../trust/clients/discover.ts'
import { entriesOf } from '../../trust/clients/entries.ts'
import type { Launcher } from '../../trust/clients/guarded.ts'
import { type Kept, KeptFiles, sha256 } from '../../trust/clients/kept.ts'
import type { Places } from '../../trust/clients/known.ts'
import { planUnwrap } from '../../trust/clients/plan.ts'
import type { Seam } from '../../trust/clients/replace-file.ts'
import { inTurn } from '../../trust/clients/turn.ts'
import { type Changed, shownOutcome } from './changed.ts'
import { refuseMissingFolders } from './discover.ts'
import { type Asked, refuseUnknownClients, refuseUnknownServers } from './wrap.ts'

export interface UnwrapOptions extends Asked {
  readonly places: Places
  /** Projects to look in, besides the files that we remember. */
  readonly projects: readonly string[]
  readonly launcher: Launcher
  readonly dryRun?: boolean | undefined
  readonly seam?: Seam
}

/** One answer for each file that went through Sekisho, or that we remember. Throws where a name is that of no client or no server. */
export async function unwrap(options: UnwrapOptions): Promise<readonly Changed[]> {
  const { places, projects, dryRun } = options
  refuseUnknownClients(options.clients)
  refuseMissingFolders(projects)
  const work = (): readonly Changed[] => {
    const keptFiles = new KeptFiles(places.home)
    const found = discover(places, projects)
    const reals = new Set(found.map(({ source, file }) => source?.real ?? file))
    const remembered = keptFiles.all().filter(({ real, file }) => !reals.has(real) && !reals.has(file))
    const files = [...found, ...remembered.map(fileOf)].filter(({ client }) => options.clients?.includes(client) ?? true)
    refuseUnknownServers(files, options.servers)
    return files.flatMap((file) => unwrapOne(file, keptFiles, options))
  }
  return dryRun ? work() : inTurn(places.home, work)
}

/** A file that we changed and that nobody named, such as one of a project. */
function fileOf({ client, file, real, format, dialect: name }: Kept): ClientFile {
  const dialect = dialectOf(name)
  const common = { client, scope: 'project' as const, file, servers: [] }
  try {
    const source = readConfigFile(real, dirname(real))
    if (source === undefined || dialect === undefined)
      throw new FileRefused('it is not there any more; what it was before is kept')
    const tree = readTree(format, source.text)
    return { ...common, dialect, ...entriesOf(tree, dialect), source: { ...source, tree } }
  } catch (error) {
    if (!(error instanceof FileRefused)) throw error
    return {
      ...common,
      dialect: dialect ?? (dialectOf('usual') as ClientFile['dialect']),
      problems: [{ message: error.message }],
    }
  }
}

function unwrapOne(file: ClientFile, keptFiles: KeptFiles, { servers, launcher, dryRun, seam }: UnwrapOptions): Changed[] {
  const { source } = file
  const common = { client: file.client, file: file.file, problems: file.problems }
  if (source === undefined) {
    const kept = keptFiles.all().find((one) => one.file === file.file)
    if (kept === undefined) return []
    const refused = `what it was before Sekisho is kept in ${keptFiles.backupOf(kept.real)}`
    return [{ ...common, changed: false, refused, outcomes: [] }]
  }
  const kept = keptFiles.read(source.real)
  const plan = planUnwrap(source.tree, file.dialect, ({ name }) => servers?.includes(name) ?? true, kept, launcher)
  if (plan.outcomes.length === 0 && kept === undefined) return []
  const outcomes = plan.outcomes.map(shownOutcome)
  if (dryRun) return [{ ...common, ...dry(source, plan, kept, keptFiles), outcomes }]
  try {
    const isChanged = plan.outcomes.some(({ kind }) => kind === 'unwrapped')
    const { isExact } = carryOutUnwrap(file, source, plan, keptFiles, launcher, seam)
    return [{ ...common, changed: isChanged, exact: isExact, outcomes }]
  } catch (error) {
    if (!(error instanceof FileRefused)) throw error
    return [{ ...common, changed: false, refused: error.message, outcomes: outcomes.filter(({ kind }) => kind !== 'unwrapped') }]
  }
}

function dry(source: Source, plan: Parameters<typeof unwrappedBytes>[1], kept: Kept | undefined, keptFiles: KeptFiles) {
  const bytes = unwrappedBytes(source, plan, kept, keptFiles)
  return { changed: !bytes.equals(source.bytes), exact: kept !== undefined && sha256(bytes) === kept.before }
}
