import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import {
  type Bundle,
  openSigstore,
  provenanceOf,
  type Signing,
  type SigstoreStandIn,
  workflow,
} from '../../../test/stand-ins/sigstore.ts'
import { type Provenance, type Subject, verifyProvenance, verifyPublication } from './provenance.ts'
import { repositoryName } from './repository-name.ts'
import { shippedTrustRoot } from './trust-root.ts'

const name = 'pkg:npm/%40acme/server@1.2.3'
const sha512 = 'ab'.repeat(64)
const subject: Subject = { name, sha512, repository: 'git+https://github.com/acme/server.git' }
const statement = provenanceOf(name, sha512)

let sigstore: SigstoreStandIn
let foreign: SigstoreStandIn
before(async () => {
  sigstore = await openSigstore()
  foreign = await openSigstore()
})

const why = (found: Provenance | { status: string }): string => ('why' in found ? String(found.why) : found.status)
const flipped = (base64: string): string => {
  const bytes = Buffer.from(base64, 'base64')
  bytes[bytes.length - 1] = (bytes[bytes.length - 1] as number) ^ 1
  return bytes.toString('base64')
}
const entry = (bundle: Bundle): Record<string, unknown> => bundle.verificationMaterial.tlogEntries[0] as Record<string, unknown>

const tamperings: readonly (readonly [string, (bundle: Bundle, other: Bundle) => void, RegExp])[] = [
  [
    'the digest of the subject',
    ({ dsseEnvelope }) => {
      const text = Buffer.from(dsseEnvelope.payload, 'base64').toString().replace('abab', 'cdcd')
      dsseEnvelope.payload = Buffer.from(text).toString('base64')
    },
    /signature is wrong|transparency log/,
  ],
  [
    'the signature',
    ({ dsseEnvelope: { signatures } }) => void (signatures[0]!.sig = flipped(signatures[0]!.sig)),
    /signature is wrong|transparency log|cannot be read/,
  ],
  [
    'the certificate, by one of somebody else at the same authority',
    ({ verificationMaterial }, other) => void (verificationMaterial.certificate = other.verificationMaterial.certificate!),
    /signature is wrong|transparency log/,
  ],
  [
    'a byte of the certificate',
    ({ verificationMaterial: { certificate } }) => void (certificate!.rawBytes = flipped(certificate!.rawBytes)),
    /leads to no trusted root|cannot be read/,
  ],
  [
    'the entry in the log, by another',
    (bundle, other) => void (bundle.verificationMaterial.tlogEntries = other.verificationMaterial.tlogEntries),
    /something else in its place/,
  ],
  [
    'the proof of inclusion',
    (bundle) => {
      const proof = entry(bundle)['inclusionProof'] as { hashes: string[] }
      proof.hashes.push(Buffer.alloc(32).toString('base64'))
    },
    /proof that it is in the transparency log is wrong/,
  ],
  [
    'the checkpoint of the log',
    (bundle) => {
      const { checkpoint } = entry(bundle)['inclusionProof'] as { checkpoint: { envelope: string } }
      checkpoint.envelope = checkpoint.envelope.replace(/.{8}\n$/, 'AAAAAAA=\n')
    },
    /proof that it is in the transparency log is wrong|transparency log/,
  ],
  [
    'the promise of inclusion',
    (bundle) => {
      const promise = entry(bundle)['inclusionPromise'] as { signedEntryTimestamp: string }
      promise.signedEntryTimestamp = flipped(promise.signedEntryTimestamp)
    },
    /promise to put it in the transparency log is wrong/,
  ],
  [
    'proof and promise, by nothing',
    (bundle) => void Object.assign(entry(bundle), { inclusionProof: undefined, inclusionPromise: undefined }),
    /cannot be read|transparency log/,
  ],
  [
    'the entry in the log, by nothing',
    (bundle) => void (bundle.verificationMaterial.tlogEntries = []),
    /timestamp is missing|transparency log|cannot be read/,
  ],
  [
    'the time in the log',
    (bundle) => void (entry(bundle)['integratedTime'] = String(Number(entry(bundle)['integratedTime']) - 86_400)),
    /trusted root|transparency log/,
  ],
  ['the kind of the envelope', ({ dsseEnvelope }) => void (dsseEnvelope.payloadType = 'text/plain'), /no in-toto statement/],
  ['everything', (bundle) => void Object.assign(bundle, { mediaType: 'x', verificationMaterial: 7 }), /cannot be read/],
]

