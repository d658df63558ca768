import assert from 'node:assert/strict'
import test from 'node:test'
import { isLoopback } from '../lib/loopback.ts'
import { inboundShape, listenSchema, trustedProxySchema } from './schema.ts'

for (const text of [
  '',
  '4180',
  ':4180',
  'localhost',
  'localhost:',
  'localhost:65536',
  '127.0.0.1:x',
  '127.0.0:80',
  '256.1.1.1:80',
  '::1:80',
  '[::1]',
  '[::g]:80',
  '[127.0.0.1]:80',
  'http://x:80',
  'a b:80',
  '-x:80',
  '*:80',
])
  test(`refuses to listen on "${text}"`, () => assert.equal(listenSchema.safeParse(text).success, false))

const addresses: readonly [text: string, host: string, port: number][] = [
  ['127.0.0.1:4180', '127.0.0.1', 4180],
  ['[::1]:0', '::1', 0],
  ['0.0.0.0:80', '0.0.0.0', 80],
  ['mcp-1.example.com:443', 'mcp-1.example.com', 443],
]
for (const [text, host, port] of addresses)
  test(`listens on ${text}`, () => assert.deepEqual(listenSchema.parse(text), { host, port }))

for (const host of [
  '0.0.0.0',
  '::',
  '10.0.0.1',
  '128.0.0.1',
  'localhost.example.com',
  '127.0.0.1.example.com',
  '127.example',
  '::ffff:10.0.0.1',
  '',
])
  test(`${host || 'nothing'} is not this machine`, () => assert.equal(isLoopback(host), false))
for (const host of ['127.0.0.1', '127.255.0.3', '::1', '[::1]', 'localhost', 'LOCALHOST'])
  test(`${host} is this machine`, () => assert.equal(isLoopback(host), true))

for (const network of [
  '0.0.0.0/0',
  '::/0',
  '10.0.0.0/33',
  '::1/129',
  '10.0.0.0/',
  '10.0.0.0/08',
  '10.0.0.0/8/8',
  'example.com',
  '10.0.0',
  '*',
  '',
])
  test(`trusts no proxy called "${network}"`, () => assert.equal(trustedProxySchema.safeParse(network).success, false))
for (const network of ['10.0.0.7', '10.0.0.0/8', 'fd00::/8', '::1'])
  test(`may trust ${network}`, () => assert.equal(trustedProxySchema.parse(network), network))

for (const url of [
  'https://x.example/p',
  'https://u@x.example',
  'https://x.example/?q',
  'https://x.example/#f',
  'ftp://x.example',
  'x.example',
  'null',
  '*',
])
  test(`refuses the origin "${url}"`, () => {
    assert.equal(inboundShape.publicUrl.safeParse(url).success, false)
    assert.equal(inboundShape.allowedOrigins.safeParse([url]).success, false)
  })
test('an origin is kept as browsers write it', () =>
  assert.deepEqual(inboundShape.allowedOrigins.parse(['HTTPS://App.Example:443/']), ['https://app.example']))
test('a host is kept in lower case', () =>
  assert.deepEqual(inboundShape.allowedHosts.parse(['MCP.Example:8443', '[::1]']), ['mcp.example:8443', '[::1]']))
