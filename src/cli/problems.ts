/** Errors as people read them: a mistake in the configuration with its place and a caret, anything else in one line. */
import { readFileSync } from 'node:fs'
import { maskedText } from '../config/masked.ts'
import { ConfigRefused, type Problem } from '../config/problem.ts'
import { fileTrouble } from '../lib/file-trouble.ts'
import { plain, styled } from './table.ts'

const excerptMax = 120

/** On stderr, with excerpts of `file`. */
export function printProblems(file: string, problems: readonly Problem[], kind: Kind = 'error'): void {
  process.stderr.write(problemsText(file, problems, textOf(file), process.stderr, kind))
}

type Kind = 'error' | 'warning'

/** Empty where there are none. */
export function problemsText(
  file: string,
  problems: readonly Problem[],
  text: string,
  stream: NodeJS.WriteStream,
  kind: Kind = 'error',
): string {
  if (problems.length === 0) return ''
  const lines = maskedText(text).split(/\r?\n/)
  const count = problems.length === 1 ? `1 ${kind}` : `${problems.length} ${kind}s`
  const each = problems.map((problem) => problemText(file, problem, lines[problem.line - 1] ?? '', stream))
  return `${each.join('\n')}\n${styled(kind === 'error' ? 'red' : 'yellow', count, stream)} in ${file}\n`
}

/** Place and message, the line with a caret under it, and what to do. A long line is shown from a little before the place. */
function problemText(file: string, problem: Problem, source: string, stream: NodeJS.WriteStream): string {
  const { path, line, column, message, fix } = problem
  const place = styled('bold', `${file}:${line}:${column}`, stream)
  const head = `${place} ${path === '' ? '' : `${styled('cyan', plain(path), stream)} `}${plain(message)}\n`
  const advice = `  ${styled('green', 'fix', stream)} ${plain(fix)}\n`
  if (source.trim() === '') return head + advice
  const from = column > excerptMax - 20 ? column - 40 : 0
  const gutter = `${line} |`
  const excerpt = `  ${styled('dim', gutter, stream)} ${unmoved(source.slice(from, from + excerptMax))}\n`
  const caret = `  ${styled('dim', '|'.padStart(gutter.length), stream)} ${' '.repeat(column - 1 - from)}${styled('red', '^', stream)}\n`
  return head + excerpt + caret + advice
}

/** Control characters become spaces one by one, so that the caret stays under its column. */
const unmoved = (source: string): string => source.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, ' ').trimEnd()

interface Telling {
  readonly json?: boolean | undefined
  readonly exitCode?: number
}

/** Runs a command's work; a refusal or a plain error ends in sentences and an exit code, never in a stack trace. */
export async function told(file: string, work: () => Promise<void>, { json, exitCode = 1 }: Telling = {}): Promise<void> {
  try {
    await work()
  } catch (error) {
    process.exitCode = exitCode
    const trouble = fileTrouble(error)
    const message = plain(trouble?.file === undefined ? messageOf(error) : `${trouble.file} ${trouble.says}`)
    const problems = error instanceof ConfigRefused ? error.problems : undefined
    const fix = fixOf(error) ?? trouble?.fix
    if (json)
      process.stderr.write(`${JSON.stringify({ error: message, ...(fix && { fix }), ...(problems && { file, problems }) })}\n`)
    else if (problems) printProblems(file, problems)
    else {
      process.stderr.write(`${styled('red', 'error', process.stderr)} ${message}\n`)
      if (fix !== undefined) process.stderr.write(`  ${styled('green', 'fix', process.stderr)} ${fix}\n`)
    }
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** What a refusal of ours advises. */
function fixOf(error: unknown): string | undefined {
  const fix: unknown = error instanceof Error && 'fix' in error ? error.fix : undefined
  return typeof fix === 'string' ? plain(fix) : undefined
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
