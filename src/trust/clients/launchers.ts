/** What a command really starts: the package behind `npx`, the image behind `docker run`, and whether its version is fixed. */
import { basename } from 'node:path/win32'

export interface Started {
  readonly kind: 'npm' | 'pypi' | 'image'
  /** As written: `@scope/server@1.2.3`. */
  readonly named: string
  readonly isPinned: boolean
}

const programName = (word: string): string =>
  basename(word)
    .toLowerCase()
    .replace(/\.(exe|cmd|bat|ps1)$/, '')

export const programOf = (words: readonly string[]): string => programName(words[0] ?? '')

/** Flags of the runners that take the next word with them. */
const npmFlags = ['-p', '--package', '-c', '--call', '-w', '--workspace', '--registry', '--prefix', '--cache']
const uvFlags = [
  '--from',
  '--with',
  '--python',
  '-p',
  '--index',
  '--index-url',
  '--extra-index-url',
  '--refresh-package',
  '--directory',
]
const dockerFlags =
  '-e --env --env-file -v --volume --mount --name --network --net -p --publish -w --workdir -u --user --entrypoint -l --label --platform --pull -m --memory --cpus --add-host --cap-add --cap-drop --security-opt --tmpfs --hostname -h --dns --gpus --device --ulimit --pids-limit --log-driver --log-opt --runtime --ipc --pid --userns --cidfile --stop-signal --stop-timeout --shm-size --restart'.split(
    ' ',
  )

/** Undefined where the command starts no package, or one that cannot be told. */
export function startedBy(words: readonly string[]): Started | undefined {
  const [, ...args] = words
  switch (programOf(words)) {
    case 'npx':
    case 'bunx':
    case 'pnpx':
      return npmPackage(args)
    case 'npm':
      return npmPackage(after(args, ['exec', 'x']))
    case 'pnpm':
    case 'yarn':
      return npmPackage(after(args, ['dlx']))
    case 'bun':
      return npmPackage(after(args, ['x']))
    case 'uvx':
      return pythonPackage(args)
    case 'uv':
      return pythonPackage(after(after(args, ['tool']), ['run']))
    case 'pipx':
      return pythonPackage(after(args, ['run']).map((word) => (word === '--spec' ? '--from' : word)))
    case 'docker':
    case 'podman':
    case 'nerdctl':
      return image(after(after(args, ['container'], true), ['run']))
    default:
      return undefined
  }
}

/** What follows the subcommand; nothing where it is another, or everything where it may be left out. */
function after(args: readonly string[], subcommands: readonly string[], optional = false): readonly string[] {
  const at = args.findIndex((word) => !word.startsWith('-'))
  return subcommands.includes(args[at] ?? '') ? args.slice(at + 1) : optional ? args : []
}

function npmPackage(args: readonly string[]): Started | undefined {
  const given = flagValue(args, ['-p', '--package']) ?? operand(args, npmFlags)
  // A path or a file is on this machine, and does not change behind anybody's back.
  if (given === undefined || /^(\.{0,2}[\\/]|[A-Za-z]:[\\/]|file:)/.test(given)) return undefined
  const version = /^(?:@[^/@]+\/)?[^@/:]+@(.+)$/.exec(given)?.[1]
  const isCommit = /#[0-9a-f]{40}$/.test(given)
  return { kind: 'npm', named: given, isPinned: isCommit || /^v?\d+\.\d+\.\d+(-[\w.-]+)?(\+[\w.-]+)?$/.test(version ?? '') }
}

function pythonPackage(args: readonly string[]): Started | undefined {
  const given = flagValue(args, ['--from']) ?? operand(args, uvFlags)
  if (given === undefined || /^(\.{0,2}[\\/]|[A-Za-z]:[\\/]|file:)/.test(given)) return undefined
  const isCommit = /@[0-9a-f]{40}($|#)/.test(given)
  return { kind: 'pypi', named: given, isPinned: isCommit || /^[^=@]+(===?|@)\d[\w.!+-]*$/.test(given) }
}

function image(args: readonly string[]): Started | undefined {
  const given = operand(args, dockerFlags)
  if (given === undefined) return undefined
  const tag = /^(?:[^/]+\/)*[^/:@]+(?::([\w.-]+))?$/.exec(given)?.[1]
  return { kind: 'image', named: given, isPinned: /@sha256:[0-9a-f]{64}$/.test(given) || (tag !== undefined && /\d/.test(tag)) }
}

function flagValue(args: readonly string[], flags: readonly string[]): string | undefined {
  const at = args.findIndex((word) => flags.includes(word))
  const joined = args.find((word) => flags.some((flag) => flag.startsWith('--') && word.startsWith(`${flag}=`)))
  return at === -1 ? joined?.slice(joined.indexOf('=') + 1) : args[at + 1]
}

/** The first word that is neither a flag nor belongs to one. */
function operand(args: readonly string[], withValue: readonly string[]): string | undefined {
  for (let at = 0; at < args.length; at++) {
    const word = args[at] as string
    if (word === '--') return args[at + 1]
    if (!word.startsWith('-')) return word
    if (withValue.includes(word)) at++
  }
  return undefined
}
