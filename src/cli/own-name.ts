/** What a person types to get this program again: `sekisho` where it is installed, and the whole of it in a checkout. */
import { existsSync, realpathSync } from 'node:fs'
import { join, relative } from 'node:path'

/** `script` and `node` are what runs now; `folder` is where the person types. */
export function ownName(script = process.argv[1] ?? '', node = process.execPath, folder = process.cwd()): string {
  if (!script.endsWith('.ts')) return 'sekisho'
  const own = join(import.meta.dirname, '..', '..', 'node_modules', '.bin', 'node')
  const isOwn = existsSync(own) && realpathSync(own) === realpathSync(node)
  return [isOwn ? own : node, script].map((path) => shellWord(near(path, folder))).join(' ')
}

const near = (path: string, folder: string): string => {
  const short = relative(folder, path)
  return short.startsWith('..') ? path : short
}

/** One word of a shell command, whatever it says. */
export const shellWord = (text: string): string => (/^[\w./:@%+,=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`)
