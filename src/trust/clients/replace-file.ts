/**
 * Another content for a file of somebody else, all of it or none: written beside it, flushed, and moved over it. Mode and owner
 * stay; a link stays a link, because the file it leads to is the one that is replaced.
 */
import {
  chmodSync,
  closeSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { type ConfigFile, FileRefused } from './config-file.ts'

/** Where a test may end the process. */
export type Seam = (point: 'kept' | 'half-written' | 'written' | 'replaced') => void

/** Throws {@link FileRefused} when it is not the file that was read any more, or cannot be replaced with its owner. */
export function replaceFile(
  { real, bytes: expected, stat }: ConfigFile,
  bytes: Buffer,
  temporaryName: string,
  seam?: Seam,
): void {
  if (stat.nlink > 1) throw new FileRefused('it has another name (a hard link), under which the old content would stay')
  if ((stat.mode & 0o222) === 0) throw new FileRefused('it is write-protected; chmod u+w')
  const temporary = join(dirname(real), temporaryName)
  try {
    write(temporary, bytes, stat, seam)
    seam?.('written')
    const now = statSync(real)
    if (now.ino !== stat.ino || !readFileSync(real).equals(expected))
      throw new FileRefused('another program has changed it meanwhile; close the client, and try again')
    renameSync(temporary, real)
  } catch (error) {
    rmSync(temporary, { force: true })
    if (error instanceof FileRefused) throw error
    throw new FileRefused(
      `it cannot be replaced (${(error as NodeJS.ErrnoException).code}); check who may write in ${dirname(real)}`,
    )
  }
  flushFolder(dirname(real))
  seam?.('replaced')
}

function write(path: string, bytes: Buffer, { mode, uid, gid }: ConfigFile['stat'], seam: Seam | undefined): void {
  const file = openSync(path, 'wx', 0o600)
  try {
    const half = bytes.length >> 1
    for (let at = 0; at < half; ) at += writeSync(file, bytes, at, half - at)
    seam?.('half-written')
    for (let at = half; at < bytes.length; ) at += writeSync(file, bytes, at)
    const made = fstatSync(file)
    if (made.uid !== uid || made.gid !== gid) fchownSync(file, uid, gid)
    if (process.platform === 'win32') chmodSync(path, mode & 0o777)
    else fchmodSync(file, mode & 0o7777)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

/** That it has another content now survives the power, where a folder can be flushed. */
function flushFolder(folder: string): void {
  let file: number | undefined
  try {
    file = openSync(folder, 'r')
    fsyncSync(file)
  } catch {
    // The change is made; not every system lets us wait until it is on disk.
  } finally {
    if (file !== undefined) closeSync(file)
  }
}
