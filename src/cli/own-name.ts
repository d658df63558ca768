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

/** One word of a shell command, whatever it says; what a terminal would act on or hide is spelt out, as bash and zsh read it. */
export function shellWord(text: string): string {
  if (/^[\w./:@%+,=-]+$/.test(text)) return text
  if (!unseen.test(text)) return `'${text.replaceAll("'", "'\\''")}'`
  const spelt = text.replace(/[\\']/g, '\\$&').replace(new RegExp(unseen, 'gu'), bytesOf)
  return `$'${spelt}'`
}

const unseen = /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Cs}\p{Zl}\p{Zp}]/u
const bytesOf = (sign: string): string =>
  [...Buffer.from(sign)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')
