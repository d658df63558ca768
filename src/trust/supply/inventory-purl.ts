/** Package URLs (ECMA-427) of what we meet: npm, PyPI, containers, models of Hugging Face. */
import { PackageURL } from 'packageurl-js'

export type Ecosystem = 'npm' | 'pypi' | 'oci' | 'huggingface' | 'github' | 'generic'

/** Undefined where the name is no name there: a stranger wrote it. */
export function purlOf(ecosystem: Ecosystem, name: string, version?: string): string | undefined {
  try {
    return make(ecosystem, name, version)
  } catch {
    return undefined
  }
}

function make(ecosystem: Ecosystem, name: string, version: string | undefined): string {
  const at = name.lastIndexOf('/')
  const [space, last] = at === -1 ? [undefined, name] : [name.slice(0, at), name.slice(at + 1)]
  if (ecosystem !== 'oci') return new PackageURL(ecosystem, space, last, version, undefined, undefined).toString()
  const isDigest = version?.startsWith('sha256:') === true
  const qualifiers = { ...(space && { repository_url: name }), ...(version !== undefined && !isDigest && { tag: version }) }
  return new PackageURL('oci', undefined, last.toLowerCase(), isDigest ? version : undefined, qualifiers, undefined).toString()
}

export interface PurlParts {
  /** `npm`, `pypi`. */
  readonly type: string
  /** With its namespace: `@scope/name`. */
  readonly name: string
  readonly version: string | undefined
}

/** Undefined for what is no package URL. */
export function readPurl(text: string): PurlParts | undefined {
  try {
    const { type, namespace, name, version } = PackageURL.fromString(text)
    return { type, name: namespace ? `${namespace}/${name}` : name, version: version ?? undefined }
  } catch {
    return undefined
  }
}
