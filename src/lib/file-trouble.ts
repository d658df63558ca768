/** What the system says of a file, in words: which file, what is wrong with it, and what to do. */
import { existsSync } from 'node:fs'
import { dirname } from 'node:path'

export interface FileTrouble {
  /** Of the file, without its name: "is not there". */
  readonly says: string
  readonly file: string | undefined
  readonly fix: string | undefined
}

const inWords: Readonly<Record<string, readonly [says: string, fix: string]>> = {
  ENOENT: ['is not there', 'check the path'],
  ENOTDIR: ['lies below something that is not a folder', 'check the path'],
  EISDIR: ['is a folder', 'name a file'],
  EACCES: ['may not be read or written by you', 'change its mode or its owner, or name another'],
  EPERM: ['may not be read or written by you', 'change its mode or its owner, or name another'],
  EROFS: ['is on a disk that cannot be written', 'name another place'],
  ENOSPC: ['does not fit on the disk, which is full', 'make room, or name another place'],
  ELOOP: ['is a link that leads back to itself', 'mend the link'],
  ENAMETOOLONG: ['has a name that is too long', 'name another'],
  EMFILE: ['cannot be opened, as too many files are open', 'allow more: ulimit -n'],
}

/** Undefined for whatever is no trouble with a file. */
export function fileTrouble(error: unknown): FileTrouble | undefined {
  if (!(error instanceof Error)) return undefined
  const { code = '', path: file } = error as NodeJS.ErrnoException
  const [says, fix] = inWords[code] ?? []
  if (says === undefined) return undefined
  if (code !== 'ENOENT' || file === undefined || existsSync(dirname(file))) return { says, file, fix }
  const folder = dirname(file)
  return { says: `cannot be there, as there is no folder ${folder}`, file, fix: `check the path, or make it: mkdir -p ${folder}` }
}
