/**
 * The first line of a script (execve(2), "Interpreter scripts"). What env(1) finds there is looked for anew at each start, in the PATH of
 * the server; so it is found here, and then started by its path.
 */
import { basename } from 'node:path'
import { NotAdmitted } from './not-admitted.ts'

export interface Interpreter {
  /** As the line names it: a path, or what env(1) is to find. */
  readonly program: string
  readonly args: readonly string[]
  readonly byEnv: boolean
}

/** `words` after `#!`. Throws {@link NotAdmitted} for what env(1) is told besides. */
export function interpreterOf(words: readonly string[], file: string): Interpreter {
  const [first = '', ...rest] = words
  // The kernel hands on all that follows as one word.
  if (basename(first) !== 'env') return { program: first, args: rest.length > 0 ? [rest.join(' ')] : [], byEnv: false }
  const [program = '', ...args] = /^(-S|--split-string)$/.test(rest[0] ?? '') ? rest.slice(1) : rest
  const odd = rest.find((word) => /['"\\$#]/.test(word)) ?? (program === '' || /^-|=/.test(program) ? program : undefined)
  if (odd !== undefined)
    throw new NotAdmitted({
      file,
      why: `has a first line in which env is told more than a program (${odd.slice(0, 80)})`,
      fix: 'name the interpreter there, or in "command"',
    })
  return { program, args, byEnv: true }
}
