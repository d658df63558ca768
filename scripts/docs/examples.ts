/** TypeScript in the documents is a part of a program in examples/, word for word. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../child.ts'
import type { Document } from './documents.ts'

const bare = (text: string): string =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean)
    .join('\n')

/** Where readers try things: a block that begins with `// examples/…` is that whole file; another one is in one of them. */
export function strayExamples(documents: readonly Document[]): string[] {
  const folder = join(root, 'examples')
  const programs = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.ts')) : []
  const read = (name: string): string => bare(readFileSync(join(folder, name), 'utf8'))
  const tried = documents.filter(({ file }) => file === 'README.md' || file.startsWith('docs/guides/'))
  return tried.flatMap(({ file, blocks }) =>
    blocks.flatMap(({ language, line, text }) => {
      if (!['ts', 'typescript'].includes(language)) return []
      const [first = '', named] = /^\/\/ examples\/(\S+)\n/.exec(text) ?? []
      if (named === undefined)
        return programs.some((name) => read(name).includes(bare(text))) ? [] : [`${file}:${line}: is in no program of examples/`]
      if (!programs.includes(named)) return [`${file}:${line}: there is no examples/${named}`]
      return bare(text.slice(first.length)) === read(named) ? [] : [`${file}:${line}: differs from examples/${named}`]
    }),
  )
}
