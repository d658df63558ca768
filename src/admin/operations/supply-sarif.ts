import { readFile } from 'node:fs/promises'
import { type Gate, gateOf, readSarif, type SarifFinding } from '../../trust/supply/statics-sarif.ts'

export type { SarifFinding } from '../../trust/supply/statics-sarif.ts'

export interface SarifJudged extends Gate {
  readonly file: string
  readonly findings: readonly SarifFinding[]
}

/** Each file of findings, and whether what was analysed may be admitted. A file that cannot be read is not one without findings. */
export async function supplySarif(
  files: readonly string[],
  refuseFrom: Parameters<typeof gateOf>[1],
): Promise<readonly SarifJudged[]> {
  const judged: SarifJudged[] = []
  for (const file of files) {
    try {
      const report = readSarif(await readFile(file, 'utf8'))
      judged.push({ file, findings: report.findings, ...gateOf(report, refuseFrom) })
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      judged.push({ file, findings: [], outcome: 'not-checked', why: `it cannot be read: ${code ?? message}` })
    }
  }
  return judged
}
