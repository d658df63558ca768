import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { writtenFiles } from '../../config/own-files.ts'
import type { Config } from '../../config/schema.ts'
import { systemClock } from '../../lib/clock.ts'
import { Admission } from '../../trust/supply/admission.ts'
import { checkTarball } from '../../trust/supply/check-tarball.ts'
import type { enquiry, Findings } from '../../trust/supply/enquiry.ts'
import { readFolder } from '../../trust/supply/manifest.ts'
import { NotAdmitted } from '../../trust/supply/not-admitted.ts'
import { npmParts } from '../../trust/supply/npm-lock.ts'
import { nameOf, npmTree } from '../../trust/supply/npm-packages.ts'
import { npmRecord } from '../../trust/supply/npm-record.ts'
import type { Registry } from '../../trust/supply/registry.ts'
import { startedBy } from '../../trust/supply/started.ts'
import { thisPlatform } from '../configured-admission.ts'
import { localServer } from '../lock-file.ts'
import { teamKey } from '../team-keys.ts'

/** `detail`: by whom, or why not. Only `verified` is good news. */
export interface Check {
  readonly status: 'verified' | 'absent' | 'not checked' | 'failed'
  readonly detail?: string
}
export const checkNames = ['lock', 'contents', 'signature', 'provenance'] as const
export type CheckName = (typeof checkNames)[number]

export interface Verified {
  /** A server, or a package as name@version. */
  readonly subject: string
  readonly server?: string
  readonly checks: Readonly<Partial<Record<CheckName, Check>>>
  /** What a reviewer wants to know besides: licence, install scripts, machine code. */
  readonly notes: readonly string[]
}

export interface SupplyVerifyOptions {
  readonly config: Config
  readonly lockFile: string
  readonly folder: string
  readonly store: string
  readonly variables: Readonly<Record<string, string>>
  readonly enquire: ReturnType<typeof enquiry>
  readonly registry: Registry | undefined
  progress?(done: number, all: number): void
}

/** The servers of the configuration: each against the lock, and each of its packages on its own. */
export async function supplyVerify(ids: readonly string[], options: SupplyVerifyOptions): Promise<readonly Verified[]> {
  const { config, lockFile, store, folder, variables } = options
  const admission = new Admission({
    lockFile,
    require: 'locked',
    keys: await Promise.all(config.supply.keys.map((file) => teamKey(file, 'supply.keys'))),
    store,
    folder,
    ownNode: process.execPath,
    platform: thisPlatform,
    aside: writtenFiles(config, lockFile, store),
    clock: systemClock,
  })
  const found: Verified[] = []
  for (const id of ids) {
    const server = config.servers[id]
    if (server === undefined) continue
    if (server.kind === 'http') {
      found.push({ subject: id, checks: { lock: await checked(() => admission.admitRemote(id, server.url)) }, notes: [] })
      continue
    }
    const local = await attempt(async () => localServer(server, variables))
    const isLocked = existsSync(lockFile)
    const lock: Check =
      local instanceof NotAdmitted
        ? failed(local)
        : isLocked
          ? await checked(() => admission.admit(id, local))
          : { status: 'absent', detail: 'there is no lock' }
    found.push({ subject: id, server: id, checks: { lock }, notes: [] })
    const packages =
      local instanceof NotAdmitted ? local : await attempt(async () => packagesOf(id, await startedBy(local), options))
    // What keeps it from being found has been said by the check of the lock, if there is one.
    if (!(packages instanceof NotAdmitted)) found.push(...packages)
    else if (lock.status !== 'failed') found.push({ subject: id, server: id, checks: { contents: failed(packages) }, notes: [] })
  }
  return found
}

