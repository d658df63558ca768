/**
 * The first start of a server, where nothing depends on it: it says what it offers, nothing of it is called, and what it reaches
 * for is noted. Its definitions are those that the guard itself has seen, byte for byte.
 */

import { readEnvironment } from '../../config/environment.ts'
import { parseConfig } from '../../config/load.ts'
import { lookConfig, lookStore } from '../../config/look.ts'
import type { Config } from '../../config/schema.ts'
import { type JsonObject, parseStrict } from '../../lib/strict-json.ts'
import { openStore } from '../../storage/embedded.ts'
import type { Definition } from '../../trust/definition.ts'
import type { Pin } from '../../trust/pin.ts'
import type { Entry } from './candidate.ts'
import { type Step, stepOf } from './step.ts'

/** What was seen of it from outside. */
export interface Sighted {
  readonly problem?: string | undefined
  /** `api.example.com:443`: refused, as nobody has allowed it. */
  readonly reached: readonly string[]
}
/** Opens a gateway with this configuration, reads all lists of the server, and closes it. */
export type Try = (config: Config, id: string) => Promise<Sighted>

export interface Tried extends Sighted {
  readonly pins: readonly Pin[]
  readonly definitions: readonly Definition[]
}

/** What a server in a sandbox without network would reach for goes to a proxy that lets nothing through, and is so heard of. */
const nowhere = ['nowhere.invalid:443']

export interface TrialOf {
  readonly id: string
  readonly entry: Entry
  /** Of the record, which is thrown away with it. */
  readonly folder: string
  /** Of the configuration. */
  readonly base: string
  /** Starts it from the copy that the lock names; undefined: as it is installed. */
  readonly lock: { readonly file: string; readonly store: string } | undefined
  readonly proxy: Config['proxy']
}

export async function trial({ id, entry, folder, base, lock, proxy }: TrialOf, attempt: Try): Promise<Tried> {
  const look = lookConfig(folder, base, {})
  const { servers } = parseConfig(JSON.stringify({ servers: { [id]: listening(entry) } }), base, readEnvironment())
  const supply =
    lock === undefined ? look.supply : { ...look.supply, lock: lock.file, store: lock.store, require: 'locked' as const }
  const sighted = await attempt({ ...look, servers, supply, proxy }, id)
  const store = await openStore(lookStore(folder))
  try {
    const pins = (await store.keptPins()).pins.map(({ seal: _, ...pin }): Pin => pin)
    const definitions = pins.map(({ kind, name, text }) => ({ kind, name, body: parseStrict(text) as JsonObject }))
    return { ...sighted, pins, definitions }
  } finally {
    await store.close()
  }
}

function listening(entry: Entry): Entry {
  const sandbox = entry['sandbox'] as { network?: unknown } | undefined
  return sandbox?.network === 'none' ? { ...entry, sandbox: { ...sandbox, network: { hosts: nowhere } } } : entry
}

const again = 'correct the cause, and add it again'
const granted =
  'correct the cause, and add it again; in its sandbox it has what you grant it, with --read, --write, --env and --allow-host'

export function trialStep({ problem, reached, definitions }: Tried, entry: Entry): Step {
  if (problem !== undefined) return stepOf('trial', [['refused', problem]], entry['sandbox'] === undefined ? again : granted)
  const counts = Map.groupBy(definitions, ({ kind }) => kind)
  const said = (['tool', 'prompt', 'resource', 'template'] as const).flatMap((kind) => {
    const count = counts.get(kind)?.length ?? 0
    return count === 0 ? [] : [`${count} ${kind}${count === 1 ? '' : 's'}`]
  })
  const how =
    entry['url'] !== undefined
      ? 'answered'
      : entry['sandbox'] !== undefined
        ? 'started in its sandbox'
        : 'started with all that you may do'
  const offers = `${how}; it offers ${said.length === 0 ? 'nothing' : said.join(', ')}`
  return stepOf('trial', [
    [entry['url'] === undefined && entry['sandbox'] === undefined ? 'warned' : 'passed', offers],
    ...reached.map(
      (host) => ['warned', `it reached for ${host}, and did not get there; to allow it: --allow-host ${host}`] as const,
    ),
  ])
}
