/** The admission of a configuration: which lock, whose keys, which Node. Its no becomes a refusal that callers and the record get. */
import { dirname } from 'node:path'
import { writtenFiles } from '../config/own-files.ts'
import type { Config } from '../config/schema.ts'
import { systemClock } from '../lib/clock.ts'
import type { UpstreamsOptions } from '../outbound/upstreams.ts'
import { Admission } from '../trust/supply/admission.ts'
import { NotAdmitted, refusalOf } from '../trust/supply/not-admitted.ts'
import { teamKey } from './team-keys.ts'

/** For what has machine code in it, and for interpreters. */
export const thisPlatform = `${process.platform}-${process.arch}`

export interface AdmissionTold {
  log(server: string, line: string): void
  /** Writes down what is started, and resolves when that is on disk. */
  record(action: 'server.admitted' | 'server.unlocked', server: string, detail: string): Promise<void>
}

/** Nothing where the configuration asks for no lock. Throws for a key that is none. */
export async function configuredAdmission(
  config: Config,
  { log, record }: AdmissionTold,
): Promise<Pick<UpstreamsOptions, 'admit' | 'admitRemote'>> {
  const { supply } = config
  const { lock } = supply
  if (lock === undefined) return {}
  const admission = new Admission({
    lockFile: lock,
    require: supply.require,
    keys: await Promise.all(supply.keys.map((file) => teamKey(file, 'supply.keys'))),
    store: supply.store,
    folder: dirname(lock),
    ownNode: process.execPath,
    platform: thisPlatform,
    aside: writtenFiles(config),
    clock: systemClock,
  })
  const told =
    (server: string) =>
    (error: unknown): never => {
      if (!(error instanceof NotAdmitted)) throw error
      log(server, `not admitted: ${error.message}; ${error.fix}`)
      throw refusalOf(server, error)
    }
  const allowed = (server: string): void => log(server, 'is used although it is not in the lock, as "supply.require: any" allows')
  return {
    async admit(server, { command, cwd, env }) {
      const refuse = told(server)
      const launch = await admission.admit(server, { command: command as [string, ...string[]], cwd, env }).catch(refuse)
      if (launch === undefined) allowed(server)
      await (launch ? record('server.admitted', server, launch.what) : record('server.unlocked', server, 'supply.require is any'))
      return launch && { ...launch, confirm: () => launch.confirm().catch(refuse) }
    },
    async admitRemote(server, url) {
      const admitted = await admission.admitRemote(server, url).catch(told(server))
      if (admitted === undefined) allowed(server)
      return admitted?.spki
    },
  }
}
