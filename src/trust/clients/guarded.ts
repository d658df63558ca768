/**
 * How an entry looks that goes through Sekisho: `… sekisho run --name NAME -- COMMAND ARGS` or `… -- URL`. It has to be known again
 * whichever copy of Sekisho wrote it, so that nothing is wrapped twice. And nothing else may pass for it: who looks at a
 * configuration is shown what stands behind Sekisho, so whatever only looks like it would hide what it starts.
 */
import type { FoundServer } from './entries.ts'
import { programOf } from './launchers.ts'

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

type Entry = Pick<FoundServer, 'command' | 'args' | 'env' | 'cameWith'>

/** What stands behind Sekisho in an entry; undefined where it is not certain that what the entry starts is Sekisho. */
export function guardOf(entry: Entry, launcher: Launcher): Guarded | undefined {
  const words = wordsOf(entry)
  const run = startOf(entry, launcher)
  if (run === undefined || words[run] !== 'run' || turnedBy(entry) !== undefined) return undefined
  const dashes = dashesAfter(words, run, entry.cameWith !== undefined)
  return dashes === undefined ? undefined : guarded(words, run, dashes)
}

/** Whether an entry starts Sekisho, as a guard or as a gateway. What came with a project could bring a gateway of its own. */
export const startsSekisho = (entry: Entry, launcher: Launcher): boolean =>
  entry.cameWith === undefined ? startOf(entry, launcher) !== undefined : guardOf(entry, launcher) !== undefined

/**
 * The same for an entry of which we remember that we wrote it, whatever has moved since: it is to be taken away again. Anybody can
 * write an entry of this form, so it says nothing about one that we do not remember.
 */
export function guardFormIn(words: readonly string[], launcher: Launcher = []): Guarded | undefined {
  const run = words.findIndex((word, at) => word === 'run' && isProgramForm(words.slice(0, at), launcher, words[at + 1]))
  const dashes = run === -1 ? -1 : words.indexOf('--', run)
  return dashes === -1 || dashes === words.length - 1 ? undefined : guarded(words, run, dashes)
}

const guarded = (words: readonly string[], run: number, dashes: number): Guarded => ({
  lead: dashes + 1,
  inner: words.slice(dashes + 1),
  isOurs: isCalled(words[run + 1]) && dashes === run + 3,
})
const isCalled = (word: string | undefined): boolean => word === '--id' || word === '--name'

const wordsOf = ({ command, args }: Entry): readonly string[] => (command === undefined ? [] : [command, ...args])
const startOf = (entry: Entry, launcher: Launcher): number | undefined => startLength(wordsOf(entry), launcher, entry.cameWith)

/** The variable with which a project would decide what Sekisho does before it guards anything, or where it keeps its pins and its key. */
export const turnedBy = ({ env, cameWith }: Entry): string | undefined =>
  cameWith === undefined ? undefined : env.names.find((name) => turning.test(name))
const turning =
  /^(NODE_(OPTIONS|PATH)|LD_(PRELOAD|LIBRARY_PATH|AUDIT)|DYLD_\w+|HOME|USERPROFILE|(LOCAL)?APPDATA|XDG_\w+|SEKISHO_\w*)$/i

type Project = FoundServer['cameWith']

