/**
 * What we remember of a file that we changed, so that it can be given back: the bytes as they were, and how to undo each
 * entry. In a folder that only this user may enter, because files of clients hold secrets. Written before the file itself is.
 */
import { createHash, randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, openSync, readdirSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs'
import { basename, join } from 'node:path'
import { makePrivateFolder } from '../../lib/private-files.ts'
import { FileRefused } from './config-file.ts'
import type { Undo } from './rewrite.ts'
import type { Format, Path } from './tree.ts'

export interface KeptEntry {
  readonly name: string
  readonly path: Path
  readonly undo: Undo
}
export interface Kept {
  readonly version: 1
  readonly client: string
  /** As it was looked for, and where it really is. */
  readonly file: string
  readonly real: string
  readonly format: Format
  /** One of `dialects`. */
  readonly dialect: string
  /** SHA-256 of the file as it was before us. */
  readonly before: string
  /** SHA-256 of the file as we left it; of each time, should one of them not have come to its end. */
  readonly after: readonly string[]
  readonly entries: readonly KeptEntry[]
  /** What the new file is called until it takes the place of the old one. */
  readonly temporary: string
}

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

export const temporaryName = (file: string): string => `.${basename(file)}.sekisho-${randomBytes(6).toString('hex')}`

export class KeptFiles {
  readonly #folder: string
  constructor(home: string) {
    this.#folder = join(home, '.sekisho', 'wrapped')
  }

  #path(real: string, end: string): string {
    return join(this.#folder, `${basename(real).slice(0, 64)}-${sha256(Buffer.from(real)).slice(0, 16)}${end}`)
  }

  /** Where the bytes of a file are kept as they were. */
  backupOf(real: string): string {
    return this.#path(real, '.before')
  }

  /** Undefined for a file that we have not changed, or whose record cannot be read. */
  read(real: string): Kept | undefined {
    return readRecord(this.#path(real, '.json'))
  }

  /** Every file that we have changed, in the order of their names. */
  all(): readonly Kept[] {
    const records = namesIn(this.#folder).filter((name) => name.endsWith('.json'))
    return records.map((name) => readRecord(join(this.#folder, name))).filter((kept) => kept !== undefined)
  }

  /** The bytes before us; undefined where they are gone or are others. */
  before({ real, before }: Kept): Buffer | undefined {
    try {
      const bytes = readFileSync(this.backupOf(real))
      return sha256(bytes) === before ? bytes : undefined
    } catch {
      return undefined
    }
  }

  /** On disk when it returns. Throws {@link FileRefused}. */
  write(kept: Kept, before: Buffer): void {
    try {
      makePrivateFolder(this.#folder)
      this.#replace(this.backupOf(kept.real), before)
      this.#replace(this.#path(kept.real, '.json'), Buffer.from(`${JSON.stringify(kept, undefined, 2)}\n`))
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      throw new FileRefused(`what it was cannot be kept in ${this.#folder} (${code}), so it stays as it is`)
    }
  }

  forget(real: string): void {
    rmSync(this.#path(real, '.json'), { force: true })
    rmSync(this.backupOf(real), { force: true })
  }

  #replace(path: string, bytes: Buffer): void {
    const temporary = `${path}.new`
    rmSync(temporary, { force: true })
    const file = openSync(temporary, 'wx', 0o600)
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    renameSync(temporary, path)
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).sort()
  } catch {
    return []
  }
}

/** Nobody else may write in the folder; what is not whole is taken for nothing. */
function readRecord(path: string): Kept | undefined {
  try {
    const kept = JSON.parse(readFileSync(path, 'utf8')) as Kept
    const isWhole =
      kept.version === 1 && typeof kept.real === 'string' && Array.isArray(kept.after) && Array.isArray(kept.entries)
    return isWhole ? kept : undefined
  } catch {
    return undefined
  }
}
