/**
 * A subject's processes as Linux's /proc tells them: CPU time and memory of the whole tree, every thread included,
 * without the benchmark's own upstream server where the subject has spawned it. Off Linux every reading is null.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'

/** CPU seconds so far, by process. */
export type CpuReading = Map<number, number>

/** USER_HZ, which Linux fixes at 100 towards user space. */
const ticksPerSecond = 100
const pageBytes = 4096

interface Process {
  parent: number
  cpuSeconds: number
  rssBytes: number
}

/** Fields after the command name, which may itself hold spaces and brackets: proc(5), /proc/pid/stat. */
function readProcess(pid: number): Process | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const ticks = Number(fields[11]) + Number(fields[12])
    return { parent: Number(fields[1]), cpuSeconds: ticks / ticksPerSecond, rssBytes: Number(fields[21]) * pageBytes }
  } catch {
    return null
  }
}

/** A `node …/bench/upstream.ts` process; a shell or sandbox that wraps one is still the subject's. */
function isUpstream(pid: number): boolean {
  try {
    const [program = '', script = ''] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
    return basename(program) === 'node' && script.endsWith('bench/upstream.ts')
  } catch {
    return false
  }
}

function tree(root: number): Map<number, Process> | null {
  let names: string[]
  try {
    names = readdirSync('/proc')
  } catch {
    return null
  }
  const all = new Map<number, Process>()
  for (const name of names) {
    const found = /^\d+$/.test(name) ? readProcess(Number(name)) : null
    if (found) all.set(Number(name), found)
  }
  const within = new Map<number, Process>()
  const add = (pid: number) => {
    const found = all.get(pid)
    if (!found || within.has(pid) || isUpstream(pid)) return
    within.set(pid, found)
    for (const [child, { parent }] of all) if (parent === pid) add(child)
  }
  add(root)
  return within
}

export function readCpu(root: number): CpuReading | null {
  const found = tree(root)
  return found && new Map([...found].map(([pid, { cpuSeconds }]) => [pid, cpuSeconds]))
}

/** CPU seconds between two readings; a process born in between counts in full, one that died in between is lost. */
export function cpuBetween(before: CpuReading | null, after: CpuReading | null): number | null {
  if (!before || !after) return null
  return [...after].reduce((sum, [pid, seconds]) => sum + seconds - (before.get(pid) ?? 0), 0)
}

export function readRssBytes(root: number): number | null {
  const found = tree(root)
  return found && [...found.values()].reduce((sum, { rssBytes }) => sum + rssBytes, 0)
}
