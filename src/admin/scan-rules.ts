/** Against what the supply chain of scanned servers is held: the part `supply` of a configuration, and a copy of the advisories. */
import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { loadConfig } from '../config/load.ts'
import { policyWith } from '../trust/supply/inventory-policy.ts'
import type { LocalTarget, SupplyRules } from './operations/scan-supply.ts'
import { everyday, isGateway, type Target } from './scan-targets.ts'

const usual = './sekisho.yaml'

export interface RulesWanted {
  /** A configuration; undefined: the usual one, where it is there. */
  readonly config: string | undefined
  /** A copy of the advisories, in place of the one that the configuration names. */
  readonly advisories: string | undefined
  /** Milliseconds since 1970. */
  readonly now: number
}
export interface RulesFound extends SupplyRules {
  /** Absolute; undefined where there is none. */
  readonly configFile: string | undefined
}

/** Throws where a configuration is there and cannot be used: a policy that was meant must not be left out in silence. */
export async function rulesFor({ config, advisories, now }: RulesWanted): Promise<RulesFound> {
  const file = config ?? (existsSync(usual) && isGateway(usual, readFileSync(usual, 'utf8')) ? usual : undefined)
  const own = policyWith(advisories && resolve(advisories))
  if (file === undefined) return { policy: own, lockFile: undefined, declared: [], configFile: undefined, now }
  const { supply, components } = await loadConfig(file, undefined, { secrets: 'leave' })
  const policy = { ...supply, advisories: mergedCopy(supply.advisories, own.advisories) }
  return { policy, lockFile: supply.lock, declared: components, configFile: resolve(file), now }
}

const mergedCopy = (
  configured: SupplyRules['policy']['advisories'],
  named: SupplyRules['policy']['advisories'],
): SupplyRules['policy']['advisories'] => (named === undefined ? configured : { ...named, ...configured, path: named.path })

/** The servers among `targets` that are started, with all that they would be started with. */
export const localTargets = (targets: readonly Target[], { configFile }: RulesFound): readonly LocalTarget[] =>
  targets.flatMap(({ name, visit, origin }) =>
    visit === undefined || 'url' in visit
      ? []
      : {
          ...{ name, command: visit.command, cwd: visit.cwd ?? resolve('.') },
          env: { ...everyday(), ...visit.env },
          isConfigured: configFile !== undefined && origin?.file === configFile,
        },
  )
