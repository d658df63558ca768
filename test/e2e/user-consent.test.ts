/**
 * `sekisho run -- URL` before a server that wants a token of its user, with an authorization server that nobody here wrote
 * (oidc-provider) at the same origin: the browser opens once, the call that needed it goes through, and the next start needs none.
 */
import assert from 'node:assert/strict'
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { delimiter, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { createLocalJWKSet, decodeJwt, type JSONWebKeySet, jwtVerify } from 'jose'
import Provider from 'oidc-provider'
import { cli, node, Yard } from './support/yard.ts'

const yard = new Yard()
const folder = yard.folder()
const data = join(folder, 'data')
const journal = join(folder, 'journal')
const opener = join(folder, 'xdg-open')
/** What the server was shown, and what was posted to the token endpoint. */
const shown: (string | undefined)[] = []
const posted: string[] = []
let origin: string
let provider: Provider
let revoked: string | undefined

async function body(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request) text += String(chunk)
  return text
}
const json = (response: ServerResponse, value: object, status = 200, headers: Record<string, string> = {}): void =>
  void response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value))

async function mcp(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { id, method } = JSON.parse((await body(request)) || '{}') as { id?: unknown; method?: string }
  const { authorization } = request.headers
  shown.push(authorization)
  const keys = createLocalJWKSet((await (await fetch(`${origin}/jwks`)).json()) as JSONWebKeySet)
  const isGood = await jwtVerify(authorization?.slice('Bearer '.length) ?? '', keys, {
    issuer: origin,
    audience: `${origin}/mcp`,
  }).then(
    () => authorization !== revoked,
    () => false,
  )
  if (!isGood)
    return json(response, {}, 401, {
      'www-authenticate': `Bearer resource_metadata="${origin}/.well-known/oauth-protected-resource/mcp", scope="mcp"`,
    })
  if (id === undefined) return void response.writeHead(202).end()
  const common = { resultType: 'complete', ttlMs: 0, cacheScope: 'private' }
  const results: Record<string, object> = {
    'server/discover': { ...common, supportedVersions: ['2026-07-28'], capabilities: { tools: {} } },
    'tools/list': { ...common, tools: [{ name: 'whoami', inputSchema: { type: 'object' } }] },
    'tools/call': { resultType: 'complete', content: [{ type: 'text', text: 'alice' }] },
  }
  const result = results[method ?? '']
  json(
    response,
    { jsonrpc: '2.0', id, ...(result ? { result } : { error: { code: -32601, message: 'no' } }) },
    result ? 200 : 404,
  )
}

/** The person says yes to everything. */
async function interaction(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { prompt, params } = await provider.interactionDetails(request, response)
  if (prompt.name === 'login') return provider.interactionFinished(request, response, { login: { accountId: 'alice' } })
  const grant = new provider.Grant({ accountId: 'alice', clientId: String(params['client_id']) })
  grant.addOIDCScope('openid offline_access mcp')
  grant.addResourceScope(`${origin}/mcp`, 'mcp')
  return provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } })
}

let answer: (request: IncomingMessage, response: ServerResponse) => unknown = () => undefined
const server = createServer((request, response) => void answer(request, response))

before(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  provider = new Provider(origin, {
    features: {
      registration: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        useGrantedResource: () => true,
        getResourceServerInfo: (_, resource) => ({
          scope: 'mcp',
          audience: resource,
          accessTokenTTL: 3600,
          accessTokenFormat: 'jwt' as const,
        }),
      },
    },
    scopes: ['mcp', 'openid', 'offline_access'],
    pkce: { required: () => true },
    issueRefreshToken: async () => true,
    interactions: { url: (_, { uid }) => `/interaction/${uid}` },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    cookies: { keys: ['only for this test'] },
  })
  const authorize = provider.callback()
  answer = (request, response) => {
    const { pathname } = new URL(request.url ?? '', origin)
    if (pathname === '/mcp') return mcp(request, response)
    if (pathname === '/.well-known/oauth-protected-resource/mcp')
      return json(response, { resource: `${origin}/mcp`, authorization_servers: [origin] })
    if (pathname.startsWith('/interaction/')) return interaction(request, response)
    if (pathname === '/token') {
      const copy: Buffer[] = []
      request.on('data', (chunk: Buffer) => copy.push(chunk))
      request.on('end', () => posted.push(new URLSearchParams(Buffer.concat(copy).toString()).get('grant_type') ?? ''))
    }
    return authorize(request, response)
  }
  const [program = '', ...flags] = node(join(import.meta.dirname, 'support/browser.ts'))
  writeFileSync(opener, `#!/bin/sh\nexec "${program}" ${flags.map((flag) => `"${flag}"`).join(' ')} "$1" "${journal}"\n`)
  chmodSync(opener, 0o700)
})
after(async () => {
  await yard.close()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

/** One start of the guard, with a client that lists and calls. */
async function use(): Promise<string> {
  const [command = '', ...flags] = node(cli)
  const env = { ...process.env, PATH: `${folder}${delimiter}${process.env['PATH']}` } as Record<string, string>
  const args = [...flags, 'run', '--data', data, '--', `${origin}/mcp`]
  const transport = new StdioClientTransport({ command, args, env, stderr: 'pipe' })
  const client = new Client({ name: 'desk', version: '1' }, { versionNegotiation: { mode: 'auto' } })
  await client.connect(transport)
  try {
    await client.listTools()
    const { content } = await client.callTool({ name: 'whoami', arguments: {} })
    return (content as { text: string }[])[0]?.text ?? ''
  } finally {
    await client.close()
  }
}
const visits = (): string[] => (existsSync(journal) ? readFileSync(journal, 'utf8').trim().split('\n') : [])
const openings = (): number => visits().filter((line) => line.includes('/auth?')).length

describe('sekisho run before a server that wants a token of its user', () => {
  it('opens the browser once, and the call goes through', { skip: process.platform !== 'linux' }, async () => {
    assert.equal(await use(), 'alice')
    assert.deepEqual([openings(), posted], [1, ['authorization_code']])
    const [back = ''] = visits().slice(-1)
    assert.match(back, /^200 http:\/\/127\.0\.0\.1:\d+\/callback\?.*iss=/)
    const { aud, sub } = decodeJwt(shown.at(-1)?.slice('Bearer '.length) ?? '')
    assert.deepEqual([aud, sub], [`${origin}/mcp`, 'alice'])
  })

  it('needs no browser at the next start', { skip: process.platform !== 'linux' }, async () => {
    assert.equal(await use(), 'alice')
    assert.equal(openings(), 1)
  })

  it('renews a token that the server no longer takes, without the person', { skip: process.platform !== 'linux' }, async () => {
    revoked = shown.at(-1)
    assert.equal(await use(), 'alice')
    assert.deepEqual([openings(), posted.at(-1)], [1, 'refresh_token'])
    assert.notEqual(shown.at(-1), revoked)
  })

  it('keeps no token in the clear, in any file', { skip: process.platform !== 'linux' }, () => {
    const files = readdirSync(data, { recursive: true, encoding: 'utf8' }).filter((file) => file.includes('.'))
    assert.ok(files.length >= 4)
    const texts = files.map((file) => readFileSync(join(data, file), 'latin1')).join('\n')
    for (const header of shown)
      if (header) for (const part of header.slice('Bearer '.length).split('.')) assert.ok(!texts.includes(part))
  })
})
