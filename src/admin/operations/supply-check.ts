import type { Config } from '../../config/schema.ts'
import { type AdvisoryReport, ageDays, checkAdvisories } from '../../trust/supply/advisories.ts'
import { type Check, checksOf } from '../../trust/supply/inventory-checks.ts'
import { refOf } from '../../trust/supply/inventory-component.ts'
import { loadAdvisories } from '../advisory-files.ts'
import { attestationKeys, type FactsAtHand, factsOf } from '../component-facts.ts'
import { type Besides, inventoryOf } from '../inventory-of.ts'

export type { AdvisoryReport } from '../../trust/supply/advisories.ts'
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
}

/** Everything that can be found out about the components of a gateway, without changing anything. */
export async function supplyCheck({ config, now, tlsKey, ...besides }: SupplyAtHand): Promise<SupplyReport> {
  const inventory = await inventoryOf(config, besides)
  const keys = await attestationKeys(config.supply.attestationKeys)
  const components: ComponentChecked[] = []
  for (const one of inventory) {
    const { kind, name, usedBy } = one
    const facts = await factsOf(one, { keys, now, ...(tlsKey && { tlsKey }) })
    components.push({ ref: refOf(one), kind, name, usedBy, checks: checksOf(one, facts, config.supply) })
  }
  const { database, advisories } = await advisoriesOf(config, inventory, now)
  const all = [
    ...components.flatMap(({ checks }) => checks.map(({ outcome }) => outcome)),
    ...advisories.map(({ outcome }) => outcome),
  ]
  const isFailed = all.includes('failed') || all.includes('affected')
  const isUnknown = all.includes('not-checked') || 'why' in database
  return { outcome: isFailed ? 'failed' : isUnknown ? 'not-checked' : 'verified', components, advisories, database }
}

async function advisoriesOf(
  { supply: { advisories: policy } }: Config,
  inventory: Parameters<typeof checkAdvisories>[0],
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
