/**
 * Starting and stopping a local server: no shell, a fixed command from the configuration, an environment by allow-list,
 * a process group of its own so that its children go with it (2026-07-28 stdio, Shutdown).
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'

export interface SpawnOptions {
  readonly command: readonly string[]
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
}
export type Child = ChildProcessByStdio<Writable, Readable, Readable>

const graceMs = 2000

export function start({ command, cwd, env }: SpawnOptions): Child {
  const [file, ...args] = command as [string, ...string[]]
  return spawn(file, args, {
    cwd,
    env: { ...env },
    shell: false,
    detached: process.platform !== 'win32',
    stdio: ['pipe', 'pipe', 'pipe'],
  })
}

/** Closes stdin and waits; then SIGTERM; then SIGKILL, each to the whole group. Resolves when the child is gone. */
export async function stop(child: Child): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  child.stdin.end()
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    if (await within(gone, graceMs)) break
    signalGroup(child, signal)
  }
  await gone
}

/**
 * How the child ended, told once everything it wrote has been read: its last answer may still be in the pipe. What it
 * started and left behind is killed; something that has left the group and holds the pipe open is not waited for.
 */
export function ended(child: Child): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(`could not be started: ${error.message}`))
    child.once('exit', (code, signal) => {
      const how = `exited (${signal ?? `code ${code}`})`
      signalGroup(child, 'SIGKILL')
      const timer = setTimeout(() => resolve(how), graceMs)
      child.once('close', () => {
        clearTimeout(timer)
        resolve(how)
      })
    })
  })
}

function signalGroup(child: Child, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    if (process.platform === 'win32') child.kill(signal)
    else process.kill(-(child.pid as number), signal)
  } catch {
    // ESRCH: the group is already empty
  }
}

async function within(done: Promise<void>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), ms)
  })
  try {
    return await Promise.race([done.then(() => true as const), late])
  } finally {
    clearTimeout(timer)
  }
}
