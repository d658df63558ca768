/**
 * How an entry looks that goes through Sekisho: `… sekisho run --id NAME -- COMMAND ARGS` or `… -- URL`. It has to be known again
 * whichever copy of Sekisho wrote it, so that nothing is wrapped twice and everything can be unwrapped.
 */

/** What starts this program, absolute, so that it works wherever a client starts it: node and a script, or npx and a package. */
export type Launcher = readonly string[]

/** Its id; or, where only the guard knows which server a command is, the name that the id begins with. */
export type Called = readonly [option: '--id' | '--name', value: string]

export const guardWords = (launcher: Launcher, called: Called): readonly string[] => [...launcher, 'run', ...called, '--']

export interface Guarded {
  /** How many words come before the server's own. */
  readonly lead: number
  /** The server: program and arguments, or the URL alone. */
  readonly inner: readonly string[]
  /** In the very form of {@link guardWords}; a person would hardly write it so. */
  readonly isOurs: boolean
}

/** What stands behind Sekisho in a command; undefined where Sekisho does not stand there. */
export function guardedIn(words: readonly string[], launcher: Launcher = []): Guarded | undefined {
  const run = words.findIndex((word, at) => word === 'run' && isProgram(words.slice(0, at), launcher, words[at + 1]))
  const dashes = run === -1 ? -1 : words.indexOf('--', run)
  if (dashes === -1 || dashes === words.length - 1) return undefined
  return { lead: dashes + 1, inner: words.slice(dashes + 1), isOurs: isCalled(words[run + 1]) && dashes === run + 3 }
}

const isCalled = (word: string | undefined): boolean => word === '--id' || word === '--name'

/** Whether the words start Sekisho, as a guard or as a gateway. */
export const startsSekisho = (words: readonly string[], launcher: Launcher = []): boolean =>
  guardedIn(words, launcher) !== undefined || words.some((_, at) => isProgram(words.slice(0, at + 1), launcher, undefined))

/** Whether the words before a subcommand are this program. From a checkout it has no name of its own, but our flag follows. */
function isProgram(words: readonly string[], launcher: Launcher, next: string | undefined): boolean {
  const last = words.at(-1) ?? ''
  if (launcher.length > 0 && words.length === launcher.length && words.every((word, at) => word === launcher[at])) return true
  if (/^(.*[\\/])?sekisho(@[^\\/]*)?(\.cmd|\.exe|\.ps1)?$/.test(last)) return true
  return /[\\/](dist|src)[\\/]cli[\\/]main\.[jt]s$/.test(last) && (isCalled(next) || /[\\/]sekisho[\\/]/.test(last))
}

/** A word as it stands in JSON, TOML and YAML alike: in double quotes, with every sign escaped that one of them would not take. */
export const quoted = (word: string): string =>
  JSON.stringify(word).replace(
    /[\u007f-\u009f\u2028\u2029\ufeff]/g,
    (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
