/**
 * What a system of agents is made of: not code alone, but models, data, services and whoever vouches for identities (SUP-R1).
 * A component that nobody can pin down is still one; what is unknown of it is said, never guessed.
 */
import { createHash } from 'node:crypto'

export const componentKinds = [
  ...(['package', 'container', 'server', 'tool-pack', 'model', 'embedding-service'] as const),
  ...(['data-set', 'context-provider', 'api', 'identity-provider'] as const),
] as const
export type ComponentKind = (typeof componentKinds)[number]

/** Where it was seen: written down by the operator, in our configuration, in a client's, in a lock file, on disk, or in traffic. */
export type Sighting = 'declared' | 'configuration' | 'client' | 'lock' | 'installed' | 'traffic'

/** A statement of a person about what no program can check, for a time. `signature`: a file, see inventory-attestation.ts. */
export interface Attestation {
  readonly by: string
  readonly owner: string
  readonly statement: string
  /** The last day on which it counts, `2027-06-30`. */
  readonly expires: string
  readonly signature?: string | undefined
}

export interface Component {
  readonly kind: ComponentKind
  readonly name: string
  readonly version?: string | undefined
  /** Package URL (ECMA-427). */
  readonly purl?: string | undefined
  /** `sha256:` and hexadecimal digits; also sha384, sha512. */
  readonly hash?: string | undefined
  readonly commit?: string | undefined
  readonly url?: string | undefined
  /** A model or data file, relative to where it was declared. */
  readonly file?: string | undefined
  readonly owner?: string | undefined
  /** SPDX expression. */
  readonly licence?: string | undefined
  readonly dataRegion?: string | undefined
  /** `sha256/` and base64 of the SubjectPublicKeyInfo, as in RFC 7469, section 2.4. */
  readonly tlsKey?: string | undefined
  readonly attestations?: readonly Attestation[] | undefined
  readonly seen: readonly Sighting[]
  /** Servers of the configuration that bring it in. */
  readonly usedBy: readonly string[]
  /** Clients of this machine that bring it in: `cursor`. */
  readonly clients?: readonly string[] | undefined
  /** What it needs, by {@link refOf}. */
  readonly dependsOn: readonly string[]
  /** The file that named it: `package-lock.json`. */
  readonly manifest?: string | undefined
  readonly direct?: boolean | undefined
  readonly development?: boolean | undefined
  readonly installScripts?: boolean | undefined
  /** What its author says instead of it: the package is deprecated, or the version was yanked. */
  readonly deprecated?: string | undefined
  /** Names of the programs that it installs. */
  readonly programs?: readonly string[] | undefined
  /** A registry or repository other than the public one of its ecosystem. */
  readonly source?: string | undefined
  /** Why nobody can say which bytes will run: `no version`, `a tag that moves`. */
  readonly gaps: readonly string[]
}

/** The name of a component within one inventory: `package:pkg:npm/left-pad@1.3.0`, `model:embedder@1`. */
export function refOf({ kind, purl, name, version }: Pick<Component, 'kind' | 'purl' | 'name' | 'version'>): string {
  return `${kind}:${purl ?? (version === undefined ? name : `${name}@${version}`)}`
}

/** `sha512-…` of Subresource Integrity as `sha512:` and digits; undefined for what is none. */
export function hashOfIntegrity(integrity: string | undefined): string | undefined {
  const [, algorithm, digest] = /(?:^|\s)(sha512|sha384|sha256|sha1)-([A-Za-z0-9+/]+={0,2})/.exec(integrity ?? '') ?? []
  return algorithm && digest ? `${algorithm}:${Buffer.from(digest, 'base64').toString('hex')}` : undefined
}

/** The same everywhere and always for the same text, in the form of a UUID (RFC 9562, version 8). */
export function uuidOf(text: string): string {
  const bytes = createHash('sha256').update(text).digest().subarray(0, 16)
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x80
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
