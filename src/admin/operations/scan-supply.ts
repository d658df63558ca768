/**
 * The supply chain of servers that are scanned: what stands behind their commands, held against a policy, a copy of the advisories
 * and a lock, as far as there are any. Offline; what could not be looked at is said with the reason.
 */
import { readFile, stat } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import type { Config } from '../../config/schema.ts'
import type { AdvisoryReport } from '../../trust/supply/advisories.ts'
import { type Behind, behind } from '../../trust/supply/behind.ts'
import * as say from '../../trust/supply/entry-findings.ts'
import { takeInventory } from '../../trust/supply/inventory.ts'
import { type Component, refOf } from '../../trust/supply/inventory-component.ts'
import type { SupplyPolicy } from '../../trust/supply/inventory-policy.ts'
import type { Lock } from '../../trust/supply/lock.ts'
import { readLock } from '../../trust/supply/lock-text.ts'
import { checkModel } from '../../trust/supply/models.ts'
import { NotAdmitted } from '../../trust/supply/not-admitted.ts'
import { withFile } from '../component-facts.ts'
import { shownWords } from './masking.ts'
import type { EntryFinding, Part, Unchecked } from './scan.ts'
import { type ComponentChecked, checkInventory, type SupplyReport } from './supply-check.ts'

/** A local server. `env`: all that it would be started with. */
export interface LocalTarget {
  readonly name: string
  readonly command: readonly string[]
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  /** Whether the configuration whose lock and components count has it. */
  readonly isConfigured: boolean
}
export interface SupplyRules {
  readonly policy: SupplyPolicy
  /** Of the configuration. */
  readonly lockFile: string | undefined
  readonly declared: Config['components']
  /** Milliseconds since 1970. */
  readonly now: number
}
export interface TargetSupply {
  readonly findings: readonly EntryFinding[]
  readonly unchecked: readonly Unchecked[]
  readonly part: Part | undefined
}
export interface ScannedSupply {
  readonly targets: ReadonlyMap<string, TargetSupply>
  readonly database: SupplyReport['database']
}

export async function scanSupply(targets: readonly LocalTarget[], rules: SupplyRules): Promise<ScannedSupply> {
  const { policy, now, declared } = rules
  const known = await Promise.all(targets.map(async (target) => [target, await behindTarget(target)] as const))
  const isConfigured = new Set(targets.filter((one) => one.isConfigured).map(({ name }) => name))
  const inventory = takeInventory({
    // Of what is not installed, the words of the command are all there is.
    servers: Object.fromEntries(
      known
        .filter(([, { packages }]) => packages.length === 0)
        .map(([{ name, command }]) => [name, { kind: 'stdio', command: shownWords(command) }]),
    ),
    packages: known.flatMap(([{ name }, { packages }]) => packages.map((one) => ({ ...one, usedBy: [name] }))),
    declared: declared.filter(({ usedBy }) => usedBy.some((id) => isConfigured.has(id))),
  })
  const tlsKey = (): Promise<string> => Promise.reject(new Error('a scan asks nobody'))
  const report = await checkInventory(inventory, { policy, now, tlsKey })
  const lock = await lockIn(rules.lockFile)
  const found = await Promise.all(
    known.map(
      async ([target, one]) => [target.name, await supplyOf(target, one, { ...rules, report, inventory, lock })] as const,
    ),
  )
  return { targets: new Map(found), database: report.database }
}

/** What the lock says, or why that cannot be known. */
type Locks = Pick<Lock, 'servers'> | { readonly why: string }

async function lockIn(file: string | undefined): Promise<Locks> {
  if (file === undefined) return { why: 'the configuration names no lock (supply.lock)' }
  try {
    return readLock(await readFile(file, 'utf8'), file)
  } catch (error) {
    const why = error instanceof NotAdmitted ? error.message : `${file} cannot be read (${(error as NodeJS.ErrnoException).code})`
    return { why }
  }
}

/** What a word hides is never needed to find a package, and never repeated in the reason why there is none. */
const behindTarget = ({ command, cwd, env }: LocalTarget): Promise<Behind> =>
  behind({ command: shownWords(command) as readonly [string, ...string[]], cwd, env })

interface Known extends SupplyRules {
  readonly report: SupplyReport
  readonly inventory: readonly Component[]
  readonly lock: Locks
}

