/** One at a time: two processes that change the same files at once would each undo what the other remembers. */
import { randomBytes } from 'node:crypto'
import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makePrivateFolder } from '../../lib/private-files.ts'

export class Busy extends Error {
  override readonly name = 'Busy'
  readonly fix: string
  constructor(holder: string, file: string) {
    super(`another sekisho is changing configurations right now (process ${holder})`)
    this.fix = `wait for it to end; if there is no such process, remove ${file}`
  }
}

/** Runs `work` while no other process may. Throws {@link Busy}. The lock of a process that has died is taken over. */
export function inTurn<Result>(home: string, work: () => Result): Result {
  const folder = join(home, '.sekisho', 'wrapped')
  const file = join(folder, 'lock')
  try {
    makePrivateFolder(folder)
    take(file)
  } catch (error) {
    if (error instanceof Busy) throw error
    throw new Error(`nothing can be kept in ${folder} (${(error as NodeJS.ErrnoException).code}), so nothing is changed`)
  }
  try {
    return work()
  } finally {
    rmSync(file, { force: true })
  }
}

function take(file: string): void {
  if (isTaken(file)) return
  const holder = readHolder(file)
  if (holder !== undefined && isAlive(holder)) throw new Busy(holder, file)
  // Of those who find a dead one's lock, one may remove it: another would remove that of the first.
  const takeover = `${file}.takeover`
  if (!isTaken(takeover)) throw new Busy(readHolder(takeover) ?? unknown, takeover)
  try {
    const left = readHolder(file)
    if (left !== undefined && !isAlive(left)) rmSync(file, { force: true })
    if (!isTaken(file)) throw new Busy(readHolder(file) ?? unknown, file)
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

/** Undefined where it was given back. */
function readHolder(file: string): string | undefined {
  try {
    const holder = readFileSync(file, 'utf8').slice(0, 20)
    return /^[1-9]\d*$/.test(holder) ? holder : unknown
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
