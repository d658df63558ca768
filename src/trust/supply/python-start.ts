/**
 * A server in Python, found without starting it: a command or module of a virtual environment, or of one that uv or pipx keep. One that
 * lives in no virtual environment shares its packages with everything on the machine, and is refused.
 */
import { readdir, readFile, realpath } from 'node:fs/promises'
import { basename, delimiter, dirname, join, resolve, sep } from 'node:path'
import { NotAdmitted } from './not-admitted.ts'
import { type LocalServer, programPath, type Started, shebangOf } from './started.ts'

type Pypi = Extract<Started, { kind: 'pypi' }>
const isPython = (name: string): boolean => /^(python|pypy)[\d.]*$/.test(name)
const inVirtual = 'install it in a virtual environment of its own: python3 -m venv .venv, or: uv tool install PACKAGE'

/** Undefined for what is not Python. Throws {@link NotAdmitted}. */
export async function pythonStart(
  name: string,
  program: string,
  args: readonly string[],
  server: LocalServer,
): Promise<Pypi | undefined> {
  const tool = toolRequest(name, args)
  if (tool) return scriptStart(await toolScript(tool.name, tool.bin, server), tool.args)
  if (isPython(name)) return moduleStart(await unresolved(program, server), args, server)
  const path = await unresolved(program, server).catch(() => undefined)
  if (path === undefined) return undefined
  const real = await programPath(program, server)
  const [interpreter] = await shebangOf(real)
  return interpreter !== undefined && isPython(basename(interpreter)) && (await isVirtual(dirname(dirname(interpreter))))
    ? scriptStart(real, args)
    : undefined
}

/** `uvx PACKAGE`, `uv tool run`, `pipx run`. */
function toolRequest(
  program: string,
  args: readonly string[],
): { name: string; bin: string; args: readonly string[] } | undefined {
  const words = { uvx: 0, uv: 2, pipx: 1 }[program]
  const isAsked =
    program === 'uvx' ||
    (program === 'uv' && args[0] === 'tool' && args[1] === 'run') ||
    (program === 'pipx' && args[0] === 'run')
  if (words === undefined || !isAsked) return undefined
  const rest = [...args.slice(words)]
  let from: string | undefined
  while (rest[0]?.startsWith('-')) {
    const flag = rest.shift() as string
    if (/^(-q|--quiet|--offline|--isolated|--no-progress)$/.test(flag)) continue
    if (flag !== '--from' && flag !== '--spec')
      throw new NotAdmitted({
        why: `the flag ${flag.slice(0, 80)} of ${program} is not understood`,
        fix: `write: ${program} PACKAGE`,
      })
    from = rest.shift()
  }
  const [bin = '', ...more] = rest
  const plain = (spec: string): string => spec.replace(/[[@=<>!~].*$/, '')
  return { name: plain(from ?? bin), bin: plain(bin), args: more }
}

async function toolScript(name: string, bin: string, { cwd, env }: LocalServer): Promise<string> {
  const home = env['HOME'] ?? env['USERPROFILE'] ?? cwd
  const data = env['XDG_DATA_HOME'] ?? join(home, '.local', 'share')
  const places = [join(cwd, '.venv'), join(data, 'uv', 'tools', name), join(data, 'pipx', 'venvs', name)]
  for (const place of places) {
    const script = await realpath(join(place, 'bin', bin)).catch(() => undefined)
    if (script !== undefined) return script
  }
  if (process.platform === 'win32') throw ofWindows({ package: name })
  throw new NotAdmitted({ package: name, why: 'is not installed here', fix: `uv tool install ${name}, or: pipx install ${name}` })
}

async function scriptStart(script: string, args: readonly string[]): Promise<Pypi> {
  const [interpreter = ''] = await shebangOf(script)
  const home = dirname(dirname(interpreter))
  if (!(await isVirtual(home))) throw new NotAdmitted({ file: script, why: 'runs in no virtual environment', fix: inVirtual })
  return { ...(await environmentIn(home)), kind: 'pypi', entry: { script }, args }
}

async function moduleStart(program: string, args: readonly string[], { cwd }: LocalServer): Promise<Pypi> {
  const home = dirname(dirname(program))
  if (!(await isVirtual(home))) throw new NotAdmitted({ file: program, why: 'is in no virtual environment', fix: inVirtual })
  const rest = [...args]
  while (/^-[uBIEsP]+$/.test(rest[0] ?? '')) rest.shift()
  const [first = '', second, ...more] = rest
  const environment = { ...(await environmentIn(home)), kind: 'pypi' as const }
  if (first === '-m' && second !== undefined) return { ...environment, entry: { module: second }, args: more }
  if (first.startsWith('-') || first === '')
    throw new NotAdmitted({ why: 'Python is given neither a module nor a file', fix: 'write: python -m MODULE' })
  const script = await realpath(resolve(cwd, first)).catch(() => undefined)
  if (script === undefined) throw new NotAdmitted({ file: first, why: 'is not there', fix: 'correct "command"' })
  return { ...environment, entry: { script }, args: second === undefined ? [] : [second, ...more] }
}

const isVirtual = (home: string): Promise<boolean> =>
  readFile(join(home, 'pyvenv.cfg')).then(
    () => true,
    () => false,
  )

/** `bin` and `lib/pythonX.Y`; that of Windows is laid out in another way. */
async function environmentIn(home: string): Promise<Pick<Pypi, 'python' | 'sitePackages'>> {
  const there = (...parts: string[]): Promise<string | undefined> => realpath(join(home, ...parts)).catch(() => undefined)
  const python = (await there('bin', 'python')) ?? (await there('bin', 'python3'))
  if (python === undefined && (await there('Scripts')) !== undefined) throw ofWindows({ file: home })
  const [version] = (await readdir(join(home, 'lib')).catch(() => [])).filter((name) => /^(python|pypy)\d/.test(name))
  const sitePackages = version === undefined ? undefined : await there('lib', version, 'site-packages')
  if (python !== undefined && sitePackages !== undefined) return { python, sitePackages }
  throw new NotAdmitted({ file: home, why: `has no ${python === undefined ? 'Python' : 'packages'}`, fix: inVirtual })
}

const ofWindows = (about: { readonly file: string } | { readonly package: string }): NotAdmitted =>
  new NotAdmitted({
    ...about,
    why: 'is laid out in the way of Windows, which no lock can cover so far',
    fix: 'lock it and start it on Linux, macOS or WSL, or as an image by its digest',
  })

/** Where the program stands, links not followed: a virtual environment is known by where its Python is. */
async function unresolved(program: string, { cwd, env }: LocalServer): Promise<string> {
  const places = program.includes('/') || program.includes(sep) ? [cwd] : (env['PATH'] ?? '').split(delimiter)
  for (const place of places) {
    const path = resolve(place, program)
    if ((await realpath(path).catch(() => undefined)) !== undefined) return path
  }
  throw new NotAdmitted({ file: program, why: 'is not there', fix: 'install it, or correct "command"' })
}
