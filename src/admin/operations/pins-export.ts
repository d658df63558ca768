import type { KeyObject } from 'node:crypto'
import { systemClock } from '../../lib/clock.ts'
import { type JsonObject, parseStrict } from '../../lib/strict-json.ts'
import {
  entriesOf,
  type Manifest,
  type ManifestFile,
  manifestText,
  manifestVersion,
  readManifest,
} from '../../trust/approvals/manifest.ts'
import { keyIdOf, signManifest } from '../../trust/approvals/signature.ts'
import type { Definition } from '../../trust/definition.ts'
import type { ScanFinding } from '../../trust/scan/finding.ts'
import { scanCatalog } from '../../trust/scan/scan.ts'
import { privateKey } from '../team-keys.ts'
import type { PinsAtHand } from '../with-pins.ts'

export interface Signing {
  /** PEM of an Ed25519 private key; undefined: somebody else signs. */
  readonly keyFile: string | undefined
  /** Undefined: until another takes its place. */
  readonly validMs: number | undefined
  /** What the server is called in it; undefined: where it stands. */
  readonly identity: string | undefined
}
export interface MadeManifest {
  readonly text: string
  readonly manifest: Manifest
  /** Thumbprint of the key that signed it. */
  readonly key: string | undefined
  /** What the scan says against what is in it. */
  readonly grave: readonly ScanFinding[]
}

/** What is approved of a server now: here, and in the manifest that counts for it. */
export async function pinsExport({ whereabouts, book }: PinsAtHand, server: string, signing: Signing): Promise<MadeManifest> {
  const standsAt = whereabouts(server)
  const pins = book.pinsOf(server)
  const approved = pins.filter(({ standing }) => standing === 'approved')
  const approvals = book.approvalsOf(server)
  const signed = approvals?.outcome === 'verified' ? approvals.manifest.definitions : []
  const unseen = signed.filter(({ kind, name, digest }) => book.standingOf(server, kind, name, digest) === undefined)
  const definitions: readonly Definition[] = [
    ...approved.map(({ kind, name, text }) => ({ kind, name, body: parseStrict(text) as JsonObject })),
    ...unseen.map(({ kind, name, definition }) => ({ kind, name, body: definition })),
  ]
  if (definitions.length === 0)
    throw Object.assign(new Error(`nothing of the server "${server}" is approved`), {
      fix: `let a client list it through the gateway; then decide: sekisho pins list ${server}`,
    })
  const identity = signing.identity ?? book.identityOf(server) ?? standsAt
  if (identity === undefined) throw new Error(`where the server "${server}" stands is not known; say it with --identity`)
  return made({ pins: manifestVersion, server, identity, definitions: [...entriesOf(definitions)] }, signing)
}

/** Signed, where there is a key. Throws where it could not be read again. */
export async function made(manifest: Manifest, { keyFile, validMs }: Omit<Signing, 'identity'>): Promise<MadeManifest> {
  if (keyFile === undefined && validMs !== undefined)
    throw Object.assign(new Error('only a signature has an end'), { fix: 'add --sign KEY.pem, or leave --valid out' })
  const key: KeyObject | undefined = keyFile === undefined ? undefined : await privateKey(keyFile)
  const file: ManifestFile = key ? await signManifest(manifest, key, systemClock, validMs) : { manifest, signed: undefined }
  const text = manifestText(file)
  readManifest(text)
  const definitions = manifest.definitions.map(({ kind, name, definition }) => ({ kind, name, body: definition }))
  const found = scanCatalog(definitions, { server: manifest.server ?? manifest.identity })
  return {
    text,
    manifest: file.manifest,
    key: key && (await keyIdOf(key)),
    grave: found.filter(({ severity }) => severity === 'high' || severity === 'critical'),
  }
}
