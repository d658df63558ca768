import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, it } from 'node:test'
import { Secret } from '../../lib/secret.ts'
import { TokenRefused } from './failure.ts'
import { World } from './fixture.test.ts'
import { obtainManaged } from './managed-identity.ts'

let answer: (response: ServerResponse) => void
let asked: IncomingMessage
const server = createServer((request, response) => {
  asked = request
  answer(response)
})
let url: string
before(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/metadata/identity/oauth2/token`
})
after(() => new Promise((resolve) => server.close(resolve)))

const world = new World()
const json = (value: object) => (response: ServerResponse) =>
  void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value))
const obtain = (endpoint?: object, clientId?: string) =>
  obtainManaged(
    {
      kind: 'managed-identity',
      resource: 'https://crm.example',
      clientId,
      endpoint: (endpoint ?? { kind: 'imds', url }) as never,
    },
    world.clock,
  )

const refused: readonly (readonly [
  says: string,
  answer: (response: ServerResponse) => void,
  message: RegExp,
  isPassing: boolean,
])[] = [
  [
    'an identity that is not there',
    (response) => void response.writeHead(400).end('{"error":"invalid_request"}'),
    /answered HTTP 400/,
    false,
  ],
  ['an identity that is not ready', (response) => void response.writeHead(404).end(), /answered HTTP 404/, true],
  ['too many requests', (response) => void response.writeHead(429).end(), /answered HTTP 429/, true],
  [
    'a redirect',
    (response) => void response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
    /answered HTTP 302/,
    false,
  ],
  ['no JSON', (response) => void response.end('<html>hunter2'), /did not answer with JSON/, false],
  ['no token', json({ token_type: 'Bearer' }), /without a usable access token/, false],
  ['too much', (response) => void response.end('x'.repeat(100_000)), /too much/, false],
  ['a connection that breaks', (response) => void response.destroy(), /cannot be reached/, true],
]
for (const [says, given, message, isPassing] of refused)
  it(`${says} is refused`, async () => {
    answer = given
    await assert.rejects(
      obtain(),
      (error) => error instanceof TokenRefused && message.test(error.message) && error.isPassing === isPassing,
    )
  })

it('the metadata service is asked as it wants it, and its numbers are strings', async () => {
  answer = json({
    access_token: 'machine',
    client_id: 'c',
    expires_in: '86399',
    expires_on: '1',
    not_before: '1',
    resource: 'r',
    token_type: 'Bearer',
  })
  const tokens = await obtain(undefined, 'identity-7')
  assert.deepEqual([tokens.accessToken, tokens.expiresAt], ['machine', world.nowMs + 86_399_000])
  const query = new URL(asked.url ?? '', url).searchParams
  assert.deepEqual(Object.fromEntries(query), {
    'api-version': '2018-02-01',
    resource: 'https://crm.example',
    client_id: 'identity-7',
  })
  assert.equal(asked.headers['metadata'], 'true')
})

it('App Service is asked with its own header, and gives a date', async () => {
  answer = json({ access_token: 'machine', expires_on: String(world.nowMs / 1000 + 600), token_type: 'Bearer' })
  const tokens = await obtain({ kind: 'app-service', url, header: new Secret('env:IDENTITY_HEADER', 'the-header') })
  assert.equal(tokens.expiresAt, world.nowMs + 600_000)
  assert.deepEqual([asked.headers['x-identity-header'], asked.headers['metadata']], ['the-header', undefined])
  assert.equal(new URL(asked.url ?? '', url).searchParams.get('api-version'), '2019-08-01')
})
