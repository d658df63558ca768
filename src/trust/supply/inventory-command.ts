/**
 * Which component a command line starts: `npx -y @scope/server@1.2.3`, `uvx server==1.0`, `docker run … image@sha256:…`, or a file.
 * Read, never run. What decides at start-up which bytes will run (a tag, a range, no version at all) is a gap.
 */
import type { Component } from './inventory-component.ts'
import { purlOf } from './inventory-purl.ts'

type Started = Pick<Component, 'kind' | 'name' | 'version' | 'purl' | 'hash' | 'commit' | 'source' | 'file' | 'gaps'>

/** What the command starts; undefined for an empty one. */
export function startedBy(command: readonly string[]): Started | undefined {
  const [path, ...words] = command
  if (path === undefined || path === '') return undefined
  const program = programOf(path)
  const [first = '', ...after] = words
  if (program === 'env') return startedBy(words.slice(words.findIndex((word) => !/^-|^[A-Za-z_]\w*=/.test(word))))
  if (program === 'npx' || program === 'bunx' || program === 'pnpx') return fromNpm(words)
  if (program === 'npm' && /^(exec|x)$/.test(first)) return fromNpm(after)
  if (/^(pnpm|yarn)$/.test(program) && first === 'dlx') return fromNpm(after)
  if (program === 'bun' && first === 'x') return fromNpm(after)
  if (program === 'uvx') return fromPyPi(words)
  if (program === 'uv' && first === 'tool' && after[0] === 'run') return fromPyPi(after.slice(1))
  if (program === 'uv' && first === 'run') return fromPyPi(after)
  if (program === 'pipx' && first === 'run') return fromPyPi(after)
  if (/^(docker|podman|nerdctl)$/.test(program)) return fromContainer(words)
  if (/^(node|deno|bun|python[\d.]*|ruby|java|dotnet)$/.test(program)) return fromInterpreter(program, words)
  return { kind: 'server', name: program, file: path, gaps: ['a program without a version or hash'] }
}

const programOf = (path: string): string => (path.split(/[\\/]/).at(-1) as string).replace(/\.(exe|cmd|ps1)$/i, '')

/** Options that take the next word; `--option=value` takes none. */
const npmTakes = new Set([
  '-p',
  '--package',
  '-c',
  '--call',
  '-w',
  '--workspace',
  '--prefix',
  '--registry',
  '--cache',
  '--userconfig',
])

function fromNpm(words: readonly string[]): Started {
  const given = wordAfter(words, ['-p', '--package'])
  const registry = wordAfter(words, ['--registry'])
  const spec = given ?? firstWord(words, npmTakes)
  if (spec === undefined) return { kind: 'package', name: 'unknown', gaps: ['no package is named'] }
  return npmSpec(spec, registry)
}

/** A package as npm names it: `name`, `@scope/name@1.2.3`, `name@^1`, a git URL, a folder or a tarball. */
export function npmSpec(spec: string, registry?: string): Started {
  const [, alias, aliased] = /^(?:@[^/@]+\/)?([^/@]+)@npm:(.+)$/.exec(spec) ?? []
  if (alias !== undefined && aliased !== undefined) return npmSpec(aliased, registry)
  const [, named, rest] = /^((?:@[^/@\s]+\/)?[^/@:\s]+)@(.*[:/].*)$/.exec(spec) ?? []
  const place = rest ?? spec
  if (/^(file:|\.{0,2}[\\/]|[A-Za-z]:[\\/]|~\/)/.test(place))
    return { kind: 'package', name: named ?? place, file: place.replace(/^file:/, ''), gaps: ['a local path'] }
  if (/^(git[+:@]|git\+|github:|gitlab:|bitbucket:|gist:|ssh:)/.test(place) || /^[\w.-]+\/[\w.-]+(#.*)?$/.test(place))
    return fromGit(place, named)
  if (/^https?:/.test(place)) return { kind: 'package', name: named ?? place, source: place, gaps: ['a tarball from a URL'] }
  const [, name = spec, version] = /^((?:@[^/@]+\/)?[^/@]+)(?:@(.*))?$/.exec(spec) ?? []
  const exact = version !== undefined && exactVersion.test(version)
  return {
    kind: 'package',
    name,
    version: exact ? version : undefined,
    purl: purlOf('npm', name, exact ? version : undefined),
    source: registry,
    gaps: [...unpinned(version, exact), ...(registry === undefined ? [] : ['a private registry'])],
  }
}

const exactVersion = /^v?\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?$/
const unpinned = (version: string | undefined, exact: boolean): readonly string[] =>
  exact ? [] : [version === undefined || version === '' ? 'no version' : `"${version}" is a range or a tag that moves`]

function fromGit(place: string, named: string | undefined): Started {
  const [repository = place, reference] = place.split('#')
  const [, commit] = /^([0-9a-f]{40}|[0-9a-f]{64})$/.exec(reference ?? '') ?? []
  const name = named ?? repository.replace(/^.*[/:]([^/]+?)(?:\.git)?$/, '$1')
  const gaps = commit === undefined ? ['a git repository without a whole commit'] : ['a git repository']
  return { kind: 'package', name, commit, source: repository, gaps }
}

const pythonTakes = new Set([
  ...[
    '--from',
    '--with',
    '--with-editable',
    '--with-requirements',
    '--python',
    '-p',
    '--index-url',
    '-i',
    '--spec',
    '--pip-args',
  ],
  ...[
    '--extra-index-url',
    '--index',
    '--default-index',
    '--directory',
    '--project',
    '--find-links',
    '-f',
    '--env-file',
    '--extra',
  ],
])

function fromPyPi(words: readonly string[]): Started {
  const index = wordAfter(words, ['--index-url', '-i', '--default-index', '--index', '--extra-index-url'])
  const folder = wordAfter(words, ['--directory', '--project'])
  const spec = wordAfter(words, ['--from', '--spec']) ?? firstWord(words, pythonTakes)
  if (folder !== undefined) return { kind: 'package', name: spec ?? folder, file: folder, gaps: ['a local path'] }
  if (spec === undefined) return { kind: 'package', name: 'unknown', gaps: ['no package is named'] }
  return pythonSpec(spec, index)
}

/** A package as pip and uv name it (PEP 508): `name`, `name==1.0`, `name[extra]>=1`, `name @ git+https://…`. */
export function pythonSpec(spec: string, index?: string): Started {
  const [, named, place = spec] = /^([\w.-]+)(?:\[[^\]]*\])?\s*@\s*(\S+:\S+)$/.exec(spec) ?? []
  if (/^git\+/.test(place)) return fromGit(place.replace(/@([0-9a-f]{40})$/, '#$1'), named)
  if (/^(file:|\.{0,2}[\\/])/.test(place)) return { kind: 'package', name: named ?? place, file: place, gaps: ['a local path'] }
  if (/^https?:/.test(place)) return { kind: 'package', name: named ?? place, source: place, gaps: ['an archive from a URL'] }
  const [, given = spec, sign, version] = /^([\w.-]+)(?:\[[^\]]*\])?\s*(===?|@|[<>~!]=?)?\s*([^\s;]*)/.exec(spec) ?? []
  const exact =
    (sign === '==' || sign === '===' || sign === '@') && /^v?\d[\w.!+-]*$/.test(version ?? '') && !/\*/.test(version ?? '')
  const name = given.toLowerCase().replace(/[-_.]+/g, '-')
  return {
    kind: 'package',
    name,
    version: exact ? version : undefined,
    purl: purlOf('pypi', name, exact ? version : undefined),
    source: index,
    gaps: [...unpinned(version && `${sign}${version}`, exact), ...(index === undefined ? [] : ['a private registry'])],
  }
}