describe('SUP-C1 provenance that was tampered with does not verify', () => {
  for (const [what, tamper, says] of tamperings)
    it(what, async () => {
      const bundle = await sigstore.bundle(statement)
      const other = await sigstore.bundle(provenanceOf(name, 'cd'.repeat(64)))
      assert.equal(verifyProvenance(bundle, subject, sigstore.trust).status, 'verified')
      tamper(bundle, other)
      const found = verifyProvenance(bundle, subject, sigstore.trust)
      assert.equal(found.status, 'failed')
      assert.match(why(found), says)
    })
  it('a timestamp of an authority', async () => {
    const bundle = await sigstore.bundle(statement, { stamped: true })
    assert.equal(verifyProvenance(bundle, subject, sigstore.trust).status, 'verified')
    const [stamp] = bundle.verificationMaterial.timestampVerificationData.rfc3161Timestamps
    stamp!.signedTimestamp = flipped(stamp!.signedTimestamp)
    assert.match(why(verifyProvenance(bundle, subject, sigstore.trust)), /timestamp is missing or wrong/)
  })
  it('what is signed in order, by another Sigstore', async () => {
    const bundle = await foreign.bundle(statement)
    assert.match(why(verifyProvenance(bundle, subject, sigstore.trust)), /trusted root|transparency log/)
    assert.match(why(verifyProvenance(bundle, subject, shippedTrustRoot())), /trusted root|transparency log/)
  })
})

const strange: readonly (readonly [string, object, Signing, RegExp])[] = [
  ['other bytes', provenanceOf(name, 'cd'.repeat(64)), {}, /about other bytes, or another package/],
  [
    'another package of the same bytes',
    provenanceOf('pkg:npm/server@1.2.3', sha512),
    {},
    /about other bytes, or another package/,
  ],
  [
    'a second subject',
    {
      ...statement,
      subject: [
        { name, digest: { sha512 } },
        { name: 'x', digest: {} },
      ],
    },
    {},
    /about other bytes/,
  ],
  ['no subject', { ...statement, subject: 'all' }, {}, /about other bytes/],
  ['another kind of statement', { ...statement, predicateType: 'https://example.com/opinion' }, {}, /is not SLSA provenance/],
  [
    'a build of another repository that claims ours',
    statement,
    { identity: 'https://github.com/evil/server/.github/workflows/x.yml@refs/heads/main' },
    /names https:\/\/github\.com\/acme\/server, and was signed by a build of https:\/\/github\.com\/evil\/server/,
  ],
  [
    'a build of a fork that says so',
    provenanceOf(name, sha512, 'https://github.com/evil/server'),
    { identity: 'https://github.com/evil/server/.github/workflows/x.yml@refs/heads/main' },
    /was built from https:\/\/github\.com\/evil\/server, and the package says https:\/\/github\.com\/acme\/server/,
  ],
  [
    'an issuer that nobody knows',
    statement,
    { issuer: 'https://issuer.evil.example' },
    /vouched for by https:\/\/issuer\.evil\.example/,
  ],
  ['a person instead of a build', statement, { identity: 'mailto:mallory@example.com' }, /it was signed by/],
  [
    'a host that only begins like ours',
    statement,
    { identity: 'https://github.com.evil.example/acme/server/.github/workflows/x.yml@y' },
    /it was signed by/,
  ],
]
describe('SUP-C1 provenance that is in order and says something else is none', () => {
  for (const [what, claimed, signing, says] of strange)
    it(what, async () => {
      const found = verifyProvenance(await sigstore.bundle(claimed, signing), subject, sigstore.trust)
      assert.equal(found.status, 'failed')
      assert.match(why(found), says)
    })
})

