/**
 * How often the scan of definitions is right: over folders of JSON lines with `label` (1: an attack) and a `tool` or a `text`.
 *
 *   node scripts/measure-scan.ts FOLDER… [--list] [--missed] [--medium] [--match PATTERN]
 *
 * Prints a row for each file and one for each rule. `--list` prints every high finding on a benign row, `--missed` the attacks
 * without any. What it reads is somebody else's text: it is printed with everything visible, and never kept.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { parseArgs } from 'node:util'
import type { JsonObject } from '../src/lib/strict-json.ts'
import type { Definition } from '../src/trust/definition.ts'
import type { ScanFinding } from '../src/trust/scan/finding.ts'
import { scanDefinition } from '../src/trust/scan/scan.ts'
import { visible } from '../src/trust/scan/shown.ts'

interface DataRow {
  readonly text: string
  readonly label: number
  readonly id: string
  readonly server?: string
  readonly tool?: JsonObject & { readonly name?: string }
}

const { values: options, positionals: folders } = parseArgs({
  allowPositionals: true,
  options: {
    list: { type: 'boolean', default: false },
    medium: { type: 'boolean', default: false },
    missed: { type: 'boolean', default: false },
    match: { type: 'string', default: '^(tool_metadata|overt_malicious_tool)' },
  },
})

/** Function-calling sets call the schema `parameters` and an object `dict`. */
function definitionOf(row: DataRow): Definition {
  const { name = 'unnamed', parameters, ...rest } = row.tool ?? { description: row.text }
  const body = { name, ...rest, ...(parameters === undefined ? {} : { inputSchema: parameters }) } as JsonObject
  return { kind: 'tool', name: String(name), body }
}

const weight = { info: 0, low: 1, medium: 2, high: 3, critical: 4 } as const
const worst = (findings: readonly ScanFinding[]): number => Math.max(0, ...findings.map(({ severity }) => weight[severity]))
const percent = (part: number, whole: number): string => (whole === 0 ? '-' : `${((100 * part) / whole).toFixed(2)} %`)

interface Tally {
  rows: number
  high: number
  medium: number
}
const byRule = new Map<string, { benign: number; attacks: number }>()
const pad = (cells: readonly (string | number)[]): string =>
  cells.map((cell, at) => (at === 0 ? String(cell).padEnd(52) : String(cell).padStart(11))).join('')

process.stdout.write(`${pad(['file', 'rows', 'high+', '', 'medium+', ''])}\n`)
const began = performance.now()
let chars = 0
const whole: { benign: Tally; attacks: Tally } = {
  benign: { rows: 0, high: 0, medium: 0 },
  attacks: { rows: 0, high: 0, medium: 0 },
}
for (const folder of folders) {
  const files = readdirSync(folder).filter((file) => file.endsWith('.jsonl') && new RegExp(options.match).test(file))
  for (const file of files.sort()) {
    const lines = readFileSync(join(folder, file), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
    const tallies: Tally[] = [0, 1].map(() => ({ rows: 0, high: 0, medium: 0 }))
    for (const line of lines) {
      chars += line.length
      const row = JSON.parse(line) as DataRow
      const findings = scanDefinition(definitionOf(row), { server: row.server ?? 'measured' })
      const tally = tallies[row.label] as Tally
      const level = worst(findings)
      tally.rows++
      if (level >= weight.high) tally.high++
      if (level >= weight.medium) tally.medium++
      for (const rule of new Set(findings.map(({ rule }) => rule))) {
        const counted = byRule.get(rule) ?? { benign: 0, attacks: 0 }
        counted[row.label === 1 ? 'attacks' : 'benign']++
        byRule.set(rule, counted)
      }
      const listed =
        options.list && row.label === 0 ? findings.filter(({ severity }) => weight[severity] >= (options.medium ? 2 : 3)) : []
      for (const { rule, at, shown } of listed) process.stdout.write(`  ${row.id} ${rule} ${at.path} ${shown}\n`)
      if (options.missed && row.label === 1 && level < weight.medium)
        process.stdout.write(`  missed ${row.id} ${visible(row.text).slice(0, 400)}\n`)
    }
    for (const [label, { rows, high, medium }] of tallies.entries()) {
      if (rows === 0) continue
      const sum = label === 1 ? whole.attacks : whole.benign
      sum.rows += rows
      sum.high += high
      sum.medium += medium
      const title = `${basename(folder)}/${file} ${label === 1 ? 'attacks' : 'benign'}`
      process.stdout.write(`${pad([title, rows, high, percent(high, rows), medium, percent(medium, rows)])}\n`)
    }
  }
}
for (const [title, { rows, high, medium }] of Object.entries(whole))
  process.stdout.write(`${pad([`all ${title}`, rows, high, percent(high, rows), medium, percent(medium, rows)])}\n`)
process.stdout.write(`\n${pad(['rule', 'benign', 'attacks'])}\n`)
for (const [rule, { benign, attacks }] of [...byRule].sort(([a], [b]) => (a < b ? -1 : 1)))
  process.stdout.write(`${pad([rule, benign, attacks])}\n`)
const seconds = (performance.now() - began) / 1000
process.stdout.write(`\n${(chars / 1e6 / seconds).toFixed(1)} million characters a second\n`)
