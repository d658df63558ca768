/** One at a time: two processes that change the same files at once would each undo what the other remembers. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { makePrivateFolder } from '../../lib/private-files.ts'
import { takeLock } from '../../lib/process-lock.ts'

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
    const held = takeLock(file)
    if (held !== undefined) throw new Busy(held.holder, held.file)
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
