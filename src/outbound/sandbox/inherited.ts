/**
 * Descriptors that we were given by whoever started us, without the mark that closes them in our children (O_CLOEXEC, open(2)). A
 * server could go through one to a folder outside of its sandbox. Node opens all of its own with the mark, so what is found once is all.
 */
import { readdirSync, readFileSync } from 'node:fs'

const closedOnExec = 0o2000000

/** Those after the three that every program has. */
export function inheritedDescriptors(folder = '/proc/self/fdinfo'): number[] {
  return readdirSync(folder)
    .map(Number)
    .sort((a, b) => a - b)
    .filter((descriptor) => descriptor > 2 && isKept(`${folder}/${descriptor}`))
}

function isKept(file: string): boolean {
  try {
    const [, flags = ''] = /^flags:\s*(\d+)/m.exec(readFileSync(file, 'utf8')) ?? []
    return (Number.parseInt(flags, 8) & closedOnExec) === 0
  } catch {
    return false // the one that the folder was read with
  }
}
