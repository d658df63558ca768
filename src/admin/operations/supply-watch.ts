import { readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { z } from 'zod'
import type { UnrecordedActs } from '../../audit/unrecorded-acts.ts'
import { makePrivateFolder } from '../../lib/private-files.ts'
import type { ServerSwitches } from '../../outbound/switches.ts'
import { isAtLeast } from '../../trust/supply/inventory-policy.ts'
import { writeWhole } from '../write-whole.ts'
import { serversDisable } from './servers-disable.ts'
import { type SupplyAtHand, type SupplyReport, supplyCheck } from './supply-check.ts'

export interface Alert {
  /** The same as long as it is the same matter: a component and an advisory, or a component and a check. */
  readonly key: string
  readonly severity: 'unknown' | 'low' | 'medium' | 'high' | 'critical'
  /** One sentence. */
  readonly says: string
  readonly servers: readonly string[]
}
export interface WatchRound {
  readonly report: SupplyReport
  /** What was not so the last time. */
  readonly fresh: readonly Alert[]
  /** What is so no longer: mended, or withdrawn. By key. */
  readonly gone: readonly string[]
  readonly quarantined: readonly string[]
}
export interface WatchAtHand extends SupplyAtHand {
  readonly store: ServerSwitches & Pick<UnrecordedActs, 'note'>
  /** Where it is remembered what has been said already. */
  readonly memory: string
  readonly by: string
}

/**
 * One look at everything. What is new is noted for the audit log, and where the configuration says so the servers concerned are
 * disabled. A server that an operator enables again stays enabled: the same advisory disables it once.
 */
export async function supplyWatch(hand: WatchAtHand): Promise<WatchRound> {
  const { store, by, now, memory } = hand
  const report = await supplyCheck(hand)
  const alerts = alertsOf(report)
  const known = await remembered(memory)
  const fresh = alerts.filter(({ key }) => !known.has(key))
  const isUnseen = unseen(report)
  const current = new Set([...alerts.map(({ key }) => key), ...[...known].filter(isUnseen)])
  const gone = [...known].filter((key) => !current.has(key))
  for (const { says, servers } of fresh)
    for (const server of servers.length === 0 ? [undefined] : servers)
      await store.note({ action: 'supply.alert', by, at: now, server, detail: says })
  for (const key of gone) await store.note({ action: 'supply.alert-over', by, at: now, detail: key })
  const quarantined = await quarantine(hand, fresh)
  await remember(memory, [...current].sort())
  return { report, fresh, gone, quarantined }
}

/** Whether a matter could not be looked at this time: then it is not gone. */
function unseen({ database, advisories, components }: SupplyReport): (key: string) => boolean {
  if ('why' in database) return () => true
  const refs = [
    ...advisories.filter(({ outcome }) => outcome === 'not-checked'),
    ...components.filter(({ checks }) => checks.some(({ outcome }) => outcome === 'not-checked')),
  ].map(({ ref }) => `${ref} `)
  return (key) => refs.some((ref) => key.startsWith(ref))
}

async function quarantine({ config, store, by }: WatchAtHand, fresh: readonly Alert[]): Promise<readonly string[]> {
  const least = config.supply.advisories?.quarantine ?? 'never'
  const off = new Set((await store.disabledServers()).map(({ id }) => id))
  const done: string[] = []
  for (const { severity, servers, says } of fresh)
    for (const id of servers) {
      if (!isAtLeast(severity, least) || off.has(id) || !Object.hasOwn(config.servers, id)) continue
      off.add(id)
      await serversDisable(config, store, id, by, `quarantine: ${says}`.slice(0, 500))
      done.push(id)
    }
  return done
}

function alertsOf({ advisories, components }: SupplyReport): readonly Alert[] {
  const known = advisories.flatMap(({ ref, name, version, usedBy, matches }) =>
    matches.map(({ id, severity, summary, fixedIn }): Alert => {
      const mended = fixedIn.length === 0 ? 'no version mends it' : `mended in ${fixedIn.join(', ')}`
      return {
        key: `${ref} ${id}`,
        severity,
        servers: usedBy,
        says: `${id} (${severity}) in ${name} ${version}: ${summary}; ${mended}`,
      }
    }),
  )
  const failed = components.flatMap(({ ref, kind, name, usedBy, checks }) =>
    checks
      .filter(({ outcome }) => outcome === 'failed')
      .map(
        ({ what, detail }): Alert => ({
          ...{ key: `${ref} ${what}: ${detail}`.slice(0, 500), severity: 'unknown', servers: usedBy },
          says: `${what} of ${kind} ${name}: ${detail}`.slice(0, 500),
        }),
      ),
  )
  return [...known, ...failed]
}

const memorySchema = z.strictObject({ v: z.literal(1), known: z.array(z.string()).max(100_000) })

/** A memory that is not there or cannot be read remembers nothing: then it is said again. */
async function remembered(file: string): Promise<ReadonlySet<string>> {
  try {
    return new Set(memorySchema.parse(JSON.parse(await readFile(file, 'utf8'))).known)
  } catch {
    return new Set()
  }
}

async function remember(file: string, known: readonly string[]): Promise<void> {
  makePrivateFolder(dirname(file))
  await writeWhole(file, `${JSON.stringify({ v: 1, known })}\n`, 0o600)
}
