/** Attestations of PEP 740: of a Sigstore of our own, and each thing that may be wrong with them. */
import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { type Bundle, openSigstore, type Signing, type SigstoreStandIn, workflow } from '../../../test/stand-ins/sigstore.ts'
import { isPythonAttestation, type PythonProvenance, verifyPythonProvenance } from './provenance-python.ts'
import { shippedTrustRoot } from './trust-root.ts'

const sha256 = 'ab'.repeat(32)
const filename = 'acme_server-1.2.3-py3-none-any.whl'
const distribution = { filename, sha256 }
const publish = 'https://docs.pypi.org/attestations/publish/v1'
const statement = (more: object = {}): object => ({
  ...{
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: filename, digest: { sha256 } }],
    predicateType: publish,
    predicate: null,
  },
  ...more,
})

let sigstore: SigstoreStandIn
before(async () => {
  sigstore = await openSigstore()
})

interface Attestation {
  version: number
  verification_material: { certificate: string | undefined; transparency_entries: unknown[] }
  envelope: { statement: string; signature: string | undefined }
}
const written = ({ verificationMaterial: { certificate, tlogEntries }, dsseEnvelope }: Bundle): Attestation => ({
  version: 1,
  verification_material: { certificate: certificate?.rawBytes, transparency_entries: tlogEntries },
  envelope: { statement: dsseEnvelope.payload, signature: dsseEnvelope.signatures[0]?.sig },
})
const attested = async (more: object = {}, signing: Signing = {}): Promise<Attestation> =>
  written(await sigstore.bundle(statement(more), signing))
const served = (
  attestations: readonly unknown[],
  publisher: object = { kind: 'GitHub', repository: 'acme/server', workflow: 'release.yml' },
) => ({
  version: 1,
  attestation_bundles: [{ publisher, attestations }],
})
const verdict = (json: unknown, about = distribution): PythonProvenance => verifyPythonProvenance(json, about, sigstore.trust)
const why = (found: PythonProvenance): string => ('why' in found ? found.why : found.status)

describe('is refused', () => {
  const cases: readonly (readonly [says: string, make: () => Promise<unknown>, reason: RegExp])[] = [
    ['nothing', async () => null, /no attestation of PEP 740/],
    ['another version', async () => ({ ...(await attested()), version: 2 }), /no attestation of PEP 740/],
    ['no attestations', async () => served([]), /no attestation of PEP 740/],
    ['too many', async () => served(Array(17).fill(await attested())), /more than 16/],
    ['an attestation that is none', async () => served([{ version: 1 }]), /not as PEP 740 has it/],
    ['other bytes', () => attested({ subject: [{ name: filename, digest: { sha256: 'cd'.repeat(32) } }] }), /about other bytes/],
    ['no subject', () => attested({ subject: [null] }), /about other bytes/],
    ['a subject without a digest', () => attested({ subject: [{ name: filename, digest: null }] }), /about other bytes/],
    ['subjects that are no list', () => attested({ subject: { 0: 1 } }), /about other bytes/],
    [
      'more than these bytes',
      () => attested({ subject: Array(2).fill({ name: filename, digest: { sha256 } }) }),
      /about other bytes/,
    ],
    ['another file', () => attested({ subject: [{ name: 'other-1.0.tar.gz', digest: { sha256 } }] }), /file of another name/],
    ['another statement', () => attested({ predicateType: 'https://example.com/v1' }), /neither of the publication/],
    ['SLSA alone', () => attested({ predicateType: 'https://slsa.dev/provenance/v1' }), /nothing in it is about the publication/],
    [
      'a builder that nobody knows',
      () => attested({}, { issuer: 'https://accounts.google.com', identity: 'https://x.example/a' }),
      /it was signed by/,
    ],
    [
      'a publisher that it was not',
      async () => served([await attested()], { kind: 'GitHub', repository: 'evil/server' }),
      /names https:\/\/github.com\/evil\/server/,
    ],
    [
      'a statement that was changed',
      async () => {
        const one = await attested()
        const text = Buffer.from(one.envelope.statement, 'base64').toString().replace('acme', 'evil')
        return { ...one, envelope: { ...one.envelope, statement: Buffer.from(text).toString('base64') } }
      },
      /signature is wrong|transparency log/,
    ],
    [
      'the entry of another in the log',
      async () => {
        const [one, other] = [await attested(), await attested({ predicate: {} })]
        return {
          ...one,
          verification_material: {
            ...one.verification_material,
            transparency_entries: other.verification_material.transparency_entries,
          },
        }
      },
      /transparency log|signature is wrong/,
    ],
    [
      'no entry in the log',
      async () => {
        const one = await attested()
        return { ...one, verification_material: { ...one.verification_material, transparency_entries: [] } }
      },
      /transparency log|timestamp|cannot be read/,
    ],
    [
      'one that was built elsewhere than it was published from',
      async () => {
        const elsewhere = { identity: workflow.replace('acme/server', 'acme/other') }
        const built = await attested({ predicateType: 'https://slsa.dev/provenance/v1' }, elsewhere)
        return { version: 1, attestation_bundles: [{ attestations: [await attested(), built] }] }
      },
      /published from .*acme\/server, and built in .*acme\/other/,
    ],
  ]
  for (const [says, make, reason] of cases) it(says, async () => assert.match(why(verdict(await make())), reason))

  it('by the trust that is shipped: our own Sigstore is nobody', async () => {
    assert.match(
      why(verifyPythonProvenance(await attested(), distribution, shippedTrustRoot())),
      /no trusted root|cannot be read|log/,
    )
  })
})

describe('is verified', () => {
  const repository = 'https://github.com/acme/server'
  it('one attestation, and what the index answers', async () => {
    assert.deepEqual(verdict(await attested()), { status: 'verified', repository, workflow, slsa: false })
    const built = await attested({ predicateType: 'https://slsa.dev/provenance/v1' })
    assert.deepEqual(verdict(served([await attested(), built])), { status: 'verified', repository, workflow, slsa: true })
  })
  it('under another spelling of the same name; from a publisher of a kind that is not known here', async () => {
    assert.equal(why(verdict(await attested(), { filename: 'Acme.Server-1.2.3-py3-none-any.whl', sha256 })), 'verified')
    assert.equal(why(verdict(served([await attested()], { kind: 'New', x: 1 }))), 'verified')
  })
})

it('is told from a bundle of Sigstore', async () => {
  assert.equal(isPythonAttestation(await attested()), true)
  assert.equal(isPythonAttestation(served([])), true)
  for (const other of [null, [], {}, await sigstore.bundle(statement())]) assert.equal(isPythonAttestation(other), false)
})
