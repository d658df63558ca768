/** The rules of the scan: the references say of each what the tables in the sources say, and examples set off what they are of. */

import { families } from '../../src/trust/scan/families.ts'
import type { Row } from '../../src/trust/scan/finding.ts'
import { scanDefinition } from '../../src/trust/scan/scan.ts'
import { supplyRows } from '../../src/trust/supply/entry-rows.ts'
import type { Document } from './documents.ts'

const reference = 'docs/reference/scan-rules.md'
const supplyReference = 'docs/reference/supply-rules.md'
const rules: Readonly<Record<string, Row>> = Object.assign({}, ...families.map(({ rows }) => rows))

interface Line {
  readonly line: number
  readonly cells: readonly string[]
}

export function rulesOutOfStep(documents: readonly Document[]): string[] {
  return [...trustOutOfStep(documents), ...supplyOutOfStep(documents)]
}

/** A row for each rule, word for word, and none besides. */
function supplyOutOfStep(documents: readonly Document[]): string[] {
  const text = documents.find(({ file }) => file === supplyReference)?.text
  if (text === undefined) return [`${supplyReference}:1: is missing`]
  const lines = text.split('\n').filter((line) => /^\| `/.test(line))
  const wanted = Object.entries(supplyRows).map(([id, { severity, says }]) => `| \`${id}\` | ${severity} | ${says} |`)
  return [
    ...wanted.filter((line) => !lines.includes(line)).map((line) => `${supplyReference}:1: is missing: ${line}`),
    ...lines.filter((line) => !wanted.includes(line)).map((line) => `${supplyReference}:1: is no rule: ${line}`),
  ]
}

function trustOutOfStep(documents: readonly Document[]): string[] {
  const text = documents.find(({ file }) => file === reference)?.text
  if (text === undefined) return [`${reference}:1: is missing`]
  const lines = new Map<string, Line>()
  for (const [at, row] of text.split('\n').entries()) {
    const cells = row.split(/(?<!\\)\|/).map((cell) => cell.trim().replace(/\\\|/g, '|'))
    const [, id] = /^`(trust\/[a-z-]+)`$/.exec(cells[1] ?? '') ?? []
    if (id !== undefined) lines.set(id, { line: at + 1, cells: cells.slice(2) })
  }
  const strange = [...lines].filter(([id]) => !Object.hasOwn(rules, id))
  return [
    ...strange.map(([id, { line }]) => `${reference}:${line}: there is no rule ${id}`),
    ...Object.entries(rules).flatMap(([id, row]) => faultsOf(id, row, lines.get(id))),
  ]
}

function faultsOf(id: string, { severity, owasp, says }: Row, found: Line | undefined): string[] {
  if (found === undefined) return [`${reference}:1: ${id} is missing`]
  const place = `${reference}:${found.line}: ${id}`
  const wrong = [severity, owasp, says].flatMap((cell, at) =>
    found.cells[at] === cell ? [] : [`${place}: "${found.cells[at]}" should be "${cell}"`],
  )
  const [, , , why = '', example = ''] = found.cells
  if (why === '' || example === '') wrong.push(`${place}: says neither why nor shows an example`)
  return isSilent(id, example) ? [...wrong, `${place}: its example does not set it off`] : wrong
}

/** An example that is nothing but code is a description, with escapes as JSON has them. */
function isSilent(id: string, example: string): boolean {
  const [, code] = /^`([^`]+)`$/.exec(example) ?? []
  if (code === undefined) return false
  const description = JSON.parse(`"${code.replace(/"/g, '\\"')}"`) as string
  const found = scanDefinition({ kind: 'tool', name: 'do_it', body: { name: 'do_it', description } }, { server: 'here' })
  return found.every(({ rule }) => rule !== id)
}
