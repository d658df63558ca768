/** One at a time: two processes that change the same files at once would each undo what the other remembers. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
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
  if (isAlive(holder)) throw new Busy(holder, file)
  rmSync(file, { force: true })
  if (!isTaken(file)) throw new Busy(readHolder(file), file)
}

/** True when it is ours now. */
function isTaken(file: string): boolean {
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx', mode: 0o600 })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

function readHolder(file: string): string {
  try {
    return readFileSync(file, 'utf8').slice(0, 20)
  } catch {
    return ''
  }
}

function isAlive(holder: string): boolean {
  if (!/^[1-9]\d*$/.test(holder)) return false
  try {
    process.kill(Number(holder), 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
