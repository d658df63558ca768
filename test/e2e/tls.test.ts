/**
 * TOK-C4, SES-C5: encrypted on every hop, or on this machine, or refused. Certificates are checked and there is no way to ask that
 * they are not; a proxy in front or in between is believed only as far as the configuration says.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createServer, request as httpsRequest } from 'node:https'
import type { AddressInfo } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { Authority, agreedVersion, type Certificate } from '../attacks/support/certificates.ts'
import { type Got, modern, modernParts, send } from '../attacks/support/client.ts'
import { type Echo, echo } from '../attacks/support/echo.ts'
import { httpServer, keyed, open, passed, refused, startIn, yard } from '../attacks/support/house.ts'

const house = yard()
const folder = house.folder()
const ours = new Authority(folder, 'ours')
const strangers = new Authority(folder, 'strangers')
const { identity, bindings, tokens } = keyed(['ci'])
const token = tokens['ci'] as string
let good: Certificate
let plain: Echo
const closing: { close(): unknown }[] = []

before(async () => {
  good = ours.issue('good')
  plain = await echo()
})
after(async () => {
  await house.close()
  for (const one of [plain, ...closing]) await one.close()
})

const start = (config: object, env: Record<string, string> = {}) => startIn(house, config, env)

/** A modern request over TLS, with the certificate of a client where one is given. */
function overTls(url: string, { cert, key }: Partial<Certificate> = {}): Promise<{ status: number; headers: Got['headers'] }> {
  const { body, headers } = modernParts('tools/list', {}, { token })
  const { port } = new URL(url)
  const shown = cert && key ? { cert: readFileSync(cert), key: readFileSync(key) } : {}
  return new Promise((resolve, reject) => {
    const options = {
      host: '127.0.0.1',
      port,
      path: '/x/mcp',
      method: 'POST',
      ca: readFileSync(ours.cert),
      ...shown,
      agent: false as const,
    }
    const all = {
      ...(headers as Record<string, string>),
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    }
    const request = httpsRequest({ ...options, headers: all }, (response) => {
      response.resume().on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers }))
      response.on('error', reject)
    })
    request.on('error', reject)
    request.end(body)
  })
}

const secured = (tls: object): object =>
  open({ x: httpServer(plain) }, { identity, bindings, tls: { cert: good.cert, key: good.key, ...tls } })

describe('the listener: 1.3 by default, 1.2 by choice, 1.1 never', () => {
  it('the client of this test can speak 1.1 (a careless server agrees to it)', async () => {
    const careless = createServer(
      { cert: readFileSync(good.cert), key: readFileSync(good.key), minVersion: 'TLSv1', ciphers: 'ALL:@SECLEVEL=0' },
      (_, response) => response.end('hello'),
    )
    await new Promise<void>((resolve) => careless.listen(0, '127.0.0.1', resolve))
    closing.push(careless)
    assert.equal(await agreedVersion((careless.address() as AddressInfo).port, ours.cert, ['-tls1_1']), 'TLSv1.1')
    careless.closeAllConnections()
  })

  const matrix = [
    ['the default', {}, ['TLSv1.3', undefined, undefined, undefined]],
    ['minVersion TLSv1.3', { minVersion: 'TLSv1.3' }, ['TLSv1.3', undefined, undefined, undefined]],
    ['minVersion TLSv1.2', { minVersion: 'TLSv1.2' }, ['TLSv1.3', 'TLSv1.2', undefined, undefined]],
  ] as const
  for (const [says, tls, expected] of matrix)
    it(says, async () => {
      const { url } = await start(secured(tls), { NODE_OPTIONS: '--tls-min-v1.0' })
      assert.match(url, /^https:/)
      const port = Number(new URL(url).port)
      assert.deepEqual(
        await Promise.all(['-tls1_3', '-tls1_2', '-tls1_1', '-tls1'].map((flag) => agreedVersion(port, ours.cert, [flag]))),
        expected,
      )
      const weak = ['NULL', 'RC4', 'DES', '3DES', 'aNULL', 'EXPORT', 'MD5']
      const agreed = await Promise.all(
        weak.map((cipher) => agreedVersion(port, ours.cert, ['-tls1_2', '-cipher', `${cipher}:@SECLEVEL=0`])),
      )
      assert.deepEqual(
        agreed.filter((version) => version !== undefined),
        [],
      )
      assert.equal((await overTls(url)).headers['strict-transport-security'], 'max-age=31536000')
      await assert.rejects(send(url.replace('https', 'http'), { body: '{}' }))
    })

  for (const version of ['TLSv1.1', 'TLSv1', 'SSLv3', ''])
    it(`minVersion "${version}" is refused at start`, async () => {
      const { child, errors } = await start(secured({ minVersion: version }))
      assert.equal(child.exitCode, 1)
      assert.match(errors.join('\n'), /minVersion/)
    })
})

