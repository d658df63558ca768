/** One at a time, across processes: what was read is still what is there when it is replaced. */
import { readFile, rm, writeFile } from 'node:fs/promises'

/** Runs `work` while nobody else runs theirs for the same file. Throws where somebody does; one that has died is taken over. */
export async function alone<Result>(file: string, work: () => Promise<Result>): Promise<Result> {
  const turn = `${file}.turn`
  if (!(await isTaken(turn))) {
    const holder = await readFile(turn, 'utf8').catch(() => '')
    if (!isAlive(holder)) await rm(turn, { force: true })
    if (isAlive(holder) || !(await isTaken(turn)))
      throw Object.assign(new Error(`${file} is being written by another sekisho (process ${holder.slice(0, 20)})`), {
        fix: `run it again; if there is no such process, remove ${turn}`,
      })
  }
  try {
    return await work()
  } finally {
    await rm(turn, { force: true })
  }
}

/** True when it is ours now. */
const isTaken = (turn: string): Promise<boolean> =>
  writeFile(turn, String(process.pid), { flag: 'wx', mode: 0o600 }).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return false
      throw error
    },
  )

/** A file that is still empty is of somebody who is about to write their number. */
function isAlive(holder: string): boolean {
  if (!/^[1-9]\d*$/.test(holder)) return holder === ''
  try {
    process.kill(Number(holder), 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
