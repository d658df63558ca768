/**
 * What is in a folder, as text: one line a file, with its digest, its length and whether it is a program. The digest of that
 * text speaks for the whole folder, as the root of a tree does; the text itself names the file that differs.
 *
 * Symbolic links are refused: a link inside a package could lead to what nobody looked at.
 */
import { hash } from 'node:crypto'
import { closeSync, constants, fstatSync, lstatSync, openSync, readFileSync } from 'node:fs'
import { lstat, readdir, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { NotAdmitted } from './not-admitted.ts'

export interface FileLine {
  /** Relative to the folder, with slashes. */
  readonly path: string
  readonly program: boolean
  readonly bytes: number
  /** SHA-256, hex. */
  readonly digest: string
}

/** What was read, and by which identities: of every file and folder, by absolute path. */
export interface Reading {
  readonly files: readonly FileLine[]
  /** Where links lead, by path; empty unless they were asked for. */
  readonly links: ReadonlyMap<string, string>
  readonly identities: ReadonlyMap<string, string>
}

export interface ReadOptions {
  /** Entries of the folder itself that are not part of it. */
  readonly except?: readonly string[] | undefined
  /** Folders of these names are no part of it, wherever they are. */
  readonly exceptEverywhere?: readonly string[] | undefined
  /** Files and folders that are not part of it, by absolute path; what is written beside one (`x.db-wal`) goes with it. */
  readonly aside?: readonly string[] | undefined
  /** Of the folder itself only these entries. */
  readonly only?: readonly string[] | undefined
  /** Links are answered instead of refused. */
  readonly withLinks?: boolean | undefined
  /** What was read before, and need not be read again while the file is the same. Not for what is about to run. */
  readonly seen?: Seen | undefined
  /** Given every file as it was read: what is hashed is what is handed on. */
  each?(path: string, content: Buffer, program: boolean): Promise<void>
}

/** By absolute path. `now`: milliseconds since 1970. */
export interface Seen {
  readonly files: Map<string, { readonly identity: string; readonly line: FileLine }>
  readonly now: number
}
/** Clocks of file systems tick slowly: a file that changed just now may change again without a sign of it. */
const settledMs = 2000

const filesMax = 200_000
const fileBytesMax = 512 * 1024 * 1024
const depthMax = 64
const atOnce = 8
/** Files are read at one go, which is five times as fast as to wait for each; others get their turn after so long. */
const sliceMs = 4

/** Throws {@link NotAdmitted} for a link, a device, or more than is sensible. */
export async function readFolder(folder: string, options: ReadOptions = {}): Promise<Reading> {
  const { except = [], exceptEverywhere = [], aside = [], only, withLinks = false, seen, each } = options
  const links = new Map<string, string>()
  const identities = new Map<string, string>()
  const paths: string[] = []
  const walk = async (within: string, depth: number): Promise<void> => {
    const path = join(folder, within)
    identities.set(path, identityOf(await lstat(path, { bigint: true })))
    if (depth > depthMax) throw odd(within, `is nested more than ${depthMax} folders deep`)
    for (const entry of await readdir(path, { withFileTypes: true })) {
      if (within === '' && (except.includes(entry.name) || only?.includes(entry.name) === false)) continue
      const inner = within === '' ? entry.name : `${within}/${entry.name}`
      if (entry.isDirectory() && exceptEverywhere.includes(entry.name)) continue
      if (aside.some((one) => join(folder, inner).startsWith(one))) continue
      if (entry.isDirectory()) await walk(inner, depth + 1)
      else if (entry.isSymbolicLink() && withLinks) links.set(inner, await readlink(join(folder, inner)))
      else if (entry.isFile()) paths.push(inner)
      else throw odd(inner, entry.isSymbolicLink() ? 'is a symbolic link, which could lead anywhere' : 'is not a file')
      if (paths.length > filesMax) throw odd(inner, `is one of more than ${filesMax} files`)
    }
  }
  await walk('', 0)
  const files: FileLine[] = []
  let began = performance.now()
  for (const path of paths.sort(byCodeUnits)) {
    const full = join(folder, path)
    const known = seen?.files.get(full)
    if (known !== undefined && !each && known.identity === identityOf(lstatSync(full, { bigint: true }))) {
      files.push(known.line)
      identities.set(full, known.identity)
    } else {
      const { line, content, identity, changed } = readOne(folder, path)
      await each?.(path, content, line.program)
      files.push(line)
      identities.set(full, identity)
      if (seen && changed < seen.now - settledMs) seen.files.set(full, { identity, line })
    }
    if (performance.now() - began < sliceMs) continue
    await setImmediate()
    began = performance.now()
  }
  return { files: files.sort((one, two) => byCodeUnits(one.path, two.path)), links, identities }
}

/** One file, opened without following a link. Throws {@link NotAdmitted} when it changes while it is read. */
export function readOne(
  folder: string,
  path: string,
): { readonly line: FileLine; readonly content: Buffer; readonly identity: string; readonly changed: number } {
  const file = openSync(join(folder, path), constants.O_RDONLY | constants.O_NOFOLLOW)
  try {
    const before = fstatSync(file, { bigint: true })
    if (!before.isFile()) throw odd(path, 'is not a file')
    if (before.size > fileBytesMax) throw odd(path, `is larger than ${fileBytesMax} bytes`)
    const content = readFileSync(file)
    const identity = identityOf(fstatSync(file, { bigint: true }))
    if (identity !== identityOf(before)) throw odd(path, 'changed while it was read')
    const program = process.platform !== 'win32' && (before.mode & 0o111n) !== 0n
    const line = { path, program, bytes: content.length, digest: hash('sha256', content, 'hex') }
    return { line, content, identity, changed: Number(before.ctimeNs / 1_000_000n) }
  } finally {
    closeSync(file)
  }
}

/** Nobody but the system sets the time of the last change of a file's facts: a change that was taken back shows in it too. */
export const identityOf = (stat: {
  readonly dev: bigint
  readonly ino: bigint
  readonly mode: bigint
  readonly size: bigint
  readonly mtimeNs: bigint
  readonly ctimeNs: bigint
}): string => [stat.dev, stat.ino, stat.mode, stat.size, stat.mtimeNs, stat.ctimeNs].join('.')

/** The first path whose file or folder is not the one that was read; undefined where all are. */
export async function firstChanged(identities: ReadonlyMap<string, string>): Promise<string | undefined> {
  const queue = identities[Symbol.iterator]()
  let changed: string | undefined
  const work = async (): Promise<void> => {
    for (const [path, identity] of queue) {
      const now = await lstat(path, { bigint: true }).then(identityOf, () => 'gone')
      if (now !== identity) changed ??= path
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work))
  return changed
}

export const manifestText = (files: readonly FileLine[]): string =>
  files.map(({ path, program, bytes, digest }) => `${program ? 'x' : 'f'} ${digest} ${bytes} ${JSON.stringify(path)}\n`).join('')

export const sha256Of = (text: string): string => `sha256:${hash('sha256', text, 'hex')}`

/** Reads back what {@link manifestText} wrote; compare its digest before believing it. */
export function readManifest(text: string): readonly FileLine[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [, kind, digest, bytes, path] = /^([xf]) ([0-9a-f]{64}) (\d+) (".*")$/.exec(line) ?? []
      if (path === undefined) throw new TypeError('this is not a manifest')
      return { path: JSON.parse(path) as string, program: kind === 'x', bytes: Number(bytes), digest: digest as string }
    })
}

/** The first file, by path, that is not as it was locked. */
export function firstDifference(
  locked: readonly FileLine[],
  found: readonly FileLine[],
): { file: string; why: string } | undefined {
  const was = new Map(locked.map((line) => [line.path, line]))
  const is = new Map(found.map((line) => [line.path, line]))
  for (const path of [...new Set([...was.keys(), ...is.keys()])].sort(byCodeUnits)) {
    const [before, now] = [was.get(path), is.get(path)]
    if (before === undefined) return { file: path, why: 'was added since it was locked' }
    if (now === undefined) return { file: path, why: 'is gone since it was locked' }
    if (before.digest !== now.digest) return { file: path, why: 'has changed since it was locked' }
    if (before.program !== now.program)
      return { file: path, why: `${now.program ? 'became' : 'is no longer'} a program since it was locked` }
  }
  return undefined
}

const byCodeUnits = (one: string, two: string): number => (one < two ? -1 : one > two ? 1 : 0)

const odd = (file: string, why: string): NotAdmitted =>
  new NotAdmitted({ file, why, fix: 'install the package anew; what registries deliver has files and folders only' })
