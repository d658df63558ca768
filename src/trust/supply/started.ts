/**
 * What a command starts, found without starting it: a package of npm, one of Python, an image, or files. Nothing is fetched:
 * `npx` and `uvx` stand for a package that is here already. Node may only be told to run a file; code that comes by another way
 * (`--eval`, `--import`, NODE_OPTIONS) is code that no lock covers, and refused.
 */
import { access, constants, open, readdir, realpath, stat } from 'node:fs/promises'
import { basename, delimiter, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path'
import { imageOf } from './image.ts'
import { NotAdmitted } from './not-admitted.ts'
import { behindLink, findPackage, packageAround, readPackageJson } from './npm-packages.ts'
import { npxRequest } from './npx.ts'
import { pythonStart } from './python-start.ts'
import { isRunner, scriptsOf, withoutVersion } from './runners.ts'
import { interpreterOf } from './shebang.ts'

/** A local server, as much of it as matters here. `env` is all that the child gets. */
export interface LocalServer {
  readonly command: readonly [string, ...string[]]
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
}

export type Started =
  | {
      readonly kind: 'npm'
      /** The folder of the package, and the file in it that runs. */
      readonly folder: string
      readonly script: string
      /** The Node that the command names by its path; undefined for "the" Node. */
      readonly node: string | undefined
      readonly flags: readonly string[]
      readonly args: readonly string[]
      /** By npx or its like, so that where it is installed is not for the command to say. */
      readonly asked: boolean
    }
  | {
      readonly kind: 'pypi'
      readonly python: string
      readonly sitePackages: string
      readonly entry: { readonly module: string } | { readonly script: string }
      readonly args: readonly string[]
    }
  | { readonly kind: 'image'; readonly runtime: string; readonly image: string }
  /** The program first. `interpreter`: the one of them that runs others, and may be asked for its version. */
  | {
      readonly kind: 'files'
      readonly files: readonly string[]
      readonly interpreter: string | undefined
      /** What stands in place of the program, where it would look for its interpreter by itself. */
      readonly run?: readonly [string, ...string[]]
    }
  /** npx and its like, of a package that is nowhere on this machine. */
  | { readonly kind: 'npm-missing'; readonly name: string; readonly args: readonly string[] }

/** Throws {@link NotAdmitted}. */
export async function startedBy(server: LocalServer): Promise<Started> {
  const [program, ...args] = server.command
  const name = basename(program).replace(/\.(exe|cmd)$/i, '')
  const asked = npxRequest(name, args)
  if (asked) return npxStart(asked, server)
  const image = imageOf(name, args)
  if (image !== undefined) return { kind: 'image', runtime: await programPath(program, server), image }
  const python = await pythonStart(name, program, args, server)
  if (python) return python
  if (/^(node|nodejs)$/.test(withoutVersion(name))) return nodeStart(program, args, server)
  mustNotLaunch(name)
  const path = await programPath(program, server)
  const interpreter = await shebangOf(path)
  if (basename(dirname(path)) === '.bin')
    throw new NotAdmitted({
      file: path,
      why: 'is a script of the installer that starts a package, and is not the package',
      fix: 'start the file of the package: node ./node_modules/PACKAGE/FILE',
    })
  if (interpreter.some((word) => /^(node|nodejs)$/.test(basename(word))) || /\.[cm]?js$/.test(path)) {
    const folder = await packageAround(path)
    const named = interpreter.length === 1 ? await programPath(resolve(server.cwd, interpreter[0] as string), server) : undefined
    if (folder !== undefined)
      return { kind: 'npm', folder, script: below(folder, path), node: named, flags: [], args, asked: false }
  }
  if (interpreter.length > 0) return scriptStart(path, interpreter, args, server)
  // A link to an interpreter is that interpreter under a name of its own.
  const real = basename(path)
  if (!isRunner(name) && /^(node|nodejs)$/.test(withoutVersion(real))) return nodeStart(program, args, server)
  if (!isRunner(name) && /^\/(usr\/(local\/)?)?s?bin\//.test(path)) mustNotLaunch(real)
  const known = isRunner(name) || !isRunner(real) ? name : real
  return {
    kind: 'files',
    files: [path, ...(await scriptsOf(known, args, server))],
    interpreter: isRunner(known) ? path : undefined,
  }
}

/** A script, by its first line. */
async function scriptStart(
  path: string,
  words: readonly string[],
  args: readonly string[],
  server: LocalServer,
): Promise<Started> {
  const { program, args: flags, byEnv } = interpreterOf(words, path)
  const name = basename(program)
  mustNotLaunch(name)
  const odd = /^(node|nodejs)$/.test(name) ? flags.find((flag) => !harmlessFlag.test(flag)) : undefined
  if (odd !== undefined) throw mayLoad(odd)
  const found = await foundProgram(program, server)
  const runner = await behindLink(found)
  // A program of many names goes by the one that it is started with.
  const called = basename(runner).startsWith(name) ? runner : found
  const more = await scriptsOf(name, [...flags, path, ...args], server)
  return {
    kind: 'files',
    files: [path, runner, ...more.filter((file) => file !== path)],
    interpreter: runner,
    ...(byEnv && { run: [called, ...flags, path] as const }),
  }
}

async function npxStart(
  asked: { name: string; bin: string | undefined; version: string | undefined; args: readonly string[] },
  server: LocalServer,
): Promise<Started> {
  const { name, version, args } = asked
  const folder = await installed(name, version, server)
  if (folder === undefined) return { kind: 'npm-missing', name, args }
  const manifest = await readPackageJson(folder)
  const bins = Object.keys(manifest.bin)
  const bin = asked.bin ?? (bins.length === 1 ? bins[0] : name.replace(/^@[^/]*\//, ''))
  const script = bin === undefined ? undefined : manifest.bin[bin]
  if (script === undefined)
    throw new NotAdmitted({
      package: name,
      why: `has no command "${bin}"`,
      fix: `name one of: ${bins.join(', ') || 'it has none'}`,
    })
  return { kind: 'npm', folder, script: below(folder, resolve(folder, script)), node: undefined, flags: [], args, asked: true }
}

/** Beside the server, or in what npx keeps. */
async function installed(name: string, version: string | undefined, { cwd, env }: LocalServer): Promise<string | undefined> {
  const home = env['HOME'] ?? env['USERPROFILE']
  const kept = home === undefined ? [] : await npxFolders(join(home, '.npm', '_npx'))
  for (const from of [cwd, ...kept]) {
    const found = await findPackage(from, name)
    if (found === undefined) continue
    const isWanted = version === undefined || !/^\d/.test(version) || (await readPackageJson(found.folder)).version === version
    if (isWanted) return found.folder
  }
  return undefined
}

async function npxFolders(cache: string): Promise<string[]> {
  const names = await readdir(cache).catch(() => [])
  return names.sort().map((name) => join(cache, name))
}

/** Flags of Node without code in them. One that takes a value has it after `=`. */
const harmlessFlag =
  /^--(enable-source-maps|no-warnings|no-deprecation|trace-(warnings|deprecation|uncaught)|disable-warning=.*|max-old-space-size=\d+|max-semi-space-size=\d+|stack-size=\d+|use-(system-ca|openssl-ca|bundled-ca)|dns-result-order=\w+|unhandled-rejections=\w+|no-experimental-[\w-]+|experimental-(sqlite|strip-types|transform-types|vm-modules|wasm-modules|permission)|permission|allow-(fs-read|fs-write)=.*|allow-(child-process|worker|addons|wasi|net)|disable-proto=\w+|frozen-intrinsics|secure-heap=\d+)$/

async function nodeStart(program: string, args: readonly string[], server: LocalServer): Promise<Started> {
  const at = args.findIndex((arg) => !arg.startsWith('-'))
  const flags = at < 0 ? args : args.slice(0, at)
  const odd = flags.find((flag) => !harmlessFlag.test(flag))
  if (odd !== undefined) throw mayLoad(odd)
  if (at < 0) throw new NotAdmitted({ why: 'Node is started without a file', fix: 'name the file that it is to run' })
  const script = await scriptFile(resolve(server.cwd, args[at] as string))
  const folder = await packageAround(script)
  const node = program.includes('/') || program.includes(sep) ? await programPath(program, server) : undefined
  if (folder !== undefined)
    return { kind: 'npm', folder, script: below(folder, script), node, flags, args: args.slice(at + 1), asked: false }
  const runner = node ?? (await programPath(program, server))
  const more = await scriptsOf('node', args.slice(at + 1), server)
  return { kind: 'files', files: [runner, script, ...more], interpreter: runner }
}

async function scriptFile(path: string): Promise<string> {
  const real = await realpath(path).catch(() => undefined)
  if (real !== undefined && (await stat(real)).isFile()) return real
  throw new NotAdmitted({ file: path, why: 'is not there, or is not a file', fix: 'name the file with its extension' })
}

const mayLoad = (flag: string): NotAdmitted =>
  new NotAdmitted({
    why: `the flag ${flag.slice(0, 80)} of Node may load code that no lock covers`,
    fix: 'start a file of a package, and let that load the rest',
  })

/** Programs whose trade is to run another one, which no lock would cover. */
const launchers =
  /^(npm|pnpm|yarn|uv|pipx|poetry|pdm|hatch|rye|conda|mamba|micromamba|pixi|env|sudo|doas|su|make|just|task|go|cargo|nix|nix-shell|mise|asdf|direnv|dotenv|op|doppler|cmd|ssh|xargs|timeout|nohup|nice|ionice|setsid|stdbuf|script|time|watch|busybox|flatpak|snap|systemd-run|bwrap|firejail|chroot|unshare|wsl|docker-compose|kubectl|npx-cli|runuser|gosu|su-exec|pkexec|setpriv|nsenter|taskset|chrt|prlimit|numactl|tini|dumb-init|strace|ltrace|gdb|valgrind|rlwrap|unbuffer|faketime|torsocks|dbus-run-session|xvfb-run|parallel|find|cross-env|dotenvx|concurrently|nodemon|pm2|npx|bunx|pnpx|uvx|docker|podman|nerdctl)$/
/** Of Node, which would be a package of its own, with a file that is in none. */
const translators = /^(tsx|ts-node|ts-node-(esm|script|transpile-only)|tsm|esno|jiti|vite-node|babel-node|swc-node|zx)$/

function mustNotLaunch(name: string): void {
  const why = `${name} runs another program, which no lock would cover`
  if (translators.test(name)) throw new NotAdmitted({ why, fix: 'name that: node FILE.ts, or what it is compiled to' })
  if (launchers.test(withoutVersion(name)))
    throw new NotAdmitted({ why, fix: 'name that program itself; put variables under "env"' })
}

/** Looked for as the operating system does, in the child's PATH; then what it leads to. */
export const programPath = async (program: string, server: Pick<LocalServer, 'cwd' | 'env'>): Promise<string> =>
  behindLink(await foundProgram(program, server))

async function foundProgram(program: string, { cwd, env }: Pick<LocalServer, 'cwd' | 'env'>): Promise<string> {
  const places = program.includes('/') || program.includes(sep) ? [''] : (env['PATH'] ?? '').split(delimiter).filter(isAbsolute)
  for (const place of places) {
    const path = resolve(cwd, place, program)
    const runs = await access(path, constants.X_OK).then(
      () => stat(path).then((found) => found.isFile()),
      () => false,
    )
    if (runs) return path
  }
  throw new NotAdmitted({ file: program, why: 'is not there, or is not a program', fix: 'install it, or correct "command"' })
}

const shebangBytesMax = 256

/** The words after `#!`; of `/usr/bin/env -S node` all of them. Empty for what is no script. */
export async function shebangOf(path: string): Promise<readonly string[]> {
  const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    throw new NotAdmitted({ file: path, why: `cannot be read (${error.code})`, fix: 'check the path and its permissions' })
  })
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(shebangBytesMax), 0, shebangBytesMax, 0)
    const [, line] = /^#!\s*([^\n]*)\n/.exec(buffer.toString('latin1', 0, bytesRead)) ?? []
    return line === undefined ? [] : line.trim().split(/\s+/)
  } finally {
    await file.close()
  }
}

const below = (folder: string, path: string): string => {
  const within = relative(folder, path)
  if (within.startsWith('..') || isAbsolute(within))
    throw new NotAdmitted({ file: path, why: 'is not in its package', fix: 'install the package anew' })
  return within.split(sep).join('/')
}
