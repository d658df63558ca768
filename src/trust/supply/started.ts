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
  | { readonly kind: 'files'; readonly files: readonly string[]; readonly interpreter: string | undefined }
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
  if (name === 'node' || name === 'nodejs') return nodeStart(program, args, server)
  if (launchers.test(name))
    throw new NotAdmitted({
      why: `${name} runs another program, which no lock would cover`,
      fix: 'name that program itself; put variables under "env"',
    })
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
  if (interpreter.length > 0) {
    const runner = await shebangProgram(interpreter, server)
    return { kind: 'files', files: [path, runner], interpreter: runner }
  }
  return {
    kind: 'files',
    files: [path, ...(await scriptOf(name, args, server))],
    interpreter: runners.test(name) ? path : undefined,
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
  if (odd !== undefined)
    throw new NotAdmitted({
      why: `the flag ${odd.slice(0, 80)} of Node may load code that no lock covers`,
      fix: 'start a file of a package, and let that load the rest',
    })
  if (at < 0) throw new NotAdmitted({ why: 'Node is started without a file', fix: 'name the file that it is to run' })
  const script = await scriptFile(resolve(server.cwd, args[at] as string))
  const folder = await packageAround(script)
  const node = program.includes('/') || program.includes(sep) ? await programPath(program, server) : undefined
  if (folder !== undefined)
    return { kind: 'npm', folder, script: below(folder, script), node, flags, args: args.slice(at + 1), asked: false }
  const runner = node ?? (await programPath(program, server))
  return { kind: 'files', files: [runner, script], interpreter: runner }
}

async function scriptFile(path: string): Promise<string> {
  const real = await realpath(path).catch(() => undefined)
  if (real !== undefined && (await stat(real)).isFile()) return real
  throw new NotAdmitted({ file: path, why: 'is not there, or is not a file', fix: 'name the file with its extension' })
}

/** Programs that run a file that is given to them. */
const runners =
  /^(deno|bun|tsx|ts-node|bash|sh|dash|zsh|fish|ksh|ruby|perl|php|lua|java|dotnet|pwsh|powershell|Rscript|osascript|wasmtime)$/

async function scriptOf(name: string, args: readonly string[], { cwd }: LocalServer): Promise<string[]> {
  if (!runners.test(name)) return []
  const inline = args.find((arg) => /^(-c|-e|-E|--eval|-Command|-EncodedCommand|https?:.*|jsr:.*|npm:.*)$/i.test(arg))
  if (inline !== undefined)
    throw new NotAdmitted({
      why: `${name} is given code or a URL instead of a file`,
      fix: 'put the code in a file and name that',
    })
  for (const arg of args) {
    if (arg.startsWith('-')) continue
    const path = await realpath(resolve(cwd, arg)).catch(() => undefined)
    if (path !== undefined && (await stat(path)).isFile()) return [path]
  }
  throw new NotAdmitted({ why: `${name} is started without a file that is there`, fix: 'name the file that it is to run' })
}

/** Programs whose trade is to run another one, which no lock would cover. */
const launchers =
  /^(npm|pnpm|yarn|uv|pipx|poetry|pdm|hatch|rye|conda|mamba|micromamba|pixi|env|sudo|doas|su|make|just|task|go|cargo|nix|nix-shell|mise|asdf|direnv|dotenv|op|doppler|cmd|ssh|xargs|timeout|nohup|nice|ionice|setsid|stdbuf|script|time|watch|busybox|flatpak|snap|systemd-run|bwrap|firejail|chroot|unshare|wsl|docker-compose|kubectl|npx-cli)$/

/** Looked for as the operating system does, in the child's PATH; then what it leads to. */
export async function programPath(program: string, { cwd, env }: Pick<LocalServer, 'cwd' | 'env'>): Promise<string> {
  const places = program.includes('/') || program.includes(sep) ? [''] : (env['PATH'] ?? '').split(delimiter).filter(isAbsolute)
  for (const place of places) {
    const path = resolve(cwd, place, program)
    const runs = await access(path, constants.X_OK).then(
      () => stat(path).then((found) => found.isFile()),
      () => false,
    )
    if (runs) return behindLink(path)
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

export async function shebangProgram(words: readonly string[], server: Pick<LocalServer, 'cwd' | 'env'>): Promise<string> {
  const [first = '', ...rest] = words
  const word = basename(first) === 'env' ? rest.find((one) => !one.startsWith('-') && !one.includes('=')) : first
  return programPath(word ?? first, server)
}

const below = (folder: string, path: string): string => {
  const within = relative(folder, path)
  if (within.startsWith('..') || isAbsolute(within))
    throw new NotAdmitted({ file: path, why: 'is not in its package', fix: 'install the package anew' })
  return within.split(sep).join('/')
}