/** How many words start this program; undefined where they start another, or whatever a project has put under its name. */
function startLength(words: readonly string[], launcher: Launcher, project: Project): number | undefined {
  if (launcher.length > 0 && launcher.every((word, at) => words[at] === word)) return launcher.length
  const behind = (count: number): number | undefined => {
    const length = startLength(words.slice(count), launcher, project)
    return length === undefined ? undefined : length + count
  }
  if (!isCertain(words[0], project)) return undefined
  switch (programOf(words)) {
    case 'sekisho':
      return 1
    case 'node':
      return nodeLength(words, project)
    case 'cmd': // it reads signs of its own in every word
      return /^\/c$/i.test(words[1] ?? '') && !words.some((word) => /[&|<>^%!"\r\n]/.test(word)) ? behind(2) : undefined
    case 'env':
      return project === undefined ? behind(1 + settingsAfter(words)) : undefined
    default: // runners ask the project first: its package.json, node_modules and .npmrc
      return project === undefined ? runnerLength(words) : undefined
  }
}

/** `A=b` before what `env` starts. */
function settingsAfter([, ...words]: readonly string[]): number {
  const end = words.findIndex((word) => !/^[A-Za-z_]\w*=/.test(word))
  return end === -1 ? words.length : end
}

/** A name that the system looks up, or a whole path. For what came with a project only a path that leads elsewhere. */
function isCertain(program: string | undefined, project: Project): boolean {
  if (program === undefined || program === '') return false
  const path = comparable(program)
  if (!path.includes('/')) return project === undefined
  if (!/^(\/|[a-z]:\/)/.test(path)) return false
  if (project === undefined) return true
  const isPlain = !/\/\.{0,2}(\/|$)|[$%~{}]|^\/(proc|dev)\//.test(path)
  return isPlain && !project.some((folder) => path.includes(`${comparable(folder).replace(/\/$/, '')}/`))
}
const comparable = (path: string): string => path.normalize('NFC').toLowerCase().replaceAll('\\', '/')

/** Flags of Node that load nothing. */
const nodeFlag =
  /^--(use-(system|openssl|bundled)-ca|(no-)?warnings|enable-source-maps|max-old-space-size=\d+|disable-warning=\w+)$/

function nodeLength(words: readonly string[], project: Project): number | undefined {
  const at = words.findIndex((word, index) => index > 0 && !nodeFlag.test(word))
  const script = words[at] ?? ''
  if (!/[\\/]/.test(script) || !isCertain(script, project)) return undefined
  if (/[\\/]npm[\\/]bin[\\/]npx-cli\.js$/.test(script) && project === undefined) {
    const length = runnerLength(['npx', ...words.slice(at + 1)])
    return length === undefined ? undefined : length + at
  }
  return isProgramForm([script], [], words[at + 2]) ? at + 1 : undefined
}

const runners: Readonly<Record<string, readonly string[] | undefined>> = {
  ...{ npx: [], pnpx: [], bunx: [] },
  ...{ npm: ['exec', 'x'], pnpm: ['dlx'], bun: ['x'] },
}
/** Flags that do not say what is run. */
const runnerFlag = /^(-[yqs]|--(yes|quiet|silent|no-install|offline|prefer-offline|prefer-online|bun))$/
/** The package in a version or under a tag; `sekisho@npm:other` and `sekisho@https://…` are other packages. */
const ourPackage = /^sekisho(@[\^~]?[\w.+-]+)?$/

function runnerLength(words: readonly string[]): number | undefined {
  const subcommands = runners[programOf(words)]
  if (subcommands === undefined || (subcommands.length > 0 && !subcommands.includes(words[1] ?? ''))) return undefined
  for (let at = subcommands.length > 0 ? 2 : 1; at < words.length; at++) {
    const word = words[at] as string
    if (ourPackage.test(word)) return at + 1
    const isOurs = word === '-p' || word === '--package' ? ourPackage.test(words[++at] ?? '') : isOurPackageFlag(word)
    if (!isOurs && !runnerFlag.test(word) && word !== '--') return undefined
  }
  return undefined
}
const isOurPackageFlag = (word: string): boolean => word.startsWith('--package=') && ourPackage.test(word.slice(10))

const switches = ['--sandbox', '--verbose']
const settings = ['--id', '--name', '--read', '--write', '--allow', '--data']

/** Where the server begins. What is no option of ours before it would be part of the server that is started. */
function dashesAfter(words: readonly string[], run: number, isOfProject: boolean): number | undefined {
  let at = run + 1
  while (at < words.length && words[at] !== '--') {
    const [flag = '', value] = (words[at] as string).split('=', 2)
    // A folder of the project's own would hold pins that the project has approved.
    if (flag === '--data' && isOfProject) return undefined
    if (switches.includes(flag) && value === undefined) at++
    else if (settings.includes(flag)) at += value === undefined ? 2 : 1
    else return undefined
  }
  return at < words.length - 1 ? at : undefined
}

/** Whether the words before a subcommand look like this program. From a checkout it has no name of its own, but our flag follows. */
function isProgramForm(words: readonly string[], launcher: Launcher, next: string | undefined): boolean {
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
