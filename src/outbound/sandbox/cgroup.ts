/**
 * Limits for all processes of a server together, where we may make control groups (cgroups(7)): below our own place, or beside it
 * where a group with processes may have no children that count (cgroup v2, "no internal processes"). Our own process stays where it
 * is. Controllers are turned on in a group that was delegated to us and in which nothing runs, and nowhere else.
 */
import { accessSync, constants, existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

export interface GroupLimits {
  readonly memoryMbMax: number
  readonly processesMax: number
}
export interface Group {
  /** Throws when the process cannot be put there. */
  enter(pid: number): void
  /** Once all its processes are gone. */
  remove(): void
}
/** Makes a group, with that in its name. Throws when that cannot be done. */
export type MakeGroup = (name: string, limits: GroupLimits) => Group

type Setting = readonly [file: string, value: (limits: GroupLimits) => number]
interface Place {
  readonly folder: string
  readonly settings: readonly Setting[]
  /** Not there on every kernel. */
  readonly optional?: readonly Setting[]
}

const mib = 1_048_576
const bytes = ({ memoryMbMax }: GroupLimits): number => memoryMbMax * mib
const processes = ({ processesMax }: GroupLimits): number => processesMax
const noSwap: readonly Setting[] = [['memory.swap.max', () => 0]]
const ours = 'sekisho'
const leftBehind = /^sekisho-(\d+)-/
const removalsMax = 20
const removalMs = 50

/** Undefined where groups that limit memory and processes cannot be made. `root`: where control groups are mounted. */
export function findGroups(root = '/sys/fs/cgroup', membership = '/proc/self/cgroup'): MakeGroup | undefined {
  let lines: string[]
  try {
    lines = readFileSync(membership, 'utf8').split('\n')
  } catch {
    return undefined
  }
  const places = unified(root, lines) ?? byController(root, lines)
  if (places === undefined) return undefined
  for (const { folder } of places) sweep(folder)
  return (name, limits) => makeGroup(places, `${ours}-${process.pid}-${name}`, limits)
}

/** Removes what gateways that are gone have left behind. */
function sweep(folder: string): void {
  for (const name of readdirSync(folder)) {
    const pid = Number(leftBehind.exec(name)?.[1] ?? process.pid)
    if (pid === process.pid || existsSync(`/proc/${pid}`)) continue
    whereThere(() => rmdirSync(join(folder, name)))
  }
}

/** cgroup v2: one tree. */
function unified(root: string, lines: readonly string[]): readonly Place[] | undefined {
  const path = lines.find((line) => line.startsWith('0::'))?.slice(3)
  if (path === undefined) return undefined
  const hasBoth = (folder: string): boolean => {
    const isOn = (file: string): boolean => ['memory', 'pids'].every((one) => readWords(join(folder, file)).includes(one))
    if (isOn('cgroup.subtree_control')) return true
    if (isOn('cgroup.controllers') && readWords(join(folder, 'cgroup.procs')).every((word) => word === ''))
      whereThere(() => writeFileSync(join(folder, 'cgroup.subtree_control'), '+memory +pids'))
    return isOn('cgroup.subtree_control')
  }
  const own = join(root, path)
  const folder = [own, dirname(own)].find((place) => place.startsWith(root) && isWritable(place) && hasBoth(place))
  const settings: readonly Setting[] = [
    ['memory.max', bytes],
    ['pids.max', processes],
  ]
  return folder === undefined ? undefined : [{ folder, settings, optional: noSwap }]
}

/** cgroup v1: a tree for each controller. */
function byController(root: string, lines: readonly string[]): readonly Place[] | undefined {
  const placeOf = (controller: string, settings: readonly Setting[]): Place | undefined => {
    const path = lines.map((line) => line.split(':')).find(([, names]) => names?.split(',').includes(controller))?.[2]
    const folder = path === undefined ? undefined : join(root, controller, path)
    return folder !== undefined && isWritable(folder) ? { folder, settings } : undefined
  }
  const memory = placeOf('memory', [['memory.limit_in_bytes', bytes]])
  const pids = placeOf('pids', [['pids.max', processes]])
  return memory && pids && [memory, pids]
}

function makeGroup(places: readonly Place[], name: string, limits: GroupLimits): Group {
  const folders: string[] = []
  const remove = (left = removalsMax): void => {
    for (const folder of [...folders])
      try {
        rmdirSync(folder)
        folders.splice(folders.indexOf(folder), 1)
      } catch (error) {
        // A process that is being taken down still counts for a moment.
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') folders.splice(folders.indexOf(folder), 1)
      }
    if (folders.length > 0 && left > 0) setTimeout(() => remove(left - 1), removalMs).unref()
  }
  try {
    for (const { folder, settings, optional = [] } of places) {
      const own = join(folder, name)
      mkdirSync(own)
      folders.push(own)
      for (const [file, value] of settings) writeFileSync(join(own, file), String(value(limits)))
      for (const [file, value] of optional) whereThere(() => writeFileSync(join(own, file), String(value(limits))))
    }
  } catch (error) {
    remove()
    throw error
  }
  return {
    enter: (pid) => {
      for (const folder of folders) writeFileSync(join(folder, 'cgroup.procs'), String(pid))
    },
    remove: () => remove(),
  }
}

/** What not every kernel has, or somebody else has done already. */
function whereThere(change: () => void): void {
  try {
    change()
  } catch {
    // then it is as good as done
  }
}

function readWords(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split(/\s+/)
  } catch {
    return []
  }
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK)
    return true
  } catch {
    return false
  }
}
