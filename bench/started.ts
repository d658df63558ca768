/**
 * Starting and stopping a subject. Every process started here is ended by its own id: when its user asks, and at the
 * latest when the bench ends.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import type { Issuer } from './issuer.ts'
import { publicText } from './machine.ts'
import type { Front, Launch, Subject } from './subjects.ts'

/** Where the bench runs: the repository, its scratch folder, and the upstream all HTTP subjects share. */
export interface Ground {
  root: string
  scratch: string
  upstreamUrl: string
  issuer: Issuer
}

export interface Started {
  url: string
  /** The root of the subject's process tree; null for `direct`, which has none. */
  pid: number | null
  readyMs: number
  /** What callers have to show; null where nobody asks. */
  token: string | null
  stop: () => Promise<void>
}

const readyTimeoutMs = 30_000
const stopTimeoutMs = 8_000
const running = new Set<ChildProcess>()
process.on('exit', () => {
  // SIGTERM, not SIGKILL: it is what lets a subject end the processes it has started itself.
  for (const child of running) child.kill('SIGTERM')
})

function freePort(): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>()
  const server = createServer().listen(0, '127.0.0.1', () => {
    const { port } = server.address() as AddressInfo
    server.close(() => resolve(port))
  })
  return promise
}

function accepts(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false))
  return promise.finally(() => socket.destroy())
}

async function listening(port: number, gaveUp: AbortSignal): Promise<string> {
  while (!(await accepts(port))) await delay(5, undefined, { signal: gaveUp })
  return `http://127.0.0.1:${port}`
}

async function announced(child: ChildProcess): Promise<string> {
  for await (const line of createInterface({ input: child.stdout! })) {
    if (line.startsWith('{') && line.includes('"listen"')) return (JSON.parse(line) as { listen: string }).listen
  }
  throw new Error('it printed no ready line')
}

/** The line of a failed process's stderr that most likely says why. */
function reason(stderr: string): string {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '')
  const said = lines.findLast((line) => /error|cannot|invalid|refus/i.test(line)) ?? lines.at(-1) ?? 'nothing on stderr'
  return publicText(said.trim().slice(0, 200))
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const { promise, resolve } = Promise.withResolvers<void>()
  child.once('exit', () => resolve())
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs)
  await promise
  clearTimeout(timer)
}

/** Starts a process and waits until it is ready. Throws with the reason where it does not get that far. */
export async function startProcess(launch: Launch, folder: string, port: number, issuer?: Issuer): Promise<Started> {
  mkdirSync(folder, { recursive: true })
  for (const [name, text] of Object.entries(launch.files ?? {})) writeFileSync(join(folder, name), text)
  const [program, ...rest] = launch.argv
  const env = { ...process.env, NODE_ENV: 'production' }
  const began = performance.now()
  const child = spawn(program!, rest, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] })
  running.add(child)
  let stderr = ''
  child.stderr.on('data', (chunk) => {
    stderr = (stderr + chunk).slice(-8_000)
  })
  const gaveUp = new AbortController()
  const ended = Promise.withResolvers<never>()
  ended.promise.catch(() => {})
  child.once('error', (error) => ended.reject(error))
  child.once('close', (code, signal) => {
    running.delete(child)
    ended.reject(new Error(`it ended with ${signal ?? code}: ${reason(stderr)}`))
  })
  const late = setTimeout(
    () => ended.reject(new Error(`not ready in ${readyTimeoutMs / 1000} s: ${reason(stderr)}`)),
    readyTimeoutMs,
  )
  try {
    const ready = launch.ready === 'line' ? announced(child) : listening(port, gaveUp.signal)
    ready.catch(() => {})
    // Where output ends without a ready line, the process is ending too: its exit says more.
    const origin = await Promise.race([ready.catch(() => ended.promise), ended.promise])
    const readyMs = performance.now() - began
    child.stdout.resume()
    const url = origin + launch.endpoint
    const token = launch.asksForToken && issuer ? issuer.token(url) : null
    return { url, pid: child.pid!, readyMs, token, stop: () => stop(child) }
  } catch (error) {
    await stop(child)
    throw error
  } finally {
    clearTimeout(late)
    gaveUp.abort()
  }
}

/** Starts a subject in a folder of its own, or says in one line why it cannot be measured. */
export async function start(subject: Subject, front: Front, ground: Ground): Promise<Started | { unavailable: string }> {
  const port = await freePort()
  const folder = mkdtempSync(join(ground.scratch, `${subject.name.replace(' ', '-')}-`))
  const { root, upstreamUrl, issuer } = ground
  const way = subject.fronts[front]({ root, folder, freePort: port, upstreamUrl, issuerUrl: issuer.url })
  if ('unavailable' in way) return way
  if ('url' in way) return { url: way.url, pid: null, readyMs: 0, token: null, stop: async () => {} }
  try {
    return await startProcess(way, folder, port, issuer)
  } catch (error) {
    return { unavailable: `did not start: ${publicText(error instanceof Error ? error.message : String(error))}` }
  }
}
