/**
 * How a server comes in: identity, provenance, a first start where it can do no harm, a scan of what it says, what it would be
 * allowed, and the word of a person; then its definitions are pinned, and only then does it stand in the configuration. Before the
 * last step nothing of it can be called, and a no at any step changes nothing. INJ-C9, SUP-C1, K-29.
 */
import { existsSync, rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, parse, resolve } from 'node:path'
import { withAddition } from '../../config/amend.ts'
import { loadConfig, parseConfig } from '../../config/load.ts'
import { ConfigRefused } from '../../config/problem.ts'
import type { Config } from '../../config/schema.ts'
import { whereabouts } from '../../outbound/schema.ts'
import { openStore } from '../../storage/embedded.ts'
import { storePath, storeUrl } from '../../storage/schema.ts'
import { type ConfigFile, readConfigFile } from '../../trust/clients/config-file.ts'
import { replaceFile } from '../../trust/clients/replace-file.ts'
import { PinBook } from '../../trust/pin-book.ts'
import { type Lock, lockVersion, type ServerLock } from '../../trust/supply/lock.ts'
import { NotAdmitted } from '../../trust/supply/not-admitted.ts'
import { type LockedWith, lockEntry, lockIn, type Signing, writeSigned } from '../lock-file.ts'
import { type Entry, entryOf, identityStep, idStep, type Wanted } from '../onboarding/candidate.ts'
import { type Grant, permissionsStep, ruleOf, toolNames } from '../onboarding/permissions.ts'
import { pinDown } from '../onboarding/pin-down.ts'
import { provenanceStep } from '../onboarding/provenance.ts'
import { type Step, stepOf } from '../onboarding/step.ts'
import { type Tried, type Try, trial, trialStep } from '../onboarding/trial.ts'
import { teamKey } from '../team-keys.ts'
import { keyForPins } from '../with-pins.ts'
import { type Reported, type Suppression, scanBeside } from './scan.ts'
import { supplyCheck } from './supply-check.ts'

export type { Wanted } from '../onboarding/candidate.ts'
export type { Grant } from '../onboarding/permissions.ts'
export type { Step } from '../onboarding/step.ts'
export type { Sighted, Try } from '../onboarding/trial.ts'
export type { Reported } from './scan.ts'

export interface ServersAdd extends Pick<LockedWith, 'variables' | 'enquire' | 'pinTls' | 'progress'> {
  readonly file: string
  readonly wanted: Wanted
  readonly grant: Grant | undefined
  /** Add it although the scan has found something, with everything held. */
  readonly hold: boolean
  /** Stop before anybody is asked. */
  readonly dryRun: boolean
  /** Of the lock. */
  readonly sign: Signing | undefined
  readonly suppressions: readonly Suppression[]
  readonly by: string
  /** Milliseconds since 1970. */
  readonly now: number
  readonly attempt: Try
  /** As soon as a step is done. */
  said(step: Step, findings: readonly Reported[]): void
  /** Whether a person who has seen every step agrees. */
  agrees(): Promise<boolean>
}

export interface Added {
  readonly id: string
  readonly added: boolean
  readonly steps: readonly Step[]
  readonly findings: readonly Reported[]
  /** As it stands in the configuration now. */
  readonly entry: Entry | undefined
  /** Definitions, by what was decided about them. */
  readonly approved: number
  readonly waiting: number
}

