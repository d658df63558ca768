import { basename } from 'node:path'
import type { Finding } from '../../pipeline/guard.ts'
import { languageOf, readCode } from '../../trust/supply/statics.ts'
import { judgeScripts } from '../../trust/supply/statics-scripts.ts'
import { textFiles, type Unread } from '../text-files.ts'

export interface CodePlace extends Finding {
  readonly file: string
  readonly line: number
  readonly column: number
}
export interface CodeChecked {
  readonly files: number
  readonly findings: readonly CodePlace[]
  /** Minified, too large, or not to be read: nothing is known of those. */
  readonly unread: readonly Unread[]
}

/** Mistakes in the source of servers, and what their packages do while they are installed. Nothing is run. */
export async function supplyCode(paths: readonly string[]): Promise<CodeChecked> {
  const unread: Unread[] = []
  const findings: CodePlace[] = []
  let files = 0
  for await (const { path, text } of textFiles(paths, (file) => unread.push(file))) {
    const language = languageOf(path)
    if (basename(path) === 'package.json') {
      files++
      const scripts = scriptsOf(text)
      if (scripts === undefined) unread.push({ path, why: 'it is no JSON' })
      else
        findings.push(
          ...judgeScripts(scripts).map((one) => ({ ...one, file: path, line: lineOf(text, one.evidence), column: 1 })),
        )
    } else if (language !== undefined && !/\.d\.[cm]?ts$/.test(path)) {
      files++
      const report = readCode(text, language)
      if ('unread' in report) unread.push({ path, why: report.unread })
      else findings.push(...report.findings.map((one) => ({ ...one, file: path })))
    }
  }
  return { files, findings, unread }
}

function scriptsOf(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const { scripts = {} } = JSON.parse(text) as { scripts?: Record<string, unknown> }
    return typeof scripts === 'object' && scripts !== null ? scripts : {}
  } catch {
    return undefined
  }
}

/** The line of the script that the finding begins with. */
function lineOf(text: string, evidence: string): number {
  const [name = ''] = /^"\w+"/.exec(evidence) ?? []
  return text.slice(0, Math.max(0, text.indexOf(`${name}:`))).split('\n').length
}
