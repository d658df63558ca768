/** Codes of refusals: every one shown exists, and the reference says of each what the table in the source says. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { errors, type RefusalCode } from '../../src/protocol/refusal-texts.ts'
import { root } from '../child.ts'
import type { Document } from './documents.ts'

const reference = 'docs/reference/errors.md'

/** A word in capitals with an underscore is a code, unless the source knows it as something else: a variable, a constant. */
export function unknownCodes(documents: readonly Document[]): string[] {
  const folder = join(root, 'src')
  const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
  const source = sources.map((file) => readFileSync(join(folder, file), 'utf8')).join('\n')
  return documents.flatMap(({ file, spans }) =>
    spans
      .filter(
        ({ text }) =>
          /^[A-Z]+(_[A-Z]+)+$/.test(text) && !Object.hasOwn(errors, text) && !new RegExp(`\\b${text}\\b`).test(source),
      )
      .map(({ line, text }) => `${file}:${line}: there is no code ${text}`),
  )
}

export function codesOutOfStep(documents: readonly Document[]): string[] {
  const text = documents.find(({ file }) => file === reference)?.text
  if (text === undefined) return [`${reference}:1: is missing`]
  const rows = new Map<string, { line: number; cells: readonly string[] }>()
  for (const [at, row] of text.split('\n').entries()) {
    const cells = row.split('|').map((cell) => cell.trim())
    const [, code] = /^`([A-Z_]+)`$/.exec(cells[1] ?? '') ?? []
    if (code !== undefined) rows.set(code, { line: at + 1, cells: cells.slice(2, 6) })
  }
  const strange = [...rows]
    .filter(([code]) => !Object.hasOwn(errors, code))
    .map(([code, { line }]) => `${reference}:${line}: there is no code ${code}`)
  const wrong = (Object.keys(errors) as RefusalCode[]).flatMap((code) => {
    const row = rows.get(code)
    if (row === undefined) return [`${reference}:1: ${code} is missing`]
    const { http, rpc, says, fix } = errors[code]
    const wanted = [String(http), String(rpc), says, fix]
    return wanted.flatMap((cell, at) =>
      row.cells[at] === cell ? [] : [`${reference}:${row.line}: ${code}: "${row.cells[at]}" should be "${cell}"`],
    )
  })
  return [...strange, ...wrong]
}