describe('SUP-C1 provenance that verifies', () => {
  it('says repository, commit, builder and issuer', async () => {
    assert.deepEqual(verifyProvenance(await sigstore.bundle(statement), subject, sigstore.trust), {
      status: 'verified',
      repository: 'https://github.com/acme/server',
      commit: 'c0ffee'.padEnd(40, '0'),
      builder: 'https://github.com/actions/runner/github-hosted',
      issuer: 'https://token.actions.githubusercontent.com',
    })
  })
  it('of SLSA 0.2, and of a package that names no repository', async () => {
    const old = {
      ...statement,
      _type: 'https://in-toto.io/Statement/v0.1',
      predicateType: 'https://slsa.dev/provenance/v0.2',
      predicate: {
        builder: { id: 'https://github.com/npm/cli@9.2.0' },
        invocation: {
          configSource: { uri: 'git+https://github.com/acme/server@refs/tags/v1', digest: { sha1: 'a'.repeat(40) } },
        },
      },
    }
    const found = verifyProvenance(await sigstore.bundle(old), { ...subject, repository: undefined }, sigstore.trust)
    assert.deepEqual(found, {
      status: 'verified',
      repository: 'https://github.com/acme/server',
      commit: 'a'.repeat(40),
      builder: 'https://github.com/npm/cli@9.2.0',
      issuer: 'https://token.actions.githubusercontent.com',
    })
  })
  it('GitLab has its workflow behind two slashes', async () => {
    const repository = 'https://gitlab.com/group/sub/server'
    const signing = { identity: `${repository}//.gitlab-ci.yml@refs/heads/main`, issuer: 'https://gitlab.com' }
    const found = verifyProvenance(
      await sigstore.bundle(provenanceOf(name, sha512, repository), signing),
      { ...subject, repository },
      sigstore.trust,
    )
    assert.equal(found.status === 'verified' && found.repository, repository)
  })
  it('the registry states that it published it, with its own key', async () => {
    const publication = {
      ...statement,
      predicateType: 'https://github.com/npm/attestation/tree/main/specs/publish/v0.1',
      predicate: {},
    }
    const bundle = await sigstore.bundle(publication, { registryKey: sigstore.registryKey })
    assert.deepEqual(verifyPublication(bundle, subject, sigstore.trust), { status: 'verified' })
    assert.match(why(verifyPublication(bundle, { ...subject, sha512: 'cd'.repeat(64) }, sigstore.trust)), /other bytes/)
    assert.match(why(verifyPublication(bundle, subject, shippedTrustRoot())), /not known/)
    assert.match(why(verifyProvenance(bundle, subject, sigstore.trust)), /by a key, not by a builder/)
    const forged = await sigstore.bundle(publication, { registryKey: { ...foreign.registryKey, id: sigstore.registryKey.id } })
    assert.match(why(verifyPublication(forged, subject, sigstore.trust)), /signature is wrong/)
  })
})

it('one repository has many spellings', () => {
  const same = [
    'https://github.com/Acme/Server',
    'git+https://github.com/acme/server.git',
    'git+ssh://git@github.com/acme/server.git',
    'git@github.com:acme/server.git',
    'git://github.com/acme/server.git',
    'github:acme/server',
    'acme/server',
    'https://github.com/acme/server/',
  ]
  for (const one of same) assert.equal(repositoryName(one), 'https://github.com/acme/server', one)
  assert.notEqual(repositoryName('https://github.com/acme/server2'), repositoryName(same[0]))
  for (const none of [undefined, '', 7, 'not a repository at all']) assert.equal(repositoryName(none), undefined)
  assert.match(workflow, /^https:\/\/github\.com\/acme\/server\//)
})

it('the trusted root that is shipped has what npm and Sigstore sign with', () => {
  const { material, registryKeys } = shippedTrustRoot()
  assert.ok(material.certificateAuthorities.length > 0 && material.tlogs.length > 0 && material.ctlogs.length > 0)
  assert.ok(
    registryKeys.some(
      ({ id, usage }) => usage === 'npm:signatures' && id === 'SHA256:DhQ8wR5APBvFHLF/+Tc+AYvPOdTpcIDqOhxsBHRwC7U',
    ),
  )
})

it('members that are not what their names promise: failed, not thrown', async () => {
  for (const predicate of [
    null,
    5,
    { buildDefinition: { resolvedDependencies: 5 } },
    { buildDefinition: { resolvedDependencies: [null] } },
  ]) {
    const odd = await sigstore.bundle({ ...statement, predicate })
    assert.equal(verifyProvenance(odd, subject, sigstore.trust).status, 'failed')
  }
})
