/** What lies in what, by the names alone. Absolute, normal paths of a system with slashes, which is the only kind with a sandbox. */
import { realpathSync } from 'node:fs'

/** True for the folder itself too. */
export const isWithin = (path: string, folder: string): boolean =>
  path === folder || path.startsWith(folder === '/' ? '/' : `${folder}/`)

/** Without those that lie in another one, in order, parents first. */
export function outermost(paths: readonly string[]): string[] {
  const sorted = [...new Set(paths)].sort()
  return sorted.filter((path) => !sorted.some((other) => other !== path && isWithin(path, other)))
}

/** Where a path leads, all links followed; undefined where nothing is. */
export function realPath(path: string): string | undefined {
  try {
    return realpathSync(path)
  } catch {
    return undefined
  }
}
