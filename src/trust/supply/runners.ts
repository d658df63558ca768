/**
 * Programs that run a file that is given to them, and of their flags those that may stand before it. A flag that is in no list could name
 * code, or take the next word for itself, and is refused. Files that flags name are part of what is locked.
 */
import { realpath, stat } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { NotAdmitted } from './not-admitted.ts'

interface Runner {
  /** The first word, where it says what to do. */
  readonly command?: RegExp
  /** Stand alone, or with their value in the same word, and load nothing. */
  readonly alone?: RegExp
  /** Take the next word, and load nothing. */
  readonly valued?: RegExp
  /** Name a file that is read as code. */
  readonly file?: RegExp
  /** Takes the file that runs. */
  readonly script?: RegExp
  /** A bare word would be something else before it is a file. */
  readonly byPath?: true
}

const shell: Runner = {
  alone: /^([-+][abefhkmnprtuvxBCEHPT]+|--(posix|noprofile|norc|restricted|verbose))$/,
  valued: /^[-+][abefhkmnprtuvxBCEHPT]*[oO]$/,
  file: /^--(rcfile|init-file)$/,
}
const powershell: Runner = {
  alone: /^-(NoProfile|NoLogo|NonInteractive|Sta|Mta)$/i,
  valued: /^-(ExecutionPolicy|ep|ex|InputFormat|OutputFormat|WindowStyle)$/i,
  script: /^-(File|f)$/i,
}
const plain: Runner = {}

const runners: Readonly<Record<string, Runner>> = {
  ...{ bash: shell, sh: shell, dash: shell, ksh: shell, zsh: shell, fish: { alone: /^(-N|--no-config|-P|--private)$/ } },
  ...{ pwsh: powershell, powershell },
  deno: {
    command: /^(run|serve)$/,
    alone:
      /^(-[AqRWNESI]+|-[RWNESI]=.*|--(allow|deny)-[\w-]+(=.*)?|--(no-prompt|quiet|no-check|check|cached-only|no-remote|no-npm|no-lock|no-config|frozen|no-code-cache)|--unstable(-[\w-]+)?)$/,
    file: /^(-c|--config|--import-map|--preload|--import|--require)$/,
  },
  bun: {
    command: /^run$/,
    alone: /^(-b|--bun|--silent|--smol|--no-install|--no-env-file|--no-addons)$/,
    file: /^(-r|--preload|--require|--import|-c|--config|--tsconfig-override)$/,
    byPath: true,
  },
  ruby: { alone: /^(-w|-W\S*|-U|-[EK]\S+|--y?jit|--encoding=\S+|--(enable|disable)[=-]\S+)$/ },
  perl: { alone: /^-([wWXtT]+|C\d*)$/ },
  php: { alone: /^(-n|-q|--no-php-ini|--no-header)$/, script: /^(-f|--file)$/ },
  lua: { alone: /^-[WE]$/ },
  java: {
    alone:
      /^(-server|-client|-ea|-da|--enable-preview|--enable-native-access=\S+|--add-(opens|exports|modules|reads)=\S+|-X(ms|mx|ss|mn)\d+[kmg]?|-Xshare:\w+|-Xint|-Xrs|-XX:[+-]Use\w+|-XX:(MaxRAMPercentage|InitialRAMPercentage|MaxMetaspaceSize|ActiveProcessorCount|TieredStopAtLevel)=[\w.]+|-D(spring\.(ai|main|profiles|application|output|web)|logging\.(pattern|level|file))\.[^=]*=.*|-D(server\.port|file\.encoding|java\.awt\.headless|user\.(language|country|timezone))=.*)$/i,
    script: /^-jar$/,
  },
  dotnet: { command: /^exec$/, alone: /^--roll-forward-on-no-candidate-fx=\d$/, valued: /^--(roll-forward|fx-version)$/ },
  Rscript: { alone: /^--(vanilla|no-echo|no-environ|no-site-file|no-init-file|no-restore|no-save|verbose)$/ },
  osascript: { valued: /^-[ls]$/ },
  wasmtime: { command: /^run$/, alone: /^(--(dir|env|argv0)=.*|-[SWD][\w-].*)$/, valued: /^(--dir|--env|--argv0|-[SWD])$/ },
  ...{ luajit: plain, tclsh: plain, wish: plain, expect: plain, julia: { alone: /^--(startup-file=no|threads=\w+)$/ } },
  ...{ elixir: plain, escript: plain, groovy: plain, guile: plain, racket: plain, raku: plain, octave: plain, janet: plain },
  ...{
    bb: plain,
    nu: plain,
    elvish: plain,
    xonsh: plain,
    qjs: plain,
    gjs: plain,
    awk: plain,
    gawk: plain,
    mawk: plain,
    sed: plain,
  },
}

