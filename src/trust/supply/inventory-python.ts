/** The packages that Python's tools write down: requirements.txt (pip), uv.lock and poetry.lock. */
import { parse } from 'smol-toml'
import { pythonSpec } from './inventory-command.ts'
import { type Component, refOf } from './inventory-component.ts'
import { purlOf } from './inventory-purl.ts'

const textMax = 67_108_864

const fromLock = (manifest: string) =>
  ({ kind: 'package', manifest, seen: ['lock'], usedBy: [], dependsOn: [] }) as const satisfies Partial<Component>

/** One requirement a line, PEP 508; lines that go on after a backslash are one. Options (`-r`, `--index-url`) are not followed. */
export function readRequirements(text: string, manifest = 'requirements.txt'): readonly Component[] {
  if (text.length > textMax) throw new Error(`${manifest} is longer than ${textMax} characters`)
  const lines = text.replace(/\\\r?\n/g, ' ').split(/\r?\n/)
  const index = lines.map((line) => /^\s*(?:-i|--index-url)[ =](\S+)/.exec(line)?.[1]).find((one) => one !== undefined)
  return lines.flatMap((line) => {
    const requirement = line.replace(/(^|\s)#.*$/, '').trim()
    const editable = /^(?:-e|--editable)[ =](\S+)/.exec(requirement)?.[1]
    if (requirement === '' || (requirement.startsWith('-') && editable === undefined)) return []
    const spec = editable ?? requirement.replace(/\s--hash.*$/, '').replace(/\s*;.*$/, '')
    const hash = /--hash[ =](sha256|sha384|sha512):([0-9a-f]+)/.exec(requirement)
    const read = pythonSpec(spec, index)
    return [{ ...read, ...fromLock(manifest), direct: true, ...(hash && { hash: `${hash[1]}:${hash[2]}` }) }]
  })
}

interface Locked {
  readonly name?: unknown
  readonly version?: unknown
  readonly source?: { readonly [kind: string]: unknown }
  readonly dependencies?: unknown
  readonly sdist?: { readonly hash?: unknown }
  readonly files?: readonly { readonly hash?: unknown }[]
}

/** Of uv and of Poetry; they are alike. Throws an Error for what is not TOML. */
export function readPythonLock(text: string, manifest = 'uv.lock'): readonly Component[] {
  if (text.length > textMax) throw new Error(`${manifest} is longer than ${textMax} characters`)
  const document = parse(text) as { readonly package?: readonly Locked[] }
  const packages = Array.isArray(document.package) ? document.package : []
  const made = packages.flatMap((one) =>
    typeof one.name === 'string' ? [[one, componentOf(one, one.name, manifest)] as const] : [],
  )
  const refs = new Map(made.map(([, component]) => [component.name, refOf(component)]))
  const roots = made.filter(([{ source }]) => source !== undefined && ('virtual' in source || 'editable' in source))
  const wanted = new Set(roots.flatMap(([one]) => namesOf(one.dependencies)))
  return made.map(([one, component]) => ({
    ...component,
    dependsOn: namesOf(one.dependencies).flatMap((name) => refs.get(name) ?? []),
    direct: roots.length === 0 || wanted.has(component.name),
  }))
}

/** A list of tables with a `name` (uv), or a table by name (Poetry). */
function namesOf(dependencies: unknown): readonly string[] {
  const names = Array.isArray(dependencies)
    ? dependencies.map((one: { readonly name?: unknown }) => one.name)
    : Object.keys((dependencies ?? {}) as object)
  return names.filter((name) => typeof name === 'string').map(normalised)
}

const normalised = (name: string): string => name.toLowerCase().replace(/[-_.]+/g, '-')
const publicIndex = /^https:\/\/pypi\.org\//

function componentOf({ version, source = {}, sdist, files }: Locked, given: string, manifest: string): Component {
  const name = normalised(given)
  const own = typeof version === 'string' ? version : undefined
  const text = (key: string): string | undefined => (typeof source[key] === 'string' ? (source[key] as string) : undefined)
  const git = text('git') ?? (source['type'] === 'git' ? text('url') : undefined)
  const commit = /#([0-9a-f]{40})$/.exec(git ?? '')?.[1] ?? text('resolved_reference')
  const folder = text('virtual') ?? text('editable') ?? text('directory') ?? text('path')
  const registry = text('registry') ?? (source['type'] === 'legacy' ? text('url') : undefined)
  const isElsewhere = registry !== undefined && !publicIndex.test(`${registry}/`)
  const digest = sdist?.hash ?? files?.[0]?.hash
  return {
    ...fromLock(manifest),
    name,
    version: own,
    purl: folder === undefined ? purlOf('pypi', name, own) : undefined,
    hash: typeof digest === 'string' && /^sha(256|384|512):[0-9a-f]+$/.test(digest) ? digest : undefined,
    commit,
    file: folder,
    source: git?.replace(/[?#].*$/, '') ?? (isElsewhere ? registry : undefined),
    gaps: [
      ...(folder === undefined ? [] : ['a local path']),
      ...(git === undefined ? [] : [commit === undefined ? 'a git repository without a whole commit' : 'a git repository']),
      ...(own === undefined ? ['no version'] : []),
      ...(isElsewhere ? ['a private registry'] : []),
    ],
  }
}
