/**
 * The processes and folders of one test file. Everything started here is gone after close(), whatever the test did; a
 * process that outlives its test would be the first thing that makes the next one flicker.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { ROOT } from '../../conformance/launch.ts'
import { until } from './until.ts'

export const cli = join(ROOT, 'src/cli/main.ts')
export const upstreamOne = join(import.meta.dirname, 'upstream-one.ts')
export const upstreamTwo = join(import.meta.dirname, 'upstream-two.ts')
/** A command for a configuration: node with these arguments. */
export const node = (...args: string[]): string[] => [process.execPath, '--disable-warning=ExperimentalWarning', ...args]

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}
export interface Running {
  readonly child: ChildProcess
  readonly pid: number
  /** What it printed, on stdout and stderr, a line each. */
  readonly out: readonly string[]
  readonly errors: readonly string[]
  readonly ended: Promise<Ended>
}
export interface StartOptions {
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
  /** Leave stdin and stdout to the test, unread. */
  readonly rawStdio?: true
}
export interface Gateway extends Running {
  readonly url: string
  readonly admin: string
  readonly folder: string
  readonly configFile: string
  /** Replaces the configuration file; the running gateway takes it over. */
  rewrite(config: object | string): void
  /** The outcomes that the gateway told of, newest last. */
  outcomes(): readonly Record<string, unknown>[]
}

export const everything = { effect: 'allow', server: '*', tools: ['*'], prompts: ['*'], resources: ['*'], asks: ['*'] }

/** A whole configuration around these servers: everything allowed to everyone, nothing limited, any free port. */
export const configFor = (servers: object, changes: object = {}): object => ({
  listen: '127.0.0.1:0',
  admin: { listen: '127.0.0.1:0' },
  store: 'sqlite:./data/sekisho.db',
  identity: { mode: 'anonymous' },
  servers,
  roles: { all: [everything] },
  bindings: [{ role: 'all', anonymous: true }],
  limits: { principal: { perMinute: 'unlimited', concurrent: 'unlimited' } },
  ...changes,
})

export class Yard {
  readonly #running = new Set<Running>()
  readonly #folders: string[] = []

  folder(): string {
    const folder = mkdtempSync(join(tmpdir(), 'sekisho-e2e-'))
    this.#folders.push(folder)
    return folder
  }

  /** Starts node with these arguments. */
  start(args: readonly string[], { cwd = ROOT, env = process.env, rawStdio }: StartOptions = {}): Running {
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...args], { cwd, env })
    const out: string[] = []
    const errors: string[] = []
    if (!rawStdio) createInterface({ input: child.stdout }).on('line', (line) => out.push(line))
    createInterface({ input: child.stderr }).on('line', (line) => errors.push(line))
    child.stdin.on('error', () => undefined)
    const killWithUs = (): void => void child.kill('SIGKILL')
    process.once('exit', killWithUs)
    const ended = new Promise<Ended>((resolve) => {
      child.once('close', (code, signal) => {
        process.off('exit', killWithUs)
        resolve({ code, signal })
      })
    })
    const running: Running = { child, pid: child.pid as number, out, errors, ended }
    this.#running.add(running)
    void ended.then(() => this.#running.delete(running))
    return running
  }

  /** Starts a server that says `listening URL` on stderr. */
  async upstream(file: string, ...args: string[]): Promise<Running & { readonly url: string }> {
    const running = this.start([file, ...args])
    const url = await until(`${file} ${args.join(' ')} listens`, () => said(running, /^listening (\S+)$/))
    return { ...running, url }
  }

  /** `flags` are for its Node: `--max-old-space-size=64`, and what is kept without bound ends it. */
  async gateway(config: object, ...flags: string[]): Promise<Gateway> {
    const folder = this.folder()
    const configFile = join(folder, 'sekisho.yaml')
    const rewrite = (next: object | string): void =>
      writeFileSync(configFile, typeof next === 'string' ? next : JSON.stringify(next))
    rewrite(config)
    const running = this.start([...flags, cli, 'start', '--config', configFile, '--json'], { cwd: folder })
    const isReady = (): string | undefined => running.out.find((line) => line.startsWith('{"event":"ready"'))
    const ready = await until('the gateway is ready', () => isReady() ?? failedToStart(running))
    const { listen, admin } = JSON.parse(ready) as { listen: string; admin: string }
    const outcomes = () =>
      running.out
        .filter((line) => line.startsWith('{"event":"outcome"'))
        .map((line) => JSON.parse(line) as Record<string, unknown>)
    return { ...running, url: listen, admin, folder, configFile, rewrite, outcomes }
  }

  async close(): Promise<void> {
    const running = [...this.#running]
    for (const { child } of running) child.kill('SIGTERM')
    const timer = setTimeout(() => running.forEach(({ child }) => void child.kill('SIGKILL')), 8000)
    await Promise.all(running.map(({ ended }) => ended))
    clearTimeout(timer)
    for (const folder of this.#folders) rmSync(folder, { recursive: true, force: true })
  }
}

function said({ errors, child }: Running, pattern: RegExp): string | undefined {
  if (child.exitCode !== null) throw new Error(`it ended: ${errors.join('\n')}`)
  return errors.map((line) => pattern.exec(line)?.[1]).find((found) => found !== undefined)
}

function failedToStart({ child, errors, out }: Running): undefined {
  if (child.exitCode !== null) throw new Error(`the gateway did not start:\n${[...out, ...errors].join('\n')}`)
  return undefined
}

/** True while a process with this id runs. One that has ended counts as gone, whether or not somebody has waited for it. */
export function alive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return process.platform !== 'linux' || !/^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

/** The processes that this one has started and that still run. */
export function children(pid: number): number[] {
  const listed = spawnSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' }).stdout
  const pairs = listed
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number) as [number, number])
  return pairs.filter(([child, parent]) => parent === pid && alive(child)).map(([child]) => child)
}