/** Throws for a configuration that cannot be read or changed. A server that is not let in is an answer. */
export async function serversAdd(options: ServersAdd): Promise<Added> {
  const { file, wanted } = options
  const { id } = wanted
  const loaded = await loadConfig(file, undefined, { secrets: 'leave' })
  const scratch = await mkdtemp(join(tmpdir(), 'sekisho-add-'))
  const config = options.dryRun ? thrownAway(loaded, scratch) : loaded
  // Beside the configuration, as paths in a lock are relative to it.
  const draft = join(dirname(config.supply.lock ?? resolve(file)), `.sekisho-trial-${id}-${process.pid}.lock`)
  const clean = (): void => rmSync(draft, { force: true })
  process.once('exit', clean)
  const store = await openStore(config.store)
  try {
    const seal = await keyForPins(config, store)
    const book = new PinBook(await store.keptPins(), seal)
    const steps: Step[] = []
    const findings: Reported[] = []
    const isEnd = (step: Step, found: readonly Reported[] = []): boolean => {
      steps.push(step)
      findings.push(...found)
      options.said(step, found)
      return step.outcome === 'refused'
    }
    const refused = (): Added => ({ id, added: false, steps, findings, entry: undefined, approved: 0, waiting: 0 })

    const bare = entryOf(wanted, file)
    const text = configText(file)
    const free = idStep(id, config)
    const candidate =
      free.outcome === 'refused' ? free : parsed(withServer(text.text, id, bare, undefined), dirname(resolve(file)))
    if ('outcome' in candidate) {
      isEnd(candidate)
      return refused()
    }
    const place = whereabouts(candidate.servers[id] as Config['servers'][string])
    if (isEnd(identityStep(wanted, config, { now: place, earlier: book.identityOf(id) }))) return refused()

    const locked = await lockOf(options, candidate, draft)
    if (isEnd(await provenanceOf(id, locked, candidate, options.now))) return refused()
    if (config.supply.keys.length > 0 && config.supply.lock !== undefined && options.sign === undefined)
      throw new Error('the lock has to be signed by one of "supply.keys": --sign KEY.pem')

    const tried = await trial(
      {
        ...{ id, entry: bare, folder: scratch, base: dirname(resolve(file)), proxy: config.proxy },
        lock: locked instanceof NotAdmitted ? undefined : { file: draft, store: config.supply.store },
      },
      options.attempt,
    )
    if (isEnd(trialStep(tried, bare))) return refused()

    const found = scanned(id, tried, book, options)
    const isGrave = found.some(({ severity, suppressedBy }) => suppressedBy === undefined && /high|critical/.test(severity))
    if (isEnd(scanStep(found, isGrave, options.hold), found)) return refused()

    const names = toolNames(tried.definitions)
    if (isEnd(permissionsStep(id, names, config, options.grant))) return refused()
    if (isEnd(await approvalStep(options)) || options.dryRun) return refused()

    const entry = tried.definitions.some(({ kind }) => kind === 'tool') ? { ...bare, tools: names } : bare
    const last = withServer(text.text, id, entry, options.grant)
    parseConfig(last, dirname(resolve(file)))
    mustBeAsRead(file, text)
    if (!(locked instanceof NotAdmitted) && config.supply.lock !== undefined)
      await keepLocked(config.supply.lock, id, locked, options.sign, config)
    const isApproved = !(isGrave && options.hold)
    const reviewer = { by: options.by, at: options.now, reason: 'onboarding', twoPeople: config.pins.twoPeople }
    const pins = await pinDown({ store, seal, book, id, identity: place, pins: tried.pins, isApproved, reviewer })
    replaceFile(text, Buffer.from(text.mark + last), `.sekisho-${id}-${process.pid}.yaml`)
    const approved = pins.filter(({ standing }) => standing === 'approved').length
    return { id, added: true, steps, findings, entry, approved, waiting: pins.length - approved }
  } finally {
    await store.close()
    process.off('exit', clean)
    clean()
    await rm(scratch, { recursive: true, force: true })
  }
}

/** With the mistakes of somebody's flags as a step, not as places in a text that is not on disk. */
function parsed(text: string, folder: string): Config | Step {
  try {
    return parseConfig(text, folder)
  } catch (error) {
    if (!(error instanceof ConfigRefused)) throw error
    const says = error.problems.map(({ path, message }) => ['refused', `${path} ${message}`] as const)
    return stepOf('identity', says, error.problems[0]?.fix)
  }
}

/** What a dry run would write besides, where there is nothing yet: its place goes with it. */
function thrownAway(config: Config, scratch: string): Config {
  const { store, vault, supply } = config
  const path = storePath(store)
  return {
    ...config,
    store: path === undefined || existsSync(path) ? store : storeUrl(join(scratch, 'none.db')),
    vault: { ...vault, keyFile: existsSync(vault.keyFile) ? vault.keyFile : join(scratch, 'none.key') },
    supply: { ...supply, store: join(scratch, 'copies') },
  }
}

