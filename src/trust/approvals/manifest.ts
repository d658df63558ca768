/**
 * What a team, or the author of a server, has approved, as a file that people review: every definition with its digest and its
 * words, in one order, so that a change of a server reads as a change of lines. That it can be read says nothing of who wrote it.
 */
import { z } from 'zod'
import { canonicalJson } from '../../lib/canonical-json.ts'
import { type JsonObject, JsonRefused, type JsonValue, parseStrict } from '../../lib/strict-json.ts'
import { isObject } from '../../protocol/json-rpc.ts'
import { type Definition, definitionKinds, digestOf, type ListedKind, lists, pinned } from '../definition.ts'
import { ApprovalsRefused } from './refused.ts'

export const manifestVersion = 1
export const manifestBytesMax = 16 * 1024 * 1024
const definitionsMax = 10_000
/** A definition lies four levels deeper here than in the list that it came in. */
const depthMax = 96

const text = z.string().min(1).max(4096)
/** Seconds since 1970 (RFC 7519, 2: NumericDate). */
const seconds = z.int().min(0).max(253_402_300_799)
const entrySchema = z.strictObject({
  kind: z.enum(definitionKinds),
  name: z.string(),
  digest: z.string().regex(/^[A-Za-z0-9_-]{43}$/, { error: 'is not a SHA-256 in base64url' }),
  definition: z.custom<JsonObject>((value) => isObject(value), { error: 'is not an object' }),
})
const manifestSchema = z.strictObject({
  pins: z.literal(manifestVersion, { error: `is not ${manifestVersion}, the only version there is` }),
  /** As the gateway calls it that wrote this; another may call it otherwise. */
  server: text.optional(),
  /** Which server it is: where it stands, or how it is started, or what its author calls it. */
  identity: text.max(65_536),
  iat: seconds.optional(),
  exp: seconds.optional(),
  definitions: z.array(entrySchema).max(definitionsMax),
})
const fileSchema = z.strictObject({
  manifest: z.custom<JsonObject>((value) => isObject(value), { error: 'is not an object' }),
  protected: z.string().min(1).max(4096).optional(),
  signature: z.string().min(1).max(4096).optional(),
})

export type Manifest = Readonly<z.output<typeof manifestSchema>>
export type ManifestEntry = Manifest['definitions'][number]
/** A flattened JWS (RFC 7515, 7.2.2) whose payload, the canonical JSON of the manifest, is left out (Appendix F). */
export interface ManifestFile {
  readonly manifest: Manifest
  /** Base64url of the header, and of the signature; both undefined where nobody has signed it. */
  readonly signed: { readonly protected: string; readonly signature: string } | undefined
}

/** The bytes that are signed. */
export const payloadOf = (manifest: Manifest): Uint8Array => new TextEncoder().encode(canonicalJson(manifest))

/** The entries of definitions, in the order of a manifest; what is there twice, once. */
export function entriesOf(definitions: readonly Definition[]): readonly ManifestEntry[] {
  const entries = new Map<string, ManifestEntry>()
  for (const one of definitions) {
    const { kind, name } = one
    const entry = { kind, name, digest: digestOf(one), definition: pinned(one) }
    entries.set(keyOf(entry), entry)
  }
  return [...entries.values()].sort(byPlace)
}

/** Tells one version of one definition from every other. */
export const keyOf = ({ kind, name, digest }: Pick<ManifestEntry, 'kind' | 'name' | 'digest'>): string =>
  `${kind} ${digest} ${name}`

function byPlace(one: ManifestEntry, other: ManifestEntry): number {
  const kinds = definitionKinds.indexOf(one.kind) - definitionKinds.indexOf(other.kind)
  return kinds || compared(one.name, other.name) || compared(one.digest, other.digest)
}
const compared = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0)

