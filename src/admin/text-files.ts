/** The files of a folder that are text: what scanners read. Nothing is followed out of it, and nothing large is read. */
import { lstat, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileTrouble } from '../lib/file-trouble.ts'

export interface TextFile {
  readonly path: string
  readonly text: string
}
export type Unread = { readonly path: string; readonly why: string }

const bytesMax = 5_242_880
const filesMax = 200_000
const left = new Set(['.git', 'node_modules', '.venv', '__pycache__', '.hg', '.svn'])

/** In a fixed order. A file that is named itself is read whatever it is called; binary files are passed over. */
export async function* textFiles(paths: readonly string[], unread: (file: Unread) => void): AsyncGenerator<TextFile> {
  const waiting = [...paths].reverse().map((path) => ({ path, isNamed: true }))
  let count = 0
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { path, isNamed } = next
    try {
      const stat = await lstat(path)
      if (stat.isDirectory()) {
        const inside = await readdir(path)
        const entered = inside
          .filter((name) => !left.has(name))
          .sort()
          .reverse()
        waiting.push(...entered.map((name) => ({ path: join(path, name), isNamed: false })))
      } else if (!stat.isFile()) {
        if (isNamed) unread({ path, why: 'it is not a file' })
      } else if (stat.size > bytesMax) unread({ path, why: `it has more than ${bytesMax} bytes` })
      else if (++count > filesMax) return unread({ path, why: `there are more than ${filesMax} files` })
      else {
        const bytes = await readFile(path)
        if (!bytes.subarray(0, 8192).includes(0)) yield { path, text: bytes.toString('utf8') }
      }
    } catch (error) {
      unread({ path, why: fileTrouble(error)?.says ?? (error as Error).message })
    }
  }
}

/** Line and column, from 1, of places in one text; `places` in their order. */
export function lineColumns(
  text: string,
  places: readonly number[],
): readonly { readonly line: number; readonly column: number }[] {
  let line = 1
  let start = 0
  let at = text.indexOf('\n')
  return places.map((place) => {
    for (; at !== -1 && at < place; at = text.indexOf('\n', start)) {
      line++
      start = at + 1
    }
    return { line, column: place - start + 1 }
  })
}
