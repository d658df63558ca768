/**
 * Where the sockets of the ways out are. Whoever connects to one gets out as its server does, and all sandboxes are of one user, so that
 * the mode of a folder keeps none of them away: it is where nothing can be granted (grants.ts).
 */
import { accessSync, constants, mkdtempSync, realpathSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const prefix = 'sekisho-egress-'

/** Of this user, and of nobody's programs: on a system with logins, or where we are root. What is left are the temporary files. */
const place = (): string => {
  const own = [`/run/user/${process.getuid?.()}`, '/run'].find(isOurs)
  return own ?? realpathSync(tmpdir())
}

function isOurs(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK | constants.X_OK)
    const { uid, mode } = statSync(folder)
    return uid === process.getuid?.() && (mode & 0o022) === 0
  } catch {
    return false
  }
}

/** For us alone. */
export const newSocketFolder = (): string => mkdtempSync(join(place(), prefix))

/** Stands for all of them, also those of another gateway and those to come: what holds it may be granted to no server. */
export const socketFolders = (): string => join(place(), prefix)

export const isSocketFolder = (path: string): boolean => path.split('/').some((name) => name.startsWith(prefix))