/** The same bytes for the same manifest. What cannot be seen is spelt out (`\u202e`), so that a review sees it. */
export function manifestText({ manifest, signed }: ManifestFile): string {
  const { pins, server, identity, iat, exp, definitions } = manifest
  const ordered = {
    manifest: { pins, server, identity, iat, exp, definitions: definitions.map(orderedEntry) },
    ...signed,
  }
  return `${JSON.stringify(ordered, undefined, 2).replace(unseen, spelt)}\n`
}
const orderedEntry = ({ kind, name, digest, definition }: ManifestEntry): object => ({
  ...{ kind, name, digest },
  definition: parseStrict(canonicalJson(definition), depthMax),
})
const unseen = /[[\p{C}\p{Z}\p{Default_Ignorable_Code_Point}]--[ \n]]/gv
const spelt = (sign: string): string =>
  Array.from({ length: sign.length }, (_, at) => `\\u${sign.charCodeAt(at).toString(16).padStart(4, '0')}`).join('')

/** Whether a text means to be a manifest; anything else may be what a server answers. */
export const looksLikeManifest = (text: string): boolean => {
  try {
    const value = parsed(text)
    return isObject(value) && value['manifest'] !== undefined
  } catch {
    return false
  }
}

/** Throws {@link ApprovalsRefused}. Its signature has not been looked at. */
export function readManifest(text: string): ManifestFile {
  if (Buffer.byteLength(text) > manifestBytesMax) throw new ApprovalsRefused(`is larger than ${manifestBytesMax} bytes`, again)
  const file = checked(fileSchema, parsed(text), '')
  const manifest = checked(manifestSchema, file.manifest, 'manifest.')
  const known = new Set<string>()
  for (const [at, entry] of manifest.definitions.entries()) {
    mustBeAsItSays(entry, at)
    if (known.has(keyOf(entry)))
      throw new ApprovalsRefused(`has ${named(entry)} twice, with the same digest`, 'remove one of them')
    known.add(keyOf(entry))
  }
  const { protected: header, signature } = file
  if ((header === undefined) !== (signature === undefined))
    throw new ApprovalsRefused('has only one of "protected" and "signature"', again)
  return { manifest, signed: header === undefined || signature === undefined ? undefined : { protected: header, signature } }
}
const again = 'write it again with: sekisho pins export'

function parsed(text: string): JsonValue {
  try {
    return parseStrict(text.replace(/^\ufeff/, ''), depthMax)
  } catch (error) {
    if (!(error instanceof JsonRefused)) throw error
    const isConflict = /^(<{7}|={7}|>{7})( |\r?$)/m.test(text)
    if (isConflict) throw new ApprovalsRefused('has an unresolved merge conflict', 'resolve it, and have it signed again')
    // What the parser says of its syntax quotes from the file, and somebody may have named the wrong one.
    if (error.fault === 'syntax') throw new ApprovalsRefused('is not JSON', again)
    throw new ApprovalsRefused(`is not JSON that can be relied on: ${error.message}`, again)
  }
}

function checked<Output>(schema: z.ZodType<Output>, value: unknown, where: string): Output {
  const read = schema.safeParse(value)
  if (read.success) return read.data
  const [issue] = read.error.issues
  const place = `${where}${(issue?.path ?? []).join('.')}`.replace(/\.$/, '')
  throw new ApprovalsRefused(`is not a manifest of approvals: ${place} ${issue?.message ?? ''}`.replace(/ +/g, ' '), again)
}

/** What people read in a manifest is the definition; what the gateway goes by is the digest. They have to be one. */
function mustBeAsItSays(entry: ManifestEntry, at: number): void {
  const { kind, name, digest, definition } = entry
  if (digestOf({ kind, name, body: definition }) !== digest)
    throw new ApprovalsRefused(
      `says of ${named(entry)} (entry ${at + 1}) a digest that is not the one of its definition`,
      'find out who changed it; then write it again with: sekisho pins export',
    )
  const own = kind in lists ? definition[lists[kind as ListedKind].key] : ''
  if (own !== name)
    throw new ApprovalsRefused(`calls ${named(entry)} (entry ${at + 1}) otherwise than its definition does`, again)
}
const named = ({ kind, name }: ManifestEntry): string => (name === '' ? `its ${kind}` : `the ${kind} "${name.slice(0, 80)}"`)
