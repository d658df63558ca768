/**
 * Where a credential speaks for one caller, it speaks for nobody else (TPT-R2, checklist 132; CVE-2026-25536, where one shared
 * transport gave answers to the wrong client). Callers at once, at a server that answers with whom it took them for.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { parseConfig } from '../../src/config/load.ts'
import { type Gateway, openGateway } from '../../src/gateway.ts'
import { modernParts } from './support/client.ts'
import type { Json } from './support/echo.ts'
import { keyed, open } from './support/house.ts'

const folder = mkdtempSync(join(tmpdir(), 'sekisho-personal-'))
const people = ['alice', 'bob', 'carol'] as const
const { identity, bindings, tokens } = keyed([...people, 'machine', 'newcomer'])
const claims = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}'
/** What the authorization server was asked to exchange, and what the server was shown. */
const exchanged: string[] = []
const shown: string[] = []
let gateway: Gateway

/** Gives `for-alice` for `subject-of-alice`, late enough that callers meet. */
async function authorizationServer(_: unknown, init: { body?: unknown } = {}): Promise<Response> {
  const subject = new URLSearchParams(String(init.body)).get('subject_token') ?? ''
  exchanged.push(subject)
  await new Promise((resolve) => setTimeout(resolve, 20))
  const name = subject.replace('subject-of-', '')
  if (name === 'newcomer') return Response.json({ error: 'interaction_required', claims }, { status: 400 })
  return Response.json({ access_token: `for-${name}`, token_type: 'Bearer', expires_in: 3600 })
}
/** A modern server whose tool says whom it took the caller for. */
async function whoami(request: Request): Promise<Response> {
  const name = request.headers.get('authorization')?.replace('Bearer for-', '') ?? 'nobody'
  shown.push(name)
  const { id, method } = (await request.json()) as { id: unknown; method: string }
  await new Promise((resolve) => setTimeout(resolve, 5))
  const results: Record<string, object> = {
    'server/discover': { supportedVersions: ['2026-07-28'], capabilities: { tools: {} } },
    'tools/list': { tools: [{ name: `only_${name}`, inputSchema: { type: 'object' } }] },
    'tools/call': { content: [{ type: 'text', text: name }] },
  }
  return Response.json({
    jsonrpc: '2.0',
    id,
    result: { resultType: 'complete', ttlMs: 0, cacheScope: 'private', ...results[method] },
  })
}

before(async () => {
  const credential = {
    kind: 'token-exchange',
    clientId: 'gateway',
    clientSecret: 'env:PERSONAL_SECRET',
    tokenUrl: 'https://as.example/token',
  }
  const servers = { crm: { url: 'http://localhost/mcp', credential }, plain: { url: 'http://localhost/mcp', era: 'modern' } }
  const environment = {
    proxy: { http: undefined, https: undefined, no: undefined },
    dataFolder: undefined,
    variables: { PERSONAL_SECRET: 'x' },
  }
  const config = parseConfig(JSON.stringify(open(servers, { identity, bindings, listen: '127.0.0.1:4180' })), folder, environment)
  gateway = await openGateway({
    config,
    fetches: { crm: whoami, plain: whoami },
    credentials: {
      wayOut: () => authorizationServer as never,
      subjectToken: async ({ id }) =>
        id === 'key:machine' ? undefined : { token: `subject-of-${id.slice(4)}`, type: 'access_token' },
    },
  })
})
after(async () => {
  await gateway.close()
  rmSync(folder, { recursive: true, force: true })
})

async function ask(who: string, method: string, params: Json = {}, server = 'crm'): Promise<{ response: Response; json: Json }> {
  const { body, headers } = modernParts(method, params)
  const request = new Request(`http://127.0.0.1:4180/${server}/mcp`, {
    method: 'POST',
    body,
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...headers,
      host: '127.0.0.1:4180',
      authorization: `Bearer ${tokens[who]}`,
    },
  })
  const response = await gateway.fetch(request)
  return { response, json: (await response.json()) as Json }
}
const called = async (who: string): Promise<unknown> => {
  const { json } = await ask(who, 'tools/call', { name: 'whoami', arguments: {} })
  return (json as { result?: { content?: { text?: string }[] } }).result?.content?.[0]?.text
}
const codeIn = ({ json }: { json: Json }): unknown =>
  ((json as { error?: { data?: Json } }).error?.data?.['dev.sekisho/refusal'] as Json | undefined)?.['code']

describe('each caller is who they are', () => {
  it('first calls at once, which all want the era, the connection and a token', async () => {
    const calls = Array.from({ length: 60 }, (_, at) => people[at % people.length] as string)
    assert.deepEqual(await Promise.all(calls.map(called)), calls)
    assert.deepEqual(
      exchanged.toSorted(),
      people.map((name) => `subject-of-${name}`),
    )
  })

  it('lists too', async () => {
    for (const who of people) assert.match(JSON.stringify((await ask(who, 'tools/list')).json), new RegExp(`only_${who}"`))
  })

  it('a caller without a token of their own gets no further, and nobody else’s', async () => {
    const before = shown.length
    const got = await ask('machine', 'tools/call', { name: 'whoami', arguments: {} })
    assert.deepEqual([codeIn(got), shown.length], ['CREDENTIAL_SUBJECT', before])
  })

  it('what the identity provider wants of one caller is said to that caller, who can answer it', async () => {
    const [newcomer, alice] = await Promise.all([
      ask('newcomer', 'tools/call', { name: 'whoami', arguments: {} }),
      called('alice'),
    ])
    assert.deepEqual([codeIn(newcomer), newcomer.response.status, alice], ['CLAIMS_REQUIRED', 401, 'alice'])
    const header = newcomer.response.headers.get('www-authenticate') ?? ''
    const [, given = ''] = /^Bearer error="insufficient_claims", claims="([A-Za-z0-9+/=]+)"$/.exec(header) ?? []
    assert.equal(Buffer.from(given, 'base64').toString(), claims)
  })

  it('a server without a credential is shown none', async () => {
    await ask('alice', 'tools/call', { name: 'whoami', arguments: {} }, 'plain')
    assert.equal(shown.at(-1), 'nobody')
  })
})
