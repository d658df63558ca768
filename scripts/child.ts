/** Starts a program of ours and reads what it prints, line by line. It ends with us. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

export const root = join(import.meta.dirname, '..')

export interface Ended {
  /** Null: ended by a signal. */
  readonly code: number | null
  /** Of stdout and stderr, as they came. */
  readonly lines: readonly string[]
}

/** `program` is `node` for the Node that we run on, or a path. Never a shell. */
export function runChild(
  program: string,
  args: readonly string[],
  heard: (line: string) => void = () => undefined,
): Promise<Ended> {
  const isNode = program === 'node'
  const child = spawn(
    isNode ? process.execPath : program,
    [...(isNode ? ['--disable-warning=ExperimentalWarning'] : []), ...args],
    {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NO_COLOR: '1' },
    },
  )
  const endWithUs = (): void => void child.kill('SIGTERM')
  process.once('exit', endWithUs)
  const lines: string[] = []
  for (const output of [child.stdout, child.stderr])
    createInterface({ input: output }).on('line', (line) => {
      lines.push(line)
      heard(line)
    })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => {
      process.off('exit', endWithUs)
      resolve({ code, lines })
    })
  })
}

export const seconds = (sinceMs: number): string => `${((performance.now() - sinceMs) / 1000).toFixed(0)} s`