/** People are slow, and others write too. */
function mustBeAsRead(file: string, { bytes }: ConfigFile): void {
  if (!configText(file).bytes.equals(bytes))
    throw new Error(`another program has changed it meanwhile: ${file}; nothing was written, so add the server again`)
}

function configText(file: string): ConfigFile {
  const found = readConfigFile(resolve(file), parse(resolve(file)).root)
  if (found === undefined) throw new Error(`there is no file ${file}`)
  return found
}

function withServer(text: string, id: string, entry: Entry, grant: Grant | undefined): string {
  const added = withAddition(text, { under: ['servers'], key: id, value: entry })
  return grant === undefined ? added : withAddition(added, { under: ['roles', grant.role], item: ruleOf(id, grant) })
}

/** Its entry in the lock, with which it is tried; or why it can have none. */
async function lockOf(options: ServersAdd, config: Config, draft: string): Promise<ServerLock | NotAdmitted> {
  const { variables, enquire, pinTls, progress, wanted } = options
  const made = { variables, enquire, pinTls, ...(progress && { progress }) }
  const where = { config, folder: dirname(draft), lockFile: draft, store: config.supply.store }
  try {
    const { entry } = await lockEntry(wanted.id, { ...made, ...where }, undefined)
    await writeSigned(draft, { lock: lockVersion, servers: { [wanted.id]: entry } }, undefined, undefined)
    return entry
  } catch (error) {
    if (error instanceof NotAdmitted) return error
    throw error
  }
}

async function keepLocked(file: string, id: string, entry: ServerLock, sign: Signing | undefined, config: Config): Promise<void> {
  const before = await lockIn(file, true)
  const unsigned: Lock = { lock: lockVersion, servers: { ...before?.servers, [id]: entry } }
  const keys = sign ? await Promise.all(config.supply.keys.map((key) => teamKey(key, 'supply.keys'))) : []
  await writeSigned(file, unsigned, before, sign, keys)
}

async function provenanceOf(id: string, locked: ServerLock | NotAdmitted, candidate: Config, now: number): Promise<Step> {
  const alone = { ...candidate, servers: { [id]: candidate.servers[id] as Config['servers'][string] } }
  return provenanceStep(id, locked, await supplyCheck({ config: alone, lockFiles: [], now }), candidate)
}

/** Beside what was approved of other servers: a name that shadows theirs only shows next to them. */
function scanned(id: string, { definitions }: Tried, book: PinBook, { suppressions, now }: ServersAdd): readonly Reported[] {
  const today = new Date(now).toISOString().slice(0, 10)
  const valid = suppressions.filter(({ expires }) => expires >= today)
  return scanBeside(id, definitions, book.neighboursOf(id), valid)
}

async function approvalStep({ dryRun, agrees, by }: ServersAdd): Promise<Step> {
  if (dryRun) return stepOf('approval', [['not-checked', 'only looked at; nothing is changed']])
  return stepOf('approval', [(await agrees()) ? ['passed', by] : ['refused', 'nobody has agreed']])
}

function scanStep(found: readonly Reported[], isGrave: boolean, hold: boolean): Step {
  const open = found.filter(({ suppressedBy }) => suppressedBy === undefined)
  if (open.length === 0) return stepOf('scan', [['passed', 'nothing found']])
  const counts = [...Map.groupBy(open, ({ severity }) => severity)].map(([severity, some]) => `${some.length} ${severity}`)
  if (!isGrave) return stepOf('scan', [['warned', counts.join(', ')]])
  if (hold) return stepOf('scan', [['warned', `${counts.join(', ')}; all of it will be held`]])
  const fix =
    'leave it; or add it with all of it held, and decide one by one: --hold; or say in sekisho-scan.yaml why it is harmless'
  return stepOf('scan', [['refused', counts.join(', ')]], fix)
}
