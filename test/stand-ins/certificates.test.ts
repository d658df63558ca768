import assert from 'node:assert/strict'
import { createHash, X509Certificate } from 'node:crypto'
import { createServer, request } from 'node:https'
import type { AddressInfo } from 'node:net'
import { describe, it } from 'node:test'
import { certificateAuthority, type Pair, selfSigned, thumbprints } from './certificates.ts'

const ours = certificateAuthority()
const strangers = certificateAuthority('Strangers')

async function statusFrom(shown: Pair, trusted: string): Promise<number | undefined> {
  const server = createServer(shown, (_, response) => response.end('hello'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  try {
    return await new Promise((resolve, reject) =>
      request({ host: '127.0.0.1', port, ca: trusted, agent: false }, (response) => {
        response.resume()
        resolve(response.statusCode)
      })
        .on('error', reject)
        .end(),
    )
  } finally {
    server.close()
    server.closeAllConnections()
  }
}

describe('a certificate is refused', () => {
  const cases: readonly (readonly [why: string, shown: Pair, code: string])[] = [
    ['of another authority', strangers.issue('stranger'), 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
    ['expired', ours.issue('late', { days: -1 }), 'CERT_HAS_EXPIRED'],
    ['for another name', ours.issue('other', { hosts: ['crm.example.com'] }), 'ERR_TLS_CERT_ALTNAME_INVALID'],
    ['for another address', ours.issue('other', { hosts: ['127.0.0.2'] }), 'ERR_TLS_CERT_ALTNAME_INVALID'],
  ]
  for (const [why, shown, code] of cases) it(why, () => assert.rejects(statusFrom(shown, ours.cert), { code }))
})

it('a certificate of ours is good for loopback', async () => {
  const leaf = ours.issue('good')
  assert.equal(await statusFrom(leaf, ours.cert), 200)
  const { subject, subjectAltName, ca, keyUsage } = new X509Certificate(leaf.cert)
  assert.deepEqual(
    { subject, subjectAltName, ca, keyUsage },
    {
      subject: 'CN=good',
      subjectAltName: 'IP Address:127.0.0.1, DNS:localhost',
      ca: false,
      keyUsage: ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'],
    },
  )
  assert.equal(new X509Certificate(ours.cert).ca, true)
})

it('a self-signed one verifies under its own key, and has the thumbprints that RFC 7515 means', () => {
  const { cert, publicKey } = selfSigned('accounts.accesscontrol.test')
  const read = new X509Certificate(cert)
  assert.equal(read.verify(publicKey), true)
  assert.equal(thumbprints(cert).x5t, Buffer.from(read.fingerprint.replaceAll(':', ''), 'hex').toString('base64url'))
  assert.equal(thumbprints(cert).x5tS256, createHash('sha256').update(read.raw).digest('base64url'))
  assert.equal(thumbprints(cert).x5c, read.raw.toString('base64'))
})
