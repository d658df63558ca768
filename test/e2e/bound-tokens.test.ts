/**
 * AUTH-C5, K-1: tokens that are of no use to a thief. A token bound to a key needs a fresh proof of it with every request
 * (RFC 9449); one bound to a certificate counts only over a connection that shows it (RFC 8705).
 */
import assert from 'node:assert/strict'
import { generateKeyPairSync, hash, randomUUID, sign, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { request } from 'node:https'
import { after, before, describe, it } from 'node:test'
import { calculateJwkThumbprint } from 'jose'
import { Authority } from '../attacks/support/certificates.ts'
import { type Got, messagesIn, modern, modernParts } from '../attacks/support/client.ts'
import { type Echo, echo } from '../attacks/support/echo.ts'
import { httpServer, open, passed, yard } from '../attacks/support/house.ts'
import { type Issuer, issuer } from '../attacks/support/issuer.ts'

const house = yard()
let upstream: Echo
before(async () => {
  upstream = await echo()
})
after(async () => {
  await house.close()
  await upstream.close()
})
const bindings = [{ role: 'all', client: 'editor' }]

for (const mode of ['accept', 'require'] as const)
  describe(`DPoP, where it is ${mode === 'accept' ? 'accepted' : 'required'}`, () => {
    const key = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const jwk = key.publicKey.export({ format: 'jwk' })
    let provider: Issuer
    let url: string
    let token: string
    before(async () => {
      provider = await issuer({ dpop: mode })
      const gateway = await house.gateway(open({ x: httpServer(upstream, 'modern') }, { identity: provider.identity, bindings }))
      url = `${gateway.url}/x/mcp`
      token = provider.token(url, 'ada', { cnf: { jkt: await calculateJwkThumbprint(jwk as never) } })
    })
    after(() => provider.close())

    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
    function proof(changes: object = {}): string {
      const claims = {
        htm: 'POST',
        htu: url,
        iat: Math.floor(Date.now() / 1000),
        jti: randomUUID(),
        ath: hash('sha256', token, 'base64url'),
      }
      const input = `${part({ typ: 'dpop+jwt', alg: 'ES256', jwk })}.${part({ ...claims, ...changes })}`
      return `${input}.${sign('sha256', Buffer.from(input), { key: key.privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
    }
    const list = (headers: Record<string, string>): Promise<Got> => modern(url, 'tools/list', {}, { headers })

    it('without the proof the token opens nothing, however it is shown', async () => {
      for (const scheme of ['Bearer', 'DPoP'])
        assert.equal((await list({ authorization: `${scheme} ${token}` })).status, 401, scheme)
      assert.equal((await list({ authorization: `Bearer ${token}`, dpop: proof() })).status, 401)
    })
    it('a proof for another method, URL or token is none', async () => {
      for (const changes of [{ htm: 'GET' }, { htu: url.replace('/x/', '/y/') }, { ath: 'x' }, { iat: 1 }])
        assert.equal((await list({ authorization: `DPoP ${token}`, dpop: proof(changes) })).status, 401, JSON.stringify(changes))
    })
    it('a proof opens once; a replay opens nothing', async () => {
      const once = proof()
      passed(await list({ authorization: `DPoP ${token}`, dpop: once }))
      assert.equal((await list({ authorization: `DPoP ${token}`, dpop: once })).status, 401)
      passed(await list({ authorization: `DPoP ${token}`, dpop: proof() }))
    })
    it(`a token without a key is ${mode === 'accept' ? 'as good as ever' : 'refused'}`, async () => {
      const plain = await modern(url, 'tools/list', {}, { token: provider.token(url, 'ada') })
      assert.equal(plain.status, mode === 'accept' ? 200 : 401)
      if (mode === 'require') assert.match(String(plain.headers['www-authenticate']), /^DPoP /)
    })
  })

describe('a token bound to a certificate', () => {
  const authority = new Authority(house.folder(), 'bound')
  const [server, own, other] = ['server', 'own', 'other'].map((name) => authority.issue(name)) as [
    typeof authority,
    typeof authority,
    typeof authority,
  ]
  let provider: Issuer
  let url: string
  before(async () => {
    provider = await issuer()
    const tls = { cert: server.cert, key: server.key, clientCa: authority.cert }
    const gateway = await house.gateway(
      open({ x: httpServer(upstream, 'modern') }, { identity: provider.identity, bindings, tls }),
    )
    url = `${gateway.url}/x/mcp`
  })
  after(() => provider.close())

  function list(token: string, certificate: { readonly cert: string; readonly key: string }): Promise<number> {
    const { headers, body } = modernParts('tools/list', {}, { token })
    const files = { ca: readFileSync(authority.cert), cert: readFileSync(certificate.cert), key: readFileSync(certificate.key) }
    const usual = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
    return new Promise((resolve, reject) => {
      const sent = request(
        url,
        { method: 'POST', ...files, headers: { ...usual, ...headers } as Record<string, string> },
        (response) => {
          let text = ''
          response.on('data', (chunk: Buffer) => (text += chunk))
          response.on('end', () => {
            messagesIn(text)
            resolve(response.statusCode ?? 0)
          })
        },
      )
      sent.on('error', reject).end(body)
    })
  }

  it('counts over a connection with that certificate, and over no other', async () => {
    const thumbprint = hash('sha256', new X509Certificate(readFileSync(own.cert)).raw, 'base64url')
    const token = provider.token(url, 'ada', { cnf: { 'x5t#S256': thumbprint } })
    assert.equal(await list(token, other), 401)
    assert.equal(await list(token, own), 200)
    assert.equal(await list(provider.token(url, 'ada'), other), 200, 'a token that is bound to nothing')
  })
})
