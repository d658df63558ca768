/** The machine the figures come from: facts to print beside them, and nothing that names it. */
import { execFileSync } from 'node:child_process'
import { closeSync, fdatasyncSync, openSync, unlinkSync, writeSync } from 'node:fs'
import { arch, cpus, homedir, hostname, loadavg, platform, release, tmpdir, totalmem } from 'node:os'
import { dirname, join } from 'node:path'
import { percentile } from './statistics.ts'

const root = dirname(import.meta.dirname)

/** Text from a process, without this machine's paths and name. */
export function publicText(text: string): string {
  const named = new RegExp(`\\b${hostname().replaceAll('.', '\\.')}\\b`, 'g')
  return text.replaceAll(root, '.').replaceAll(tmpdir(), '(tmp)').replaceAll(homedir(), '~').replace(named, '(host)')
}

function git(...args: string[]): string | null {
  try {
    return execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  } catch {
    return null
  }
}

export interface Machine {
  date: string
  commit: string
  /** Whether the tree held changes that the commit does not; earlier results are none. */
  changed: boolean
  cpu: string
  cores: number
  memoryGiB: number
  platform: string
  kernel: string
  node: string
  /** Load average over the minute before the run: what else ran. */
  loadBefore: number
}

export function machine(): Machine {
  return {
    date: new Date().toISOString().slice(0, 10),
    commit: git('rev-parse', '--short', 'HEAD') ?? 'uncommitted',
    changed: git('status', '--porcelain', '--', '.', ':!bench/results') !== '',
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    platform: `${platform()} ${arch()}`,
    kernel: release(),
    node: process.version,
    loadBefore: Math.round(loadavg()[0]! * 100) / 100,
  }
}

/** Median of 200 × (append 4 KB, fdatasync) in this folder: what one durable audit record costs at the least. */
export function fsyncP50Ms(folder: string): number {
  const path = join(folder, 'fsync-probe')
  const file = openSync(path, 'w')
  const block = Buffer.alloc(4096, 'x')
  const took = Array.from({ length: 200 }, () => {
    const began = performance.now()
    writeSync(file, block)
    fdatasyncSync(file)
    return performance.now() - began
  })
  closeSync(file)
  unlinkSync(path)
  return percentile(
    took.sort((a, b) => a - b),
    50,
  )
}