/** Options of `docker run` without a value; every other one that begins with a dash takes the next word. */
const dockerFlags =
  /^(-[ditPq]+|--(rm|init|interactive|tty|detach|privileged|read-only|publish-all|no-healthcheck|sig-proxy|oom-kill-disable|quiet|disable-content-trust))$/

function fromContainer(words: readonly string[]): Started {
  let at = words.findIndex((word) => word === 'run' || word === 'exec')
  if (at === -1) return { kind: 'container', name: 'unknown', gaps: ['no image is named'] }
  for (at++; at < words.length && (words[at] as string).startsWith('-'); at++) {
    const word = words[at] as string
    if (word === '--') {
      at++
      break
    }
    if (!word.includes('=') && !dockerFlags.test(word)) at++
  }
  const image = words[at]
  return image === undefined ? { kind: 'container', name: 'unknown', gaps: ['no image is named'] } : imageSpec(image)
}

/** An image as the distribution specification of OCI names it: `registry/name:tag@sha256:…`. */
export function imageSpec(image: string): Started {
  const [reference = image, digest] = image.split('@')
  const [, name = reference, tag] = /^(.*?)(?::([\w][\w.-]{0,127}))?$/.exec(reference) ?? []
  const pinned = /^sha256:[0-9a-f]{64}$/.test(digest ?? '')
  return {
    kind: 'container',
    name,
    version: tag ?? (pinned ? digest : undefined),
    purl: purlOf('oci', name, pinned ? digest : tag),
    hash: pinned ? digest : undefined,
    gaps: pinned ? [] : [tag === undefined ? 'no tag and no digest' : `the tag "${tag}" moves; there is no digest`],
  }
}

function fromInterpreter(program: string, words: readonly string[]): Started {
  const at = words.indexOf('-m')
  if (/^python/.test(program) && at !== -1 && words[at + 1] !== undefined)
    return { kind: 'package', name: words[at + 1] as string, purl: undefined, gaps: ['a module without a version'] }
  const file = firstWord(words, new Set(['-r', '--require', '--import', '--loader', '--env-file', '-W', '-X', '-jar', '-cp']))
  return {
    kind: 'server',
    name: file === undefined ? program : programOf(file),
    file,
    gaps: ['a program without a version or hash'],
  }
}

function firstWord(words: readonly string[], takes: ReadonlySet<string>): string | undefined {
  for (let at = 0; at < words.length; at++) {
    const word = words[at] as string
    if (word === '--') return words[at + 1]
    if (!word.startsWith('-')) return word
    if (takes.has(word)) at++
  }
  return undefined
}

function wordAfter(words: readonly string[], names: readonly string[]): string | undefined {
  for (const [at, word] of words.entries()) {
    if (names.includes(word)) return words[at + 1]
    const name = names.find((one) => one.startsWith('--') && word.startsWith(`${one}=`))
    if (name !== undefined) return word.slice(name.length + 1)
  }
  return undefined
}
