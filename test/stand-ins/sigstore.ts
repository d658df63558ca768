/**
 * A Sigstore of our own: an authority for certificates with its log, and a transparency log, made of @sigstore/mock; and a builder that
 * signs statements there, as GitHub Actions would. Its bundles verify against its own trusted root and against no other.
 */
import { createHash, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { initializeCA, initializeCTLog, initializeTLog, initializeTSA } from '@sigstore/mock'
import { canonicalJson } from '../../src/lib/canonical-json.ts'
import { type TrustRoot, trustRoot } from '../../src/trust/supply/trust-root.ts'

export const issuer = 'https://token.actions.githubusercontent.com'
export const workflow = 'https://github.com/acme/server/.github/workflows/release.yml@refs/tags/v1.2.3'
const payloadType = 'application/vnd.in-toto+json'

export interface Signing {
  /** Of the certificate. */
  readonly identity?: string
  readonly issuer?: string
  /** With a key of the registry instead of a certificate. */
  readonly registryKey?: { readonly id: string; readonly key: KeyObject }
  /** Stamped by a time stamping authority, too (RFC 3161). */
  readonly stamped?: true
}
export interface SigstoreStandIn {
  readonly trust: TrustRoot
  readonly registryKey: { readonly id: string; readonly key: KeyObject; readonly publicKey: KeyObject }
  bundle(statement: object, signing?: Signing): Promise<Bundle>
}
/** As JSON, loose enough to be tampered with. */
export interface Bundle {
  mediaType: string
  verificationMaterial: {
    certificate?: { rawBytes: string }
    publicKey?: { hint: string }
    tlogEntries: Record<string, unknown>[]
    timestampVerificationData: { rfc3161Timestamps: { signedTimestamp: string }[] }
  }
  dsseEnvelope: { payload: string; payloadType: string; signatures: { sig: string; keyid: string }[] }
}

/** As Rekor answers. */
interface LogEntry {
  readonly body: string
  readonly integratedTime: number
  readonly logIndex: number
  readonly verification: {
    readonly signedEntryTimestamp: string
    readonly inclusionProof: {
      readonly checkpoint: string
      readonly logIndex: number
      readonly rootHash: string
      readonly treeSize: number
    }
  }
}

const pair = (namedCurve = 'P-256') => generateKeyPairSync('ec', { namedCurve })
const der = (key: KeyObject): Buffer => key.export({ format: 'der', type: 'spki' })
const base64 = (bytes: ArrayBufferView | Buffer): string => Buffer.from(bytes as Buffer).toString('base64')
const sha256 = (bytes: string | Buffer): Buffer => createHash('sha256').update(bytes).digest()

export async function openSigstore(): Promise<SigstoreStandIn> {
  const [caKeys, ctKeys, logKeys, tsaKeys, registryKeys] = [pair('P-384'), pair(), pair(), pair('P-384'), pair()]
  // The log and the stamp come after the certificate; a stamp is read in whole seconds only.
  const now = Math.floor(Date.now() / 1000) * 1000
  const ctLog = await initializeCTLog(ctKeys, new Date(now))
  const authority = await initializeCA(caKeys, ctLog, new Date(now))
  const log = await initializeTLog('https://rekor.test', logKeys, new Date(now + 1000))
  const stamps = await initializeTSA(tsaKeys, new Date(now + 2000))
  const registryKey = { id: 'SHA256:test', key: registryKeys.privateKey, publicKey: registryKeys.publicKey }
  const always = { start: '2020-01-01T00:00:00Z' }
  const logOf = (baseUrl: string, key: Buffer) => ({
    baseUrl,
    publicKey: { rawBytes: base64(key), keyDetails: 'PKIX_ECDSA_P256_SHA_256', validFor: always },
    logId: { keyId: base64(sha256(key)) },
  })
  const chain = (uri: string, ...certificates: ArrayBufferView[]) => ({
    uri,
    certChain: { certificates: certificates.map((one) => ({ rawBytes: base64(one) })) },
    validFor: always,
  })
  const publicKey = { rawBytes: base64(der(registryKeys.publicKey)), keyDetails: 'PKIX_ECDSA_P256_SHA_256', validFor: always }
  const trust = trustRoot(
    {
      tlogs: [logOf('https://rekor.test', log.publicKey)],
      ctlogs: [logOf('https://ct.test', ctLog.publicKey)],
      certificateAuthorities: [chain('https://fulcio.test', authority.rootCertificate)],
      timestampAuthorities: [chain('https://tsa.test', stamps.intCertificate, stamps.rootCertificate)],
    },
    {
      keys: [
        { keyId: registryKey.id, keyUsage: 'npm:signatures', publicKey },
        { keyId: registryKey.id, keyUsage: 'npm:attestations', publicKey },
      ],
    },
  )

  async function bundle(statement: object, signing: Signing = {}): Promise<Bundle> {
    const payload = Buffer.from(JSON.stringify(statement))
    const signed = Buffer.concat([Buffer.from(`DSSEv1 ${payloadType.length} ${payloadType} ${payload.length} `), payload])
    const own = pair()
    const { registryKey: byRegistry } = signing
    const sig = sign('sha256', signed, byRegistry?.key ?? own.privateKey)
    const certificate =
      byRegistry === undefined
        ? await authority.issueCertificate({
            publicKey: der(own.publicKey) as Buffer<ArrayBuffer>,
            subjectAltName: signing.identity ?? workflow,
            extensions: [{ oid: '1.3.6.1.4.1.57264.1.8', value: signing.issuer ?? issuer }],
          })
        : undefined
    const verifier = certificate
      ? `-----BEGIN CERTIFICATE-----\n${base64(certificate).replace(/(.{64})/g, '$1\n')}\n-----END CERTIFICATE-----\n`
      : createPublicKey(byRegistry?.key as KeyObject).export({ format: 'pem', type: 'spki' })
    const envelope = { payload: base64(payload), payloadType, signatures: [{ sig: base64(sig), keyid: byRegistry?.id ?? '' }] }
    const entries = await log.log({
      apiVersion: '0.0.1',
      kind: 'dsse',
      spec: {
        envelopeHash: { algorithm: 'sha256', value: sha256(canonicalJson(envelope)).toString('hex') },
        payloadHash: { algorithm: 'sha256', value: sha256(payload).toString('hex') },
        signatures: [{ signature: base64(sig), verifier: base64(Buffer.from(verifier)) }],
      },
    })
    const [entry] = Object.values(entries as Record<string, LogEntry>)
    const { inclusionProof: proof, signedEntryTimestamp } = entry?.verification ?? {}
    const stamp = signing.stamped
      ? [
          await stamps.timestamp({
            artifactHash: sha256(sig),
            hashAlgorithmOID: '2.16.840.1.101.3.4.2.1',
            nonce: 1,
            policyOID: '1.3.6.1.4.1.57264.2',
            certReq: false,
          }),
        ]
      : []
    return {
      mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
      verificationMaterial: {
        ...(certificate ? { certificate: { rawBytes: base64(certificate) } } : { publicKey: { hint: byRegistry?.id ?? '' } }),
        tlogEntries: [
          {
            logIndex: String(entry?.logIndex),
            logId: { keyId: base64(sha256(log.publicKey)) },
            kindVersion: { kind: 'dsse', version: '0.0.1' },
            integratedTime: String(entry?.integratedTime),
            inclusionPromise: { signedEntryTimestamp },
            inclusionProof: {
              logIndex: String(proof?.logIndex),
              rootHash: Buffer.from(proof?.rootHash ?? '', 'hex').toString('base64'),
              treeSize: String(proof?.treeSize),
              hashes: [],
              checkpoint: { envelope: proof?.checkpoint },
            },
            canonicalizedBody: String(entry?.body),
          },
        ],
        timestampVerificationData: { rfc3161Timestamps: stamp.map((one) => ({ signedTimestamp: base64(one) })) },
      },
      dsseEnvelope: envelope,
    }
  }
  return { trust, registryKey, bundle }
}

/** SLSA 1.0, as the public npm registry has it of GitHub Actions. */
export const provenanceOf = (name: string, sha512: string, repository = 'https://github.com/acme/server'): object => ({
  _type: 'https://in-toto.io/Statement/v1',
  subject: [{ name, digest: { sha512 } }],
  predicateType: 'https://slsa.dev/provenance/v1',
  predicate: {
    buildDefinition: {
      buildType: 'https://slsa-framework.github.io/github-actions-buildtypes/workflow/v1',
      externalParameters: { workflow: { ref: 'refs/tags/v1.2.3', repository, path: '.github/workflows/release.yml' } },
      resolvedDependencies: [{ uri: `git+${repository}@refs/tags/v1.2.3`, digest: { gitCommit: 'c0ffee'.padEnd(40, '0') } }],
    },
    runDetails: { builder: { id: 'https://github.com/actions/runner/github-hosted' } },
  },
})
