/** Puts Sekisho before the servers of the clients of this machine, in the clients' own configurations. */
import { carryOutWrap } from '../../trust/clients/change-file.ts'
import { FileRefused } from '../../trust/clients/config-file.ts'
import { type ClientFile, discover } from '../../trust/clients/discover.ts'
import { isPlaceholder } from '../../trust/clients/findings.ts'
import type { Called, Launcher } from '../../trust/clients/guarded.ts'
import { KeptFiles } from '../../trust/clients/kept.ts'
import { clients, type Places } from '../../trust/clients/known.ts'
import { planWrap } from '../../trust/clients/plan.ts'
import type { Seam } from '../../trust/clients/replace-file.ts'
import { inTurn } from '../../trust/clients/turn.ts'
import { dependsOnFolder, guardId, idStart } from '../local-command.ts'
import { type Changed, shownOutcome } from './changed.ts'
import { refuseMissingFolders } from './discover.ts'
import { isSecretUrl } from './masking.ts'

/** Every client and every server where nothing is named. */
export interface Asked {
  readonly clients?: readonly string[] | undefined
  readonly servers?: readonly string[] | undefined
}
export interface WrapOptions extends Asked {
  readonly places: Places
  /** Projects whose files are changed as well. */
  readonly projects: readonly string[]
  readonly launcher: Launcher
  readonly dryRun?: boolean | undefined
  readonly seam?: Seam
}

/** One answer for each file with a server that was asked for. Throws where a name is that of no client or no server. */
export async function wrap(options: WrapOptions): Promise<readonly Changed[]> {
  const { places, projects, dryRun } = options
  refuseUnknownClients(options.clients)
  refuseMissingFolders(projects)
  const work = (): readonly Changed[] => {
    const files = discover(places, projects).filter(({ client }) => options.clients?.includes(client) ?? true)
    refuseUnknownServers(files, options.servers)
    return files.flatMap((file) => wrapOne(file, options))
  }
  return dryRun ? work() : inTurn(places.home, work)
}

function wrapOne(file: ClientFile, { servers, places, launcher, dryRun, seam }: WrapOptions): Changed[] {
  const common = { client: file.client, file: file.file, problems: file.problems }
  const { source } = file
  if (source === undefined) return [{ ...common, changed: false, outcomes: [] }]
  const wrapping = { launcher, platform: places.platform, called, isSecret: isSecretUrl }
  const plan = planWrap(source.tree, file.dialect, ({ name }) => servers?.includes(name) ?? true, wrapping)
  if (plan.outcomes.length === 0 && file.problems.length === 0) return []
  const outcomes = plan.outcomes.map(shownOutcome)
  const isChanged = plan.entries.length > 0
  try {
    if (!dryRun) carryOutWrap(file, source, plan, new KeptFiles(places.home), launcher, seam)
    return [{ ...common, changed: isChanged, outcomes }]
  } catch (error) {
    if (!(error instanceof FileRefused)) throw error
    return [{ ...common, changed: false, refused: error.message, outcomes: outcomes.filter(({ kind }) => kind !== 'wrapped') }]
  }
}

/**
 * All local guards of a user remember in one place, and two clients may have a server of one name. In which folder a client starts
 * it, and what it fills in, is known when it does: then the guard itself makes the id.
 */
export function called(name: string, words: readonly string[]): Called {
  if (dependsOnFolder(words) || words.some(isPlaceholder)) return ['--name', idStart(name)]
  return ['--id', guardId(name, words, '')]
}

export function refuseUnknownClients(names: readonly string[] | undefined): void {
  const unknown = names?.find((name) => !clients.some(({ id }) => id === name))
  if (unknown === undefined) return
  throw new Error(`"${unknown}" is no client that we know; known are ${clients.map(({ id }) => id).join(', ')}`)
}

export function refuseUnknownServers(files: readonly Pick<ClientFile, 'servers'>[], names: readonly string[] | undefined): void {
  const unknown = names?.find((name) => !files.some(({ servers }) => servers.some((server) => server.name === name)))
  if (unknown === undefined) return
  throw new Error(`no client that was looked at has a server "${unknown}"; which there are says: sekisho discover`)
}
