/** A lock between processes: a file with the number of whoever has it. */
import { randomBytes } from 'node:crypto'
import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs'

/** Who has it, and the file that says so. */
export interface LockHeld {
  /** The number of a process, or `unknown`. */
  readonly holder: string
  readonly file: string
}

/**
 * Undefined when it is ours now: to be given back by removing the file. The lock of a process that has died is taken over. `strange`:
 * whether words that are no number are somebody; an empty file is always of one who is about to write theirs.
 */
export function takeLock(file: string, strange: 'held' | 'left' = 'held'): LockHeld | undefined {
  const isLeft = (holder: string): boolean => (holder === strangeWords ? strange === 'left' : !isAlive(holder))
  if (isTaken(file)) return undefined
  const holder = readHolder(file)
  if (holder !== undefined && !isLeft(holder)) return { holder: saidOf(holder), file }
  // Of those who find a dead one's lock, one may remove it: another would remove that of the first.
  const takeover = `${file}.takeover`
  if (!isTaken(takeover)) return { holder: saidOf(readHolder(takeover)), file: takeover }
  try {
    const left = readHolder(file)
    if (left !== undefined && isLeft(left)) rmSync(file, { force: true })
    return isTaken(file) ? undefined : { holder: saidOf(readHolder(file)), file }
  } finally {
    rmSync(takeover, { force: true })
  }
}

/** True when it is ours now. There is never one without a number: it gets its name when it has one. */
function isTaken(file: string): boolean {
  const draft = `${file}.${process.pid}-${randomBytes(6).toString('hex')}`
  try {
    writeFileSync(draft, String(process.pid), { flag: 'wx', mode: 0o600 })
    named(draft, file)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    rmSync(draft, { force: true })
  }
}

function named(draft: string, file: string): void {
  try {
    linkSync(draft, file)
  } catch (error) {
    // Not every disk knows a second name for a file. For a moment the lock has no number then, and counts as that of somebody alive.
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
    writeFileSync(file, String(process.pid), { flag: 'wx', mode: 0o600 })
  }
}

const unknown = 'unknown'
const strangeWords = 'not a number'
const saidOf = (holder = unknown): string => (holder === strangeWords ? unknown : holder)

/** Undefined where it was given back. */
function readHolder(file: string): string | undefined {
  try {
    const holder = readFileSync(file, 'utf8').slice(0, 20)
    if (/^[1-9]\d*$/.test(holder)) return holder
    return holder === '' ? unknown : strangeWords
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? undefined : unknown
  }
}

/** Whoever has not said who it is may be alive. */
function isAlive(holder: string): boolean {
  if (holder === unknown) return true
  try {
    process.kill(Number(holder), 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
