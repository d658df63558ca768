/**
 * How well the secret scanner does on labelled texts: `node scripts/measure-secrets.ts FOLDER… [--list]`. Reads every `secrets.*.jsonl`
 * and prints, for each file, how many positives were found and how many negatives were flagged. `--list` prints the misses and
 * the false alarms by rule and place, without their text.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { findSecrets } from '../src/lib/secret-patterns.ts'

interface Row {
  readonly text: string
  readonly label: 0 | 1
  readonly id: string
  readonly rule?: string
}
interface Tally {
  readonly file: string
  readonly positives: number
  readonly found: number
  readonly negatives: number
  readonly flagged: number
  readonly certain: number
  readonly microsecondsPerKilobyte: number
}

const folders = process.argv.slice(2).filter((word) => !word.startsWith('--'))
const isListing = process.argv.includes('--list')

function measure(folder: string, file: string): Tally {
  const rows = readFileSync(join(folder, file), 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Row)
  const began = performance.now()
  const seen = rows.map((row) => ({ row, found: findSecrets(row.text) }))
  const tookMs = performance.now() - began
  const bytes = rows.reduce((sum, { text }) => sum + text.length, 0)
  const count = (label: 0 | 1, isFound: boolean): number =>
    seen.filter(({ row, found }) => row.label === label && found.length > 0 === isFound).length
  if (isListing)
    for (const { row, found } of seen.filter(({ row, found }) => found.length > 0 !== (row.label === 1)))
      process.stdout.write(
        `${row.id}\t${row.rule ?? ''}\t${found.map(({ rule, start, end }) => `${rule} ${start}-${end}`).join(', ')}\n`,
      )
  return {
    file,
    positives: count(1, true) + count(1, false),
    found: count(1, true),
    negatives: count(0, true) + count(0, false),
    flagged: count(0, true),
    certain: seen.filter(({ row, found }) => row.label === 0 && found.some(({ certainty }) => certainty === 'certain')).length,
    microsecondsPerKilobyte: Math.round((tookMs * 1000) / (bytes / 1024)),
  }
}

console.table(
  folders.flatMap((folder) =>
    readdirSync(folder)
      .filter((file) => (process.argv.includes('--all') || file.startsWith('secrets.')) && file.endsWith('.jsonl'))
      .map((file) => measure(folder, file)),
  ),
)
