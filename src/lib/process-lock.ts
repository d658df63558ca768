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
  const isLeft = (words: string): boolean => (isNumber.test(words) ? !isAlive(Number(words)) : words !== '' && strange === 'left')
  if (isTaken(file)) return undefined
  const words = wordsIn(file)
  if (words !== undefined && !isLeft(words)) return { holder: holderIn(words), file }
  // Of those who find a dead one's lock, one may remove it: another would remove that of the first.
  const takeover = `${file}.takeover`
  if (!isTaken(takeover)) return { holder: holderIn(wordsIn(takeover)), file: takeover }
  try {
    const left = wordsIn(file)
    if (left !== undefined && isLeft(left)) rmSync(file, { force: true })
    return isTaken(file) ? undefined : { holder: holderIn(wordsIn(file)), file }
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

const isNumber = /^[1-9]\d*$/
const holderIn = (words = ''): string => (isNumber.test(words) ? words : 'unknown')

/** Undefined where it was given back. One that cannot be read says nothing, as does one that is about to be written. */
function wordsIn(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').slice(0, 20)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? undefined : ''
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