/** A package that is not installed: from the registry by name and version, or a tarball in a file. */
export async function supplyVerifyPackage(what: string, { enquire, registry }: SupplyVerifyOptions): Promise<Verified> {
  const [, name, version] = /^((?:@[^@/]+\/)?[^@/]+)@(\d[^@/]*)$/.exec(what) ?? []
  const named = name !== undefined && version !== undefined && !existsSync(what) ? { name, version } : undefined
  const tarball = named ? await registry?.tarball(named.name, named.version) : await readFile(what)
  if (tarball === undefined)
    throw new Error(registry ? `the registry has no ${what}` : `${what} cannot be had offline; name the file of its tarball`)
  try {
    const { findings, licence, installScripts, native, files, bytes, name: shown } = await checkTarball(tarball, named, enquire)
    const scripts = Object.keys(installScripts)
    return {
      subject: shown,
      checks: checksOf(findings),
      notes: [
        `${files} files in ${bytes} bytes`,
        `licence ${licence ?? 'not given'}`,
        ...(scripts.length > 0 ? [`runs ${scripts.join(', ')} when it is installed`] : []),
        ...(native ? ['has machine code'] : []),
      ],
    }
  } catch (error) {
    if (!(error instanceof NotAdmitted)) throw error
    return { subject: what, checks: { contents: failed(error) }, notes: [error.fix] }
  }
}

async function packagesOf(
  server: string,
  started: Awaited<ReturnType<typeof startedBy>>,
  { config, lockFile, store, enquire, progress }: SupplyVerifyOptions,
): Promise<readonly Verified[]> {
  if (started.kind !== 'npm') return []
  const tree = await npmTree(started.folder)
  const record = await npmRecord(tree.base)
  const parts = npmParts(tree, writtenFiles(config, lockFile, store))
  const rows = new Map<string, Verified>()
  const queue = parts.values()
  const work = async (): Promise<void> => {
    for (const part of queue) {
      const { files } = await readFolder(part.folder, part)
      const manifest = tree.packages.get(part.location)!.manifest
      const recorded = record.get(part.location)
      const scripts = Object.keys(manifest.installScripts)
      const findings = await enquire({
        name: manifest.name,
        version: manifest.version,
        repository: manifest.repository,
        installScripts: scripts.length > 0,
        recorded: recorded?.version === manifest.version ? recorded : undefined,
        files,
      })
      const notes = scripts.length > 0 ? [`runs ${scripts.join(', ')} when it is installed`] : []
      rows.set(part.location, { subject: nameOf(manifest), server, checks: checksOf(findings), notes })
      progress?.(rows.size, parts.length)
    }
  }
  await Promise.all(Array.from({ length: 8 }, work))
  return parts.map(({ location }) => rows.get(location)!)
}

function checksOf({ contents, signature, provenance, integrity }: Findings): Verified['checks'] {
  return {
    contents:
      typeof contents === 'object'
        ? { status: 'failed', detail: contents.why }
        : contents === 'as in the tarball'
          ? { status: 'verified', detail: integrity ?? '' }
          : {
              status: 'not checked',
              detail: integrity === undefined ? 'its integrity is not known' : 'its tarball is not at hand',
            },
    signature:
      signature.status === 'verified'
        ? { status: 'verified', detail: signature.key }
        : signature.status === 'absent'
          ? { status: 'absent' }
          : { status: signature.status, detail: signature.why },
    provenance:
      provenance.status === 'verified'
        ? { status: 'verified', detail: [provenance.repository, provenance.commit, provenance.builder].filter(Boolean).join(' ') }
        : provenance.status === 'absent'
          ? { status: 'absent' }
          : { status: provenance.status, detail: provenance.why },
  }
}

const failed = ({ message, fix }: NotAdmitted): Check => ({ status: 'failed', detail: `${message}; ${fix}` })

async function checked(work: () => Promise<unknown>): Promise<Check> {
  const done = await attempt(work)
  return done instanceof NotAdmitted ? failed(done) : { status: 'verified' }
}

async function attempt<Value>(work: () => Promise<Value>): Promise<Value | NotAdmitted> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof NotAdmitted) return error
    throw error
  }
}

/** Whether a check that was asked for is not there, or one that is there has failed. */
export const isBad = ({ checks }: Verified, required: readonly CheckName[]): boolean =>
  Object.entries(checks).some(
    ([name, { status }]) => status === 'failed' || (required.includes(name as CheckName) && status !== 'verified'),
  )
