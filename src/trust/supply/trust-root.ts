/**
 * Whom Sigstore and the npm registry sign as: the trusted root and the registry's keys, from the copy that @sigstore/tuf carries as the
 * start of its updates (The Update Framework). So nothing has to be fetched; a key that is newer than the package is not known.
 */
import { createPublicKey, type KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type TrustMaterial, toTrustMaterial, VerificationError } from '@sigstore/verify'

export interface RegistryKey {
  readonly id: string
  readonly usage: string
  readonly key: KeyObject
  readonly from: number
  readonly until: number
}
export interface TrustRoot {
  readonly material: TrustMaterial
  readonly registryKeys: readonly RegistryKey[]
}

type Root = Parameters<typeof toTrustMaterial>[0]
interface Validity {
  readonly start?: string
  readonly end?: string
}
interface PublicKeyText {
  readonly rawBytes: string
  readonly keyDetails: string
  readonly validFor?: Validity
}
interface LogText {
  readonly baseUrl: string
  readonly publicKey: PublicKeyText
  readonly logId: { readonly keyId: string }
}
interface AuthorityText {
  readonly uri: string
  readonly certChain: { readonly certificates: readonly { readonly rawBytes: string }[] }
  readonly validFor?: Validity
}
export interface TrustedRootText {
  readonly tlogs: readonly LogText[]
  readonly ctlogs: readonly LogText[]
  readonly certificateAuthorities: readonly AuthorityText[]
  readonly timestampAuthorities: readonly AuthorityText[]
}
export interface RegistryKeysText {
  readonly keys: readonly { readonly keyId: string; readonly keyUsage: string; readonly publicKey: PublicKeyText }[]
}

let shipped: TrustRoot | undefined

/** What is shipped; read when it is needed for the first time. */
export function shippedTrustRoot(): TrustRoot {
  if (shipped) return shipped
  const path = fileURLToPath(import.meta.resolve('@sigstore/tuf/seeds.json'))
  const seeds = JSON.parse(readFileSync(path, 'utf8')) as Record<string, { targets: Record<string, string> }>
  const targets = Object.values(seeds)[0]?.targets ?? {}
  const target = (name: string): unknown => JSON.parse(Buffer.from(targets[name] ?? '', 'base64').toString('utf8'))
  return (shipped = trustRoot(
    target('trusted_root.json') as TrustedRootText,
    target('registry.npmjs.org%2Fkeys.json') as RegistryKeysText,
  ))
}

export function trustRoot(root: TrustedRootText, { keys }: RegistryKeysText): TrustRoot {
  const registryKeys = keys.map(({ keyId, keyUsage, publicKey: { rawBytes, validFor } }) => ({
    id: keyId,
    usage: keyUsage,
    key: createPublicKey({ key: Buffer.from(rawBytes, 'base64'), format: 'der', type: 'spki' }),
    from: Date.parse(validFor?.start ?? '1970-01-01'),
    until: Date.parse(validFor?.end ?? '9999-12-31'),
  }))
  const find = (hint: string) => {
    const own = registryKeys.filter(({ id, usage }) => id === hint && usage === 'npm:attestations')
    const [first] = own
    if (!first) throw new VerificationError({ code: 'PUBLIC_KEY_ERROR', message: `the key ${hint} is not known` })
    return { publicKey: first.key, validFor: (at: Date) => own.some((key) => isValid(key, at.getTime())) }
  }
  return { material: toTrustMaterial(protobufOf(root), find), registryKeys }
}

export const isValid = ({ from, until }: Pick<RegistryKey, 'from' | 'until'>, at: number): boolean => from <= at && at <= until

/** As the protocol buffers of the JSON would be; of `keyDetails` only RSA in PKCS #1 makes a difference, and no log has it. */
function protobufOf(root: TrustedRootText): Root {
  const validity = (given: Validity | undefined) => ({
    start: given?.start === undefined ? undefined : new Date(given.start),
    end: given?.end === undefined ? undefined : new Date(given.end),
  })
  const log = ({ baseUrl, publicKey, logId }: LogText) => ({
    baseUrl,
    hashAlgorithm: 1,
    publicKey: {
      rawBytes: Buffer.from(publicKey.rawBytes, 'base64'),
      keyDetails: 0,
      validFor: validity(publicKey.validFor),
    },
    logId: { keyId: Buffer.from(logId.keyId, 'base64') },
    checkpointKeyId: undefined,
    operator: '',
  })
  const authority = ({ uri, certChain, validFor }: AuthorityText) => ({
    subject: undefined,
    uri,
    certChain: { certificates: certChain.certificates.map(({ rawBytes }) => ({ rawBytes: Buffer.from(rawBytes, 'base64') })) },
    validFor: validity(validFor),
    operator: '',
  })
  return {
    mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
    tlogs: root.tlogs.map(log),
    ctlogs: root.ctlogs.map(log),
    certificateAuthorities: root.certificateAuthorities.map(authority),
    timestampAuthorities: root.timestampAuthorities.map(authority),
  } as Root
}
