import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import test from 'node:test'
import { createServer } from 'node:tls'
import { certificateAuthority } from '../../test/stand-ins/certificates.ts'
import { pinOf, tlsKeyOf } from './tls-key.ts'

const authority = certificateAuthority()
const pair = authority.issue('service')

test('the key of a server is the one in its certificate, and one that nobody vouches for is none', async () => {
  const server = createServer({ cert: pair.cert, key: pair.key }, (socket) => socket.end())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/x`
  await assert.rejects(tlsKeyOf(url), /certificate|issuer/)
  await assert.rejects(tlsKeyOf(url.replace('https', 'http')), /without TLS/)
  assert.equal(await tlsKeyOf(url, { ca: authority.cert }), pinOf(new X509Certificate(pair.cert)))
  server.close()
  await assert.rejects(tlsKeyOf(url, { ca: authority.cert, timeoutMs: 1000 }), /ECONNREFUSED/)
})
