/** Starts a process and waits until it says that it is ready; stops it without leaving anything behind. */
import { type ChildProcess, spawn } from 'node:child_process'
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Era } from './fixture/server.ts'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))

const START_TIMEOUT_MS = 20_000
const STOP_TIMEOUT_MS = 5_000
const TAIL_LINES = 20

export interface Launched<T> {
  ready: T
  stop: () => Promise<void>
}

export interface Launch<T> {
  /** Arguments of node, the script first. */
  args: string[]
  cwd?: string
  /** Where everything the process prints is appended. */
  logFile?: string
  /** Looks at each line printed on stdout or stderr; anything but null means ready. */
  readyIn: (line: string) => T | null
}

export async function launch<T>({ args, cwd = ROOT, logFile, readyIn }: Launch<T>): Promise<Launched<T>> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...args], {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const killWithUs = () => void child.kill('SIGKILL')
  process.once('exit', killWithUs)
  child.once('exit', () => process.off('exit', killWithUs))

  const tail: string[] = []
  const ready = await new Promise<T>((resolve, reject) => {
    const fail = (why: string) => {
      clearTimeout(timer)
      reject(new Error(`${args[0]} ${why}${tail.map((line) => `\n  | ${line}`).join('')}`))
    }
    const timer = setTimeout(() => fail(`was not ready after ${START_TIMEOUT_MS} ms`), START_TIMEOUT_MS)
    child.once('error', (error) => fail(error.message))
    child.once('close', (code) => fail(`ended with code ${code} before it was ready`))
    for (const output of [child.stdout, child.stderr]) {
      createInterface({ input: output }).on('line', (line) => {
        if (logFile) appendFileSync(logFile, `${line}\n`)
        if (tail.push(line) > TAIL_LINES) tail.shift()
        const said = readyIn(line)
        if (said === null) return
        clearTimeout(timer)
        resolve(said)
      })
    }
  }).catch((error) => {
    child.kill('SIGKILL')
    throw error
  })
  return { ready, stop: () => stop(child) }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
  await ended
  clearTimeout(timer)
}

/** Resolves with the URL of the fixture's endpoint. */
export function launchFixture(era: Era): Promise<Launched<string>> {
  return launch({
    args: [join(ROOT, 'test/conformance/fixture/server.ts'), '--era', era],
    readyIn: (line) => /^listening (\S+)$/.exec(line)?.[1] ?? null,
  })
}