async function supplyOf(target: LocalTarget, { named, root, packages, unknown }: Behind, known: Known): Promise<TargetSupply> {
  const { report, inventory, declared } = known
  const uses = ({ usedBy }: { readonly usedBy: readonly string[] }): boolean => usedBy.includes(target.name)
  const components = report.components.filter(uses)
  const isNamed = ({ ref, kind }: ComponentChecked): boolean =>
    kind !== 'package' || packages.length === 0 || (root !== undefined && ref === refOf(root))
  const own = target.isConfigured ? declared.filter(uses) : []
  const models = await modelsOf([...wordsWithFiles(target), ...own.flatMap(({ file }) => file ?? [])], target.cwd)
  const [locked, unlocked] = lockOf(target, known)
  const installed = unknown === undefined ? [] : [{ what: 'its packages', why: unknown }]
  const versions = new Map(inventory.map((one) => [refOf(one), one]))
  const noPolicy = licencesUnknown(known.policy)
  const unreadable = components.filter(({ checks }) =>
    checks.some(({ what, outcome }) => what === 'licence' && outcome === 'absent'),
  )
  return {
    findings: [
      ...(named === undefined || locked.isLocked ? [] : say.commandFindings(named)),
      ...components.flatMap((one) => say.policyFindings(versions.get(one.ref) ?? one, one.checks, isNamed(one))),
      ...(noPolicy.length > 0 ? [] : say.unlicensed(unreadable.flatMap(({ ref }) => versions.get(ref) ?? []))),
      ...say.scriptFindings(packages),
      ...report.advisories.filter(uses).flatMap(say.advisoryFindings),
      ...locked.findings,
      ...models.findings,
    ],
    unchecked: [
      ...installed,
      ...vulnerabilitiesUnknown(report, report.advisories.filter(uses)),
      ...noPolicy,
      ...unlocked,
      ...models.unchecked,
      ...own.flatMap((one) => declaredUnknown(one.name, components)),
    ],
    part: root && {
      ...{ name: root.name, version: root.version, packages: packages.length },
      ...(root.licence !== undefined && { licence: root.licence }),
    },
  }
}

function vulnerabilitiesUnknown({ database }: SupplyReport, advisories: readonly AdvisoryReport[]): readonly Unchecked[] {
  const what = 'known vulnerabilities'
  if ('why' in database) return [{ what, why: `${database.why}; name one with --advisories` }]
  const open = Map.groupBy(
    advisories.filter(({ outcome }) => outcome === 'not-checked'),
    ({ why = '' }) => why,
  )
  const count = (some: readonly AdvisoryReport[]): string => (some.length === 1 ? '1 package' : `${some.length} packages`)
  return [...open].map(([why, some]) => ({ what, why: `of ${count(some)}: ${why}` }))
}

function licencesUnknown({ licences: { allow, deny, unknown } }: SupplyPolicy): readonly Unchecked[] {
  const isPolicy = allow.length > 0 || deny.length > 0 || unknown === 'refuse'
  return isPolicy ? [] : [{ what: 'licences', why: 'no policy says which are allowed (supply.licences)' }]
}

function lockOf(
  { name, isConfigured }: LocalTarget,
  { lock }: Known,
): readonly [{ readonly isLocked: boolean; readonly findings: readonly EntryFinding[] }, readonly Unchecked[]] {
  const unlocked = (why: string) => [{ isLocked: false, findings: [] }, [{ what: 'lock and provenance', why }]] as const
  if (!isConfigured) return unlocked('only servers of a gateway are locked; see: sekisho supply verify')
  if ('why' in lock) return unlocked(lock.why)
  const server = Object.hasOwn(lock.servers, name) ? lock.servers[name] : undefined
  const [findings, open] = say.lockFindings(name, server)
  return [{ isLocked: server !== undefined, findings }, open === undefined ? [] : [{ what: 'provenance', why: open }]]
}

const declaredUnknown = (name: string, components: readonly ComponentChecked[]): readonly Unchecked[] =>
  components
    .filter((one) => one.name === name)
    .flatMap(({ checks }) => checks.filter(({ outcome, what }) => outcome === 'not-checked' && what !== 'licence'))
    .map(({ what, detail }) => ({ what: `${what} of ${name}`, why: detail }))

const modelFile = /\.(safetensors|gguf|ggml|pt|pth|pkl|pickle|ckpt|joblib|npy|npz|bin)$/i
const modelsMax = 20

/** Words of a command that may be model files, also as the value of an option. */
const wordsWithFiles = ({ command }: LocalTarget): readonly string[] =>
  command.slice(1).flatMap((word) => {
    const path = word.startsWith('-') ? word.slice(word.indexOf('=') + 1) : word
    return modelFile.test(path) ? [path] : []
  })

async function modelsOf(files: readonly string[], cwd: string): Promise<Pick<TargetSupply, 'findings' | 'unchecked'>> {
  const findings: EntryFinding[] = []
  const unchecked: Unchecked[] = []
  for (const file of [...new Set(files)].slice(0, modelsMax)) {
    const [name, what] = [basename(file), `the model ${basename(file)}`]
    try {
      const path = resolve(cwd, file)
      // A pipe would never be opened.
      if (!(await stat(path)).isFile()) throw new Error('it is not a file')
      const report = await withFile(path, checkModel)
      findings.push(...report.findings.map((one) => say.withAdvice(one, name, `${name}: ${one.evidence}.`)))
      if (report.outcome === 'not-checked') unchecked.push({ what, why: report.why ?? `the format ${report.format} is not read` })
    } catch (error) {
      unchecked.push({ what, why: (error as NodeJS.ErrnoException).code ?? (error as Error).message })
    }
  }
  if (files.length > modelsMax) unchecked.push({ what: 'models', why: `more than ${modelsMax} are named` })
  return { findings, unchecked }
}
