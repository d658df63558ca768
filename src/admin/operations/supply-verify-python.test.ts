import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { after } from 'node:test'
import { openSigstore } from '../../../test/stand-ins/sigstore.ts'
import { isBad } from './supply-verify.ts'
import { isPythonDistribution, supplyVerifyPython } from './supply-verify-python.ts'

const folder = mkdtempSync(join(tmpdir(), 'sekisho-wheel-'))
after(() => rmSync(folder, { recursive: true }))
const put = (name: string, content: string): string => {
  writeFileSync(join(folder, name), content)
  return join(folder, name)
}
const wheel = put('server-1.0-py3-none-any.whl', 'bytes of a wheel')

test('a wheel, its attestation, and one byte more', async () => {
  const sigstore = await openSigstore()
  const { verificationMaterial, dsseEnvelope } = await sigstore.bundle({
    ...{
      _type: 'https://in-toto.io/Statement/v1',
      predicateType: 'https://docs.pypi.org/attestations/publish/v1',
      predicate: null,
    },
    subject: [{ name: 'server-1.0-py3-none-any.whl', digest: { sha256: hash('sha256', 'bytes of a wheel') } }],
  })
  const attestation = {
    version: 1,
    verification_material: {
      certificate: verificationMaterial.certificate?.rawBytes,
      transparency_entries: verificationMaterial.tlogEntries,
    },
    envelope: { statement: dsseEnvelope.payload, signature: dsseEnvelope.signatures[0]?.sig },
  }
  const bundle = put('provenance.json', JSON.stringify({ version: 1, attestation_bundles: [{ attestations: [attestation] }] }))
  const good = await supplyVerifyPython(wheel, bundle, () => sigstore.trust)
  assert.deepEqual([good.checks.contents?.status, good.checks.provenance?.status], ['verified', 'verified'])
  assert.match(good.checks.provenance?.detail ?? '', /^https:\/\/github\.com\/acme\/server /)
  const other = put('Server-1.0-py3-none-any.whl', 'bytes of a wheel.')
  const bad = await supplyVerifyPython(other, bundle, () => sigstore.trust)
  assert.match(bad.checks.provenance?.detail ?? '', /about other bytes; do not install it/)
  assert.equal(isBad(bad, []), true)
  assert.equal(await isPythonDistribution('server-1.0.tar.gz', bundle), true)
  assert.equal(await isPythonDistribution('server-1.0.tar.gz', put('other.json', '{"mediaType":"x"}')), false)
})

test('without attestations nothing is known; what is no JSON is said', async () => {
  const open = await supplyVerifyPython(wheel, undefined)
  assert.deepEqual([isBad(open, []), isBad(open, ['provenance'])], [false, true])
  await assert.rejects(supplyVerifyPython(wheel, put('torn.json', '{')), /torn\.json is not JSON/)
  assert.deepEqual(
    [await isPythonDistribution(wheel, undefined), await isPythonDistribution('a.tar.gz', undefined)],
    [true, false],
  )
})
