import assert from 'node:assert/strict'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { after, before, it } from 'node:test'
import { certificateAuthority } from '../../../test/stand-ins/certificates.ts'
import { Stop } from '../../lib/stop.ts'
import { Refusal } from '../../pipeline/refusal.ts'
import { type KeyPin, pinned, tlsKeyOf } from './tls-key.ts'
import { networkTransport } from './transport.ts'

const authority = certificateAuthority()
const server = createServer({ ...authority.issue('good') }, (_, response) => response.end('{}'))
let url: string
before(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`
})
after(() => {
  server.closeAllConnections()
  server.close()
})

async function send(pin: KeyPin): Promise<number> {
  const transport = networkTransport({ url, tls: { ca: authority.cert }, checkServerIdentity: pinned('crm', pin) })
  try {
    const response = await transport.send({ method: 'POST', headers: {}, body: '{}', stop: new Stop() })
    response.discard()
    return response.status
  } finally {
    await transport.close()
  }
}

it('SUP-C3 another key than the locked one is refused, though its certificate verifies', async () => {
  await assert.rejects(send({ spki: `sha256:${'0'.repeat(64)}` }), (error: unknown) => {
    assert.ok(error instanceof Refusal, String(error))
    assert.equal(error.code, 'SERVER_NOT_ADMITTED')
    assert.match(error.message, /"crm".*another TLS key than was locked/)
    return true
  })
})

it('SUP-C3 the locked key is accepted; without one, any whose certificate verifies', async () => {
  const spki = await tlsKeyOf(url, authority.cert)
  assert.match(spki, /^sha256:[0-9a-f]{64}$/)
  assert.equal(await send({ spki }), 200)
  assert.equal(await send({ spki: undefined }), 200)
})

it('SUP-C3 no key is locked of a server whose certificate does not verify', async () => {
  await assert.rejects(tlsKeyOf(url), /unable to|self.signed/i)
})
