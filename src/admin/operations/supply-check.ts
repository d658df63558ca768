import { readFile, stat } from 'node:fs/promises'
import type { Config } from '../../config/schema.ts'
import { type AdvisoryReport, ageDays, checkAdvisories } from '../../trust/supply/advisories.ts'
import { type Alert, readAlerts } from '../../trust/supply/alerts.ts'
import { type Check, checksOf } from '../../trust/supply/inventory-checks.ts'
import { type Component, refOf } from '../../trust/supply/inventory-component.ts'
import type { SupplyPolicy } from '../../trust/supply/inventory-policy.ts'
import { loadAdvisories } from '../advisory-files.ts'
import { type FactsAtHand, factsOf } from '../component-facts.ts'
import { type Besides, inventoryOf } from '../inventory-of.ts'
import { teamKey } from '../team-keys.ts'

export type { AdvisoryReport } from '../../trust/supply/advisories.ts'
export type { Alert } from '../../trust/supply/alerts.ts'
export type { Check } from '../../trust/supply/inventory-checks.ts'

export interface ComponentChecked {
  readonly ref: string
  readonly kind: string
  readonly name: string
  readonly usedBy: readonly string[]
  readonly checks: readonly Check[]
}
export interface SupplyReport {
  /** `failed` where anything failed or is affected, else `not-checked` where anything could not be looked at. */
  readonly outcome: 'failed' | 'not-checked' | 'verified'
  readonly components: readonly ComponentChecked[]
  readonly advisories: readonly AdvisoryReport[]
  /** Of the files that were named; those that nobody has closed make it fail. */
  readonly alerts: readonly Alert[]
  /** Of the copy of the advisories; or why there is none. */
  readonly database:
    | { readonly records: number; readonly ageDays: number | undefined; readonly unreadable: number }
    | { readonly why: string }
}

export interface SupplyAtHand {
  readonly config: Config
  readonly lockFiles: readonly string[]
  readonly clients?: Besides['clients']
  readonly traffic?: boolean | undefined
  /** Milliseconds since 1970. */
  readonly now: number
  readonly tlsKey?: FactsAtHand['tlsKey']
  /** Files of what GitHub lists of its alerts. */
  readonly alertFiles?: readonly string[]
}

/** Everything that can be found out about the components of a gateway, without changing anything. */
export async function supplyCheck({ config, now, tlsKey, alertFiles, ...besides }: SupplyAtHand): Promise<SupplyReport> {
  const inventory = await inventoryOf(config, besides)
  return checkInventory(inventory, { policy: config.supply, now, alertFiles, ...(tlsKey && { tlsKey }) })
}

export interface InventoryChecks extends Pick<SupplyAtHand, 'now' | 'tlsKey'> {
  readonly policy: SupplyPolicy
  readonly alertFiles?: readonly string[] | undefined
}

/** Every component held against the policy, and against the copy of the advisories that it names. */
export async function checkInventory(
  inventory: readonly Component[],
  { policy, now, tlsKey, alertFiles = [] }: InventoryChecks,
): Promise<SupplyReport> {
  const keys = await Promise.all(policy.attestationKeys.map((file) => teamKey(file, 'supply.attestationKeys')))
  const components: ComponentChecked[] = []
  for (const one of inventory) {
    const { kind, name, usedBy } = one
    const facts = await factsOf(one, { keys, now, ...(tlsKey && { tlsKey }) })
    components.push({ ref: refOf(one), kind, name, usedBy, checks: checksOf(one, facts, policy) })
  }
  const { database, advisories } = await advisoriesOf(policy, inventory, now)
  const alerts = await alertsIn(alertFiles, inventory)
  const all = [
    ...components.flatMap(({ checks }) => checks.map(({ outcome }) => outcome)),
    ...advisories.map(({ outcome }) => outcome),
  ]
  const isFailed = all.includes('failed') || all.includes('affected') || alerts.some(({ isOpen }) => isOpen)
  const isUnknown = all.includes('not-checked') || 'why' in database
  return { outcome: isFailed ? 'failed' : isUnknown ? 'not-checked' : 'verified', components, advisories, alerts, database }
}

const alertBytesMax = 134_217_728

async function alertsIn(files: readonly string[], inventory: readonly Component[]): Promise<readonly Alert[]> {
  const alerts: Alert[] = []
  for (const file of files) {
    const why = (error: unknown) => (error as NodeJS.ErrnoException).code ?? (error as Error).message
    try {
      if ((await stat(file)).size > alertBytesMax) throw new Error(`it has more than ${alertBytesMax} bytes`)
      alerts.push(...readAlerts(await readFile(file, 'utf8'), inventory))
    } catch (error) {
      throw Object.assign(new Error(`${file} cannot be read as alerts: ${why(error)}`), {
        fix: 'write what the API lists: gh api --paginate --slurp repos/OWNER/NAME/dependabot/alerts',
      })
    }
  }
  return alerts
}

async function advisoriesOf(
  { advisories: policy }: SupplyPolicy,
  inventory: readonly Component[],
  now: number,
): Promise<Pick<SupplyReport, 'database' | 'advisories'>> {
  if (policy === undefined) return { advisories: [], database: { why: 'supply.advisories names no copy of the advisories' } }
  try {
    const { database, unreadable } = await loadAdvisories(policy.path)
    return {
      advisories: checkAdvisories(inventory, database, { now, ageDaysMax: policy.ageDaysMax }),
      database: { records: database.size, ageDays: ageDays(database, now), unreadable },
    }
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code ?? (error as Error).message
    return { advisories: [], database: { why: `${policy.path} cannot be read (${why})` } }
  }
}
