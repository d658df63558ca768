/**
 * Starting and stopping a local server: no shell, a fixed command from the configuration, an environment by allow-list,
 * a process group of its own so that its children go with it (2026-07-28 stdio, Shutdown).
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import type { Readable, Writable } from 'node:stream'

export interface SpawnOptions {
  readonly command: readonly string[]
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  /** Of a server in a sandbox. */
  readonly confinement?: Confinement | undefined
}
/** What the program that builds a sandbox is told, and where it is put. */
export interface Confinement {
  /** What it reads from its descriptors 3, 4, …, in this order. */
  readonly inputs: readonly (string | Buffer)[]
  /** Descriptors of ours that it would inherit, and must not: it finds nothing in their place. */
  readonly kept: readonly number[]
  /** Called before the program has read any of it, and so before it has done anything. */
  enter(pid: number): void
  /** The program has ended, or could not be started. */
  left(): void
}
export type Child = ChildProcessByStdio<Writable, Readable, Readable>

const graceMs = 2000

export function start(options: SpawnOptions): Child {
  const { confinement } = options
  let child: Child
  try {
    child = spawned(options)
  } catch (error) {
    confinement?.left()
    throw error
  }
  if (confinement) confine(child, confinement)
  return child
}

function spawned({ command, cwd, env, confinement }: SpawnOptions): Child {
  const [file, ...args] = command as [string, ...string[]]
  const nothing = confinement && openSync('/dev/null', 'r')
  try {
    return spawn(file, args, {
      cwd,
      env: { ...env },
      shell: false,
      detached: process.platform !== 'win32',
      stdio: ['pipe', 'pipe', 'pipe', ...(confinement ? descriptorsOf(confinement, nothing as number) : [])],
    }) as Child
  } finally {
    if (nothing !== undefined) closeSync(nothing)
  }
}

/** From 3 on. */
function descriptorsOf({ inputs, kept }: Confinement, nothing: number): ('pipe' | 'ignore' | number)[] {
  const last = Math.max(inputs.length + 2, ...kept)
  return Array.from({ length: last - 2 }, (_, at) => (at < inputs.length ? 'pipe' : kept.includes(at + 3) ? nothing : 'ignore'))
}

/** Throws where it cannot be put in its place; it is gone then, and has done nothing. */
function confine(child: Child, { inputs, enter, left }: Confinement): void {
  child.once('exit', left)
  child.once('error', left)
  try {
    if (child.pid !== undefined) enter(child.pid)
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  }
  for (const [at, input] of inputs.entries()) {
    const descriptor = child.stdio[3 + at] as Writable | null | undefined
    descriptor?.on('error', () => undefined) // it has ended early; the exit says so
    descriptor?.end(input)
  }
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
