/** One at a time, across processes: what was read is still what is there when it is replaced. */
import { rmSync } from 'node:fs'
import { takeLock } from '../lib/process-lock.ts'

/** Runs `work` while nobody else runs theirs for the same file. Throws where somebody does; one that has died is taken over. */
export async function alone<Result>(file: string, work: () => Promise<Result>): Promise<Result> {
  const turn = `${file}.turn`
  const held = takeLock(turn, 'left')
  if (held !== undefined)
    throw Object.assign(new Error(`${file} is being written by another sekisho (process ${held.holder})`), {
      fix: `run it again; if there is no such process, remove ${held.file}`,
    })
  try {
    return await work()
  } finally {
    rmSync(turn, { force: true })
  }
}
