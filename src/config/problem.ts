/** What is wrong with a configuration, in terms that a person and an editor can use. */
export interface Problem {
  /** `servers.files.command[0]`; empty for the document itself. */
  readonly path: string
  /** From 1. */
  readonly line: number
  readonly column: number
  readonly message: string
  readonly fix: string
}

export class ConfigRefused extends Error {
  override readonly name = 'ConfigRefused'
  readonly problems: readonly Problem[]
  constructor(problems: readonly Problem[]) {
    super(
      problems
        .map(({ path, line, column, message }) => `${line}:${column} ${[path, message].filter(Boolean).join(' ')}`)
        .join('\n'),
    )
    this.problems = problems
  }
}

/** A change of something that is opened once, at the start. `path`: where it stands in the document. */
export class RestartNeeded extends Error {
  override readonly name = 'RestartNeeded'
  readonly path: Path
  constructor(path: Path) {
    super(`"${pathText(path)}" cannot change while the gateway runs; restart it`)
    this.path = path
  }
}

export type Path = readonly (string | number)[]

/** A problem whose place is not known yet. `at`: whether the key or its value is at fault. */
export interface Complaint {
  readonly path: Path
  readonly message: string
  readonly fix: string
  readonly at?: 'key' | 'value'
}

const word = /^[A-Za-z_][A-Za-z0-9_-]*$/
export function pathText(path: Path): string {
  let text = ''
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`
    else if (word.test(part)) text += text === '' ? part : `.${part}`
    else text += `[${JSON.stringify(part.length > 64 ? `${part.slice(0, 64)}…` : part)}]`
  }
  return text
}
