/** Starts a program of ours and reads what it prints, line by line. It ends with us, and so does what it has started. */
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

export const root = join(import.meta.dirname, '..')

export interface Ended {
  /** Null: ended by a signal. */
  readonly code: number | null
  /** Of stdout and stderr, as they came. */
  readonly lines: readonly string[]
  /** It had not ended in the time it was given. */
  readonly late: boolean
}

const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of running) endGroup(child, 'SIGTERM')
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.once(signal, () => {
    process.stderr.write(`ended by ${signal}\n`)
    process.exit(1)
  })

/** `program` is `node` for the Node that we run on, or a path. Never a shell. */
export function runChild(
  program: string,
  args: readonly string[],
  heard: (line: string) => void = () => undefined,
  msMax?: number,
): Promise<Ended> {
  const isNode = program === 'node'
  const child = spawn(
    isNode ? process.execPath : program,
    [...(isNode ? ['--disable-warning=ExperimentalWarning'] : []), ...args],
    { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, NO_COLOR: '1' }, detached: true },
  )
  running.add(child)
  const lines: string[] = []
  for (const output of [child.stdout, child.stderr])
    createInterface({ input: output }).on('line', (line) => {
      lines.push(line)
      heard(line)
    })
  let late = false
  const end = (): void => {
    late = true
    endGroup(child, 'SIGKILL')
  }
  const timer = msMax === undefined ? undefined : setTimeout(end, msMax)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => {
      clearTimeout(timer)
      running.delete(child)
      endGroup(child, 'SIGKILL')
      resolve({ code, lines, late })
    })
  })
}

/** The child and whatever it has left behind. */
function endGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, signal)
  } catch {
    // nobody is there any more
  }
}

export const seconds = (sinceMs: number): string => `${((performance.now() - sinceMs) / 1000).toFixed(0)} s`