/** Without the version that some have in their names: `ruby3.2`, `lua5.4`. */
export const withoutVersion = (name: string): string => name.replace(/-?\d[\d.]*$/, '') || name

const runnerOf = (name: string): Runner | undefined => {
  const known = [name, withoutVersion(name)].find((one) => Object.hasOwn(runners, one))
  return known === undefined ? undefined : runners[known]
}

export const isRunner = (name: string): boolean => runnerOf(name) !== undefined

/**
 * Files that run, of the arguments of a program: for one of those above the file that is given to it and those that its flags name;
 * after it, and for any other program, what looks like code. Throws {@link NotAdmitted}.
 */
export async function scriptsOf(name: string, args: readonly string[], { cwd }: { readonly cwd: string }): Promise<string[]> {
  const runner = runnerOf(name)
  const { script, flagged, rest } = runner ? runOf(runner, name, args) : { script: undefined, flagged: [], rest: args }
  const files: string[] = []
  for (const word of [...(script === undefined ? [] : [script]), ...flagged]) {
    const file = await fileAt(resolve(cwd, word))
    if (file === undefined)
      throw new NotAdmitted({
        file: word,
        why: `is not a file that ${name} could be given`,
        fix: 'name the file that it is to run',
      })
    files.push(file)
  }
  for (const word of rest) {
    const file = await fileAt(resolve(cwd, word.replace(/^-[^=]*=/, '')))
    if (file !== undefined && code.test(file)) files.push(file)
  }
  return [...new Set(files)]
}

/** What can be loaded, by its name; other files are what a server works on, and change. */
const code =
  /\.([cm]?[jt]s|[jt]sx|pyw?|pyz|rb|p[lm]|php|phar|lua|luac|sh|bash|zsh|fish|ksh|ps1|psm1|jar|class|dll|exe|so(\.\d+)*|dylib|node|wasm|wat|R|jl|exs?|groovy|tcl|scm|rkt|awk|bat|cmd)$/

function runOf(runner: Runner, name: string, args: readonly string[]) {
  const { command, alone, valued, file, script, byPath } = runner
  const flagged: string[] = []
  let at = command?.test(args[0] ?? '') ? 1 : 0
  const done = (word: string | undefined) => {
    if (word === undefined || /^(https?|jsr|npm|data|blob):/i.test(word)) throw notAFile(name)
    if (byPath && !/^\.{0,2}\//.test(word))
      throw new NotAdmitted({ file: word, why: `may be the name of a script to ${name}`, fix: `write: ./${basename(word)}` })
    return { script: word, flagged, rest: args.slice(at + 1) }
  }
  for (; at < args.length; at++) {
    const word = args[at] as string
    const [flag = '', value] = word.split(/=(.*)/s, 2)
    if (word === '--') at++
    if (word === '--') return done(args[at])
    if (file?.test(flag)) flagged.push(value ?? args[++at] ?? '')
    else if (valued?.test(word)) at++
    else if (script?.test(word)) return done(args[++at])
    else if (alone?.test(word)) continue
    else if (!word.startsWith('-')) return done(word)
    else if (inline.test(word)) throw notAFile(name)
    else
      throw new NotAdmitted({
        why: `the flag ${word.slice(0, 80)} of ${name} may load code that no lock covers`,
        fix: 'remove it, or let the file that is run load the rest',
      })
  }
  throw new NotAdmitted({ why: `${name} is started without a file that is there`, fix: 'name the file that it is to run' })
}

const inline = /^(-c|-e|-E|--eval|-p|-Command|-EncodedCommand)$/i
const notAFile = (name: string): NotAdmitted =>
  new NotAdmitted({ why: `${name} is given code or a URL instead of a file`, fix: 'put the code in a file and name that' })

async function fileAt(path: string): Promise<string | undefined> {
  const real = await realpath(path).catch(() => undefined)
  return real !== undefined && (await stat(real)).isFile() ? real : undefined
}