describe('mutual TLS: only who shows a certificate of ours gets as far as HTTP', () => {
  let url: string
  before(async () => {
    url = (await start(secured({ clientCa: ours.cert }))).url
  })
  const clients: readonly (readonly [says: string, shows: () => Partial<Certificate>])[] = [
    ['nothing', () => ({})],
    ['one of another authority', () => strangers.issue('stranger')],
    ['one that has expired', () => ours.issue('late', { days: -1 })],
    ['the authority of strangers itself', () => strangers],
  ]
  for (const [says, shows] of clients)
    it(`${says}: no`, async () => {
      plain.heard.length = 0
      await assert.rejects(overTls(url, shows()), /ECONNRESET|alert|socket hang up|certificate/i)
      assert.deepEqual(plain.heard, [])
    })
  it('one of ours: yes, and the key of the gateway is asked for all the same', async () => {
    const client = ours.issue('client')
    assert.equal((await overTls(url, client)).status, 200)
    const port = Number(new URL(url).port)
    assert.equal(await agreedVersion(port, ours.cert, ['-cert', client.cert, '-key', client.key]), 'TLSv1.3')
    assert.equal(await agreedVersion(port, ours.cert), undefined)
  })
})

describe('servers behind us: a certificate that is not right is refused, whatever the environment says', () => {
  const cases: readonly (readonly [id: string, make: () => Certificate, options?: object])[] = [
    ['expired', () => ours.issue('expired', { days: -1 })],
    ['other-host', () => ours.issue('other-host', { hosts: ['crm.example.com'] })],
    ['other-address', () => ours.issue('other-address', { hosts: ['127.0.0.2'] })],
    ['unknown-ca', () => strangers.issue('unknown-ca')],
    ['self-signed', () => strangers],
    ['old-tls', () => good, { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' }],
    ['tls12', () => good, { maxVersion: 'TLSv1.2' }],
    ['wants-cert', () => good, { ca: readFileSync(ours.cert), requestCert: true, rejectUnauthorized: true }],
  ]
  const upstreams = new Map<string, Echo>()
  let urls: string[]

  before(async () => {
    const servers: Record<string, object> = {}
    for (const [id, make, options] of [...cases, ['good', () => good] as const]) {
      const { cert, key } = make()
      const upstream = await echo({
        listen: (listener) => createServer({ cert: readFileSync(cert), key: readFileSync(key), ...options }, listener),
      })
      closing.push(upstream)
      upstreams.set(id, upstream)
      for (const era of ['modern', 'legacy', 'auto'])
        servers[`${id}-${era}`] = httpServer(upstream, era as 'modern', { tls: { ca: ours.cert } })
    }
    const at = (id: string): string => (upstreams.get(id) as Echo).url
    servers['without-ca'] = { url: at('good'), era: 'modern' }
    servers['by-choice'] = {
      url: at('tls12'),
      era: 'modern',
      transport: 'streamable-http',
      tls: { ca: ours.cert, minVersion: 'TLSv1.2' },
    }
    const client = ours.issue('gateway')
    servers['with-cert'] = {
      url: at('wants-cert'),
      era: 'modern',
      transport: 'streamable-http',
      tls: { ca: ours.cert, ...client },
    }
    const environments = [
      {},
      { NODE_TLS_REJECT_UNAUTHORIZED: '0', NODE_OPTIONS: '--tls-min-v1.0 --tls-cipher-list=ALL:@SECLEVEL=0' },
    ]
    urls = (await Promise.all(environments.map((env) => start(open(servers), env as Record<string, string>)))).map(
      ({ url }) => url,
    )
  })

  for (const [at, environment] of ['', ', with NODE_TLS_REJECT_UNAUTHORIZED=0'].entries()) {
    for (const [id] of cases)
      it(`${id}${environment}`, async () => {
        for (const era of ['modern', 'legacy', 'auto'])
          refused(await modern(`${urls[at]}/${id}-${era}/mcp`, 'tools/list'), 502, 'UPSTREAM_UNAVAILABLE', /cannot be reached/)
        assert.deepEqual((upstreams.get(id) as Echo).heard, [])
      })
    it(`without its authority${environment}`, async () => {
      refused(await modern(`${urls[at]}/without-ca/mcp`, 'tools/list'), 502, 'UPSTREAM_UNAVAILABLE', /cannot be reached/)
    })
  }
  for (const id of ['good-modern', 'by-choice', 'with-cert'])
    it(`and is accepted when it is right: ${id}`, async () => {
      passed(await modern(`${urls[0]}/${id}/mcp`, 'tools/list'))
    })
})
