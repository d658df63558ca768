/**
 * What `sekisho.lock` says: for each server how it is started and, byte for byte, what may then run. Unknown keys are refused,
 * as everywhere. See docs/reference/lock.md; a key added here is described there.
 */
import { z } from 'zod'

export const lockVersion = 1

const text = z.string().min(1).max(4096)
export const sha256Schema = z.string().regex(/^sha256:[0-9a-f]{64}$/, { error: 'is not sha256: and 64 hex digits' })
const integrity = z.string().regex(/^sha(512|384|256|1)-[A-Za-z0-9+/]+={0,2}$/, { error: 'is not an integrity (W3C SRI)' })
/** Below the folder it is relative to, whatever anybody wrote. */
const below = z
  .string()
  .max(4096)
  .refine((path) => path === '.' || isBelow(path), { error: 'leads out of its folder' })

function isBelow(path: string): boolean {
  return !/[\0\\]/.test(path) && path.split('/').every((part) => part !== '' && part !== '.' && part !== '..')
}

const absent = z.strictObject({ status: z.literal('absent') })
const notChecked = z.strictObject({ status: z.literal('not checked'), why: text })
const signature = z.discriminatedUnion('status', [
  z.strictObject({ status: z.literal('verified'), key: text }),
  absent,
  notChecked,
])
const provenance = z.discriminatedUnion('status', [
  z.strictObject({
    status: z.literal('verified'),
    repository: text,
    commit: text.optional(),
    builder: text,
    issuer: text.optional(),
  }),
  absent,
  notChecked,
])

const packageSchema = z.strictObject({
  package: text.describe('Package URL'),
  integrity: integrity.optional().describe('Of the tarball, as the registry or the installer had it'),
  resolved: text.optional().describe('Where the tarball came from'),
  licence: text.optional().describe('As the package says it'),
  contents: z.enum(['as in the tarball', 'not compared']).optional(),
  signature: signature.optional(),
  provenance: provenance.optional(),
  installScripts: z.record(text, text).optional(),
  native: z.literal(true).optional().describe('Has machine code'),
  files: sha256Schema.describe('Of its manifest: one line for each file'),
})

const registry = z
  .strictObject({
    name: text,
    version: text,
    packages: z
      .array(z.strictObject({ type: text, identifier: text, version: text.optional(), fileSha256: sha256Schema.optional() }))
      .optional(),
  })
  .optional()
  .describe('Of the server.json of the MCP registry')

const started = {
  registry,
  command: z.array(z.string().max(32_768)).min(1).readonly(),
  variables: z.record(text, z.string()).optional().describe('Of the environment, those that make a program load code'),
  platform: text.optional().describe('Where it holds, if only on one'),
}
const fileSchema = z.strictObject({ digest: sha256Schema, version: text.optional() })

const npmServer = z.strictObject({
  kind: z.literal('npm'),
  ...started,
  package: text,
  entry: below.describe('What runs, below the folder of the tree'),
  interpreter: z.union([z.literal('own'), fileSchema.extend({ path: text })]).describe('own: the Node that runs the gateway'),
  tree: sha256Schema.describe('Of all packages and where they lie; its name in the store'),
  links: z.record(below, below).optional(),
  packages: z.record(below, packageSchema),
})
const pythonServer = z.strictObject({
  kind: z.literal('pypi'),
  ...started,
  package: text,
  entry: z.union([z.strictObject({ module: text }), z.strictObject({ script: below })]),
  interpreter: fileSchema.extend({ path: text }),
  tree: sha256Schema,
  parts: z.record(below, sha256Schema).describe('Its packages as a whole, and its command'),
  packages: z.record(text, packageSchema),
})
const filesServer = z.strictObject({
  kind: z.literal('files'),
  ...started,
  files: z.record(text, fileSchema),
})
const imageServer = z.strictObject({
  kind: z.literal('image'),
  ...started,
  image: text.describe('Name and digest'),
  runtime: fileSchema.extend({ path: text }),
})
const remoteServer = z.strictObject({
  kind: z.literal('remote'),
  url: text,
  registry,
  spki: sha256Schema.optional().describe('Of the public key of its certificate'),
})
export const serverLockSchema = z.discriminatedUnion('kind', [npmServer, pythonServer, filesServer, imageServer, remoteServer])

const signatureSchema = z.strictObject({
  algorithm: z.literal('ed25519'),
  key: z.string().regex(/^[0-9a-f]{16}$/),
  made: z.iso.datetime(),
  expires: z.iso.datetime().optional(),
  value: z.string().regex(/^[A-Za-z0-9_-]{86}$/),
})

export const lockSchema = z.strictObject({
  lock: z.literal(lockVersion, { error: `is not ${lockVersion}, the only version there is` }),
  servers: z.record(z.string(), serverLockSchema),
  signature: signatureSchema.optional(),
})

export type Lock = z.output<typeof lockSchema>
export type ServerLock = z.output<typeof serverLockSchema>
export type NpmLock = z.output<typeof npmServer>
export type PythonLock = z.output<typeof pythonServer>
export type FilesLock = z.output<typeof filesServer>
export type ImageLock = z.output<typeof imageServer>
export type RemoteLock = z.output<typeof remoteServer>
export type PackageLock = z.output<typeof packageSchema>
export type SignatureFact = z.output<typeof signature>
export type ProvenanceFact = z.output<typeof provenance>
