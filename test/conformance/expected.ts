/** Reads the reviewed differences. A line that names no run, or says that nothing differs, is refused. */
import { readFile } from 'node:fs/promises'
import { parse } from 'yaml'
import { z } from 'zod'
import type { ExpectedDifference } from './compare.ts'
import { RUNS } from './runs.ts'

const FILE = new URL('expected-differences.yaml', import.meta.url)

const Verdict = z.enum(['SUCCESS', 'FAILURE', 'WARNING', 'SKIPPED', 'INFO', 'absent'])

const Lines = z.array(
  z
    .strictObject({
      run: z.enum(RUNS.map(({ name }) => name)),
      scenario: z.string(),
      check: z.string(),
      direct: Verdict,
      through: Verdict,
      reason: z.string().min(10),
    })
    .refine(({ direct, through }) => direct !== through, 'direct and through are the same'),
)

export async function readExpectedDifferences(): Promise<ExpectedDifference[]> {
  return Lines.parse(parse(await readFile(FILE, 'utf8')) ?? [])
}
