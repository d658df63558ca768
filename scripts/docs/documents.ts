/** The Markdown files of the repository, and what stands in them. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../child.ts'

export interface Block {
  readonly language: string
  /** Of its first line, from 1. */
  readonly line: number
  readonly text: string
}
export interface Document {
  /** Relative to the root. */
  readonly file: string
  readonly text: string
  readonly blocks: readonly Block[]
  /** `code` in running text. */
  readonly spans: readonly { readonly line: number; readonly text: string }[]
  /** The text outside of code, with every line in its place. */
  readonly prose: string
}

/** Everything that git knows or would take up. */
function files(): string[] {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], {
    cwd: root,
    encoding: 'utf8',
  })
  return listed.split('\n').filter((file) => file !== '' && existsSync(join(root, file)))
}

export function readDocument(file: string, text: string): Document {
  const blocks: Block[] = []
  const lines = text.split('\n')
  for (let at = 0; at < lines.length; at++) {
    const [, fence, language = ''] = /^\s*(```+|~~~+)\s*(\w*)/.exec(lines[at] as string) ?? []
    if (fence === undefined) continue
    const first = at + 1
    for (at = first; at < lines.length && !(lines[at] as string).trimStart().startsWith(fence); at++);
    blocks.push({ language, line: first + 1, text: lines.slice(first, at).join('\n') })
  }
  const inBlock = (line: number): boolean =>
    blocks.some((block) => line >= block.line - 1 && line <= block.line + block.text.split('\n').length)
  const outside = lines.map((line, at) => (inBlock(at + 1) ? '' : line))
  const spans = outside.flatMap((line, at) =>
    [...line.matchAll(/`([^`]+)`/g)].map(([, code]) => ({ line: at + 1, text: code as string })),
  )
  return { file, text, blocks, spans, prose: outside.map((line) => line.replace(/`[^`]*`/g, '')).join('\n') }
}

export const documents = (): Document[] => files().map((file) => readDocument(file, readFileSync(join(root, file), 'utf8')))

/** The line of an offset, from 1. */
export const lineAt = (text: string, offset: number): number => text.slice(0, offset).split('\n').length
