/**
 * What the configuration grants, looked at on the disk before each start. A server that may write a folder may put a link there, so
 * whatever lies in it could by now lead anywhere: nothing in a writable folder is granted a second time. Files of ours are never granted.
 */
import { isSocketFolder } from './egress/socket-folder.ts'
import { isWithin, realPath } from './paths.ts'
import { SandboxRefused } from './refused.ts'

export interface Grants {
  readonly read: readonly string[]
  readonly write: readonly string[]
}

/** Not only what is in them: a server that sees the processes of others, or devices, is in no sandbox. */
const neverGranted = ['/proc', '/sys', '/dev']
const tooMuch = ['/', '/run', '/var', '/var/run', '/etc', '/home', '/root']
/** Of everybody who is logged in: the sockets of all that runs for them (XDG Base Directory Specification, XDG_RUNTIME_DIR). */
const sessions = /^\/run\/user(\/\d+)?$/

/** Why a path cannot be granted, whatever is there; undefined for one that can. */
export function neverFor(path: string): string | undefined {
  if (neverGranted.some((folder) => isWithin(path, folder))) return `is part of ${neverGranted.join(', ')}`
  if (isSocketFolder(path)) return 'is the way out of a sandbox'
  return tooMuch.includes(path) || sessions.test(path) ? 'is more than a server can need' : undefined
}

export interface Circumstances {
  /** Files of ours, all links followed. */
  readonly withheld: readonly string[]
  /** Folders that any server may write. */
  readonly written: readonly string[]
  /** What the server's own program consists of. */
  readonly program: readonly string[]
}

/** Throws {@link SandboxRefused} for the first that cannot be granted. */
export function checkGrants({ read, write }: Grants, { withheld, written, program }: Circumstances): void {
  const writable = write.map((path) => mustBeThere(path, 'write'))
  for (const path of [...read, ...program]) {
    const real = mustBeThere(path, 'read')
    const folder = write.find((other, at) => isWithin(real, writable[at] as string) || isWithin(path, other))
    if (folder !== undefined)
      throw new SandboxRefused(
        `${path} lies in ${folder}, which the server may write, so it may have become something else`,
        'keep what is only read outside of what is written',
      )
  }
  for (const [at, one] of writable.entries()) {
    const outer = writable.findIndex((other, place) => place !== at && isWithin(one, other))
    if (outer !== -1)
      throw new SandboxRefused(`"write" names ${write[at]}, which lies in ${write[outer]}`, 'name the outer one only')
  }
  const theirs = written.flatMap((folder) => realPath(folder) ?? [])
  for (const path of [...read, ...write, ...program]) {
    const real = realPath(path) as string
    // The folder as a whole may be shared: what leads to it is not in it.
    const folder = theirs.find((other) => other !== real && isWithin(real, other))
    if (folder !== undefined)
      throw new SandboxRefused(
        `${path} lies in ${folder}, which another server may write, so it may have become something else`,
        'grant that folder as a whole, or keep the two apart',
      )
    const never = neverFor(real)
    if (never !== undefined) throw new SandboxRefused(`${path} leads to ${real}, which ${never}`, 'name what the server needs')
    const ours = withheld.find((file) => isWithin(file, real))
    if (ours !== undefined)
      throw new SandboxRefused(
        `${path} holds ${ours}, a file of the gateway`,
        'name a narrower folder, or keep that file elsewhere',
      )
  }
  for (const [at, path] of writable.entries()) {
    const around = withheld.find((folder) => isWithin(path, folder))
    if (around !== undefined)
      throw new SandboxRefused(`${write[at]} lies in ${around}, a folder of the gateway`, 'name a folder outside of it')
  }
}

function mustBeThere(path: string, key: keyof Grants): string {
  const real = realPath(path)
  if (real === undefined)
    throw new SandboxRefused(`"${key}" names ${path}, which is not there`, 'make it, or remove it from "sandbox"')
  return real
}
