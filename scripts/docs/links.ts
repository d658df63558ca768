import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { root } from '../child.ts'
import { type Document, lineAt } from './documents.ts'

/** Every relative link leads to a file, and where it has a fragment, to a heading in it. */
export function deadLinks({ file, prose, text }: Document): string[] {
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(({ 1: link = '', index }) => {
    const [path = '', fragment] = link.split('#')
    if (/^[a-z]+:/.test(path)) return []
    const target = path === '' ? file : join(dirname(file), decodeURIComponent(path))
    const at = `${file}:${lineAt(prose, index)}`
    if (!existsSync(join(root, target))) return [`${at}: ${link} leads nowhere`]
    if (fragment === undefined || !target.endsWith('.md')) return []
    const headings = headingsOf(path === '' ? text : readFileSync(join(root, target), 'utf8'))
    return headings.includes(fragment) ? [] : [`${at}: there is no heading #${fragment} in ${target}`]
  })
}

/** As GitHub names them. */
const headingsOf = (text: string): string[] =>
  [...text.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
