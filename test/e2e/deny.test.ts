/**
 * AUTH-R1: nothing is allowed that no rule allows, whatever the method, the HTTP verb, the spelling of the path and the era. The
 * matrix is generated from the method table, so a method added there is denied here until somebody decides about it.
 */
import assert from 'node:assert/strict'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { builtInMethodNames, builtInMethods } from '../../src/protocol/methods.ts'
import { type Attempt, attemptAll } from '../attacks/support/attempts.ts'
import { type Got, Legacy, modern, modernParts, send } from '../attacks/support/client.ts'
import { type Echo, echo } from '../attacks/support/echo.ts'
import { codeOf, httpServer, keyed, node, open, passed, refused, until, yard } from '../attacks/support/house.ts'
import type { Gateway } from './support/yard.ts'

const house = yard()
const { identity, bindings, tokens } = keyed(['ci'], 'none')
const token = tokens['ci'] as string
const childFile = join(house.folder(), 'child.jsonl')
let upstreams: Echo[]
let gateway: Gateway
let locked: Gateway

before(async () => {
  upstreams = await Promise.all([echo({ era: 'modern' }), echo({ era: 'legacy' }), echo({ era: 'modern' })])
  const [newer, older, unknown] = upstreams as [Echo, Echo, Echo]
  const servers = {
    newer: httpServer(newer, 'modern'),
    older: httpServer(older, 'legacy'),
    probed: httpServer(unknown, 'auto'),
    local: { command: node(join(import.meta.dirname, '../attacks/support/child.ts'), childFile) },
  }
  gateway = await house.gateway(open(servers, { roles: {}, bindings: [] }))
  locked = await house.gateway(
    open(servers, { identity, bindings, roles: { none: [{ effect: 'deny', server: '*', tools: ['*'] }] } }),
  )
})
after(async () => {
  await house.close()
  await Promise.all(upstreams.map((upstream) => upstream.close()))
})

/** What reached a server since this was last asked. */
function heard(): readonly string[] {
  const methods = upstreams.flatMap((upstream) => upstream.methods())
  if (existsSync(childFile)) methods.push(...readFileSync(childFile, 'utf8').split('\n'))
  for (const upstream of upstreams) upstream.heard.length = 0
  rmSync(childFile, { force: true })
  return methods
}
const params = (method: string, server: string, prefixed: boolean): Record<string, unknown> => {
  const name = prefixed ? `${server}__x` : 'x'
  const uri = prefixed ? `sekisho://${server}/file%3A%2F%2F%2Fx` : 'file:///x'
  const ref = { type: 'ref/prompt', name }
  return {
    name,
    uri,
    taskId: name,
    ref,
    argument: { name: 'a', value: '' },
    notifications: { resourceSubscriptions: [uri] },
    level: 'info',
    requestId: 1,
    progressToken: 1,
    progress: 1,
    _meta: {},
    ...(method === 'initialize' && { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: {} }),
  }
}

const servers = ['newer', 'older', 'probed', 'local']
const verbs = ['POST', 'GET', 'DELETE', 'PUT', 'PATCH', 'HEAD', 'OPTIONS', 'TRACE', 'QUERY', 'PROPFIND']
/** As they stand in the request line. */
const routes: readonly (readonly [says: string, path: (server: string) => string, serves: boolean])[] = [
  ['one server', (server) => `/${server}/mcp`, true],
  ['all servers', () => '/mcp', true],
  ['one server, with a query', (server) => `/${server}/mcp?server=${server}&x=/../mcp`, true],
  ['an unknown server', () => '/nobody/mcp', true],
  ['a name from Object.prototype', () => '/constructor/mcp', true],
  ['two slashes', () => '//mcp', false],
  ['two slashes before a server', (server) => `//${server}/mcp`, false],
  ['encoded dots', (server) => `/%2e%2e/${server}/mcp`, false],
  ['dots', (server) => `/x/../${server}/mcp`, false],
  ['an encoded slash', (server) => `/${server}%2fmcp`, false],
  ['an encoded letter', (server) => `/${server}/%6dcp`, false],
  ['a trailing slash', (server) => `/${server}/mcp/`, false],
  ['capital letters', (server) => `/${server.toUpperCase()}/MCP`, false],
  ['a path parameter', (server) => `/${server};x=1/mcp`, false],
  ['a backslash', (server) => `/\\${server}\\mcp`, false],
  ['a NUL', (server) => `/${server}%00/mcp`, false],
  ['below the endpoint', (server) => `/${server}/mcp/tools/call`, false],
  ['absolute form', (server) => `http://127.0.0.1/${server}/mcp`, false],
  ['absolute form of another host', (server) => `http://attacker.example/${server}/mcp`, false],
  ['an asterisk', () => '*', false],
  ['admin', () => '/metrics', false],
]

function attemptsFor(
  verb: string,
  path: (server: string) => string,
  ids: readonly string[],
  more: Record<string, string> = {},
): Attempt[] {
  const prefixed = path('x') === '/mcp'
  return ids.flatMap((server) =>
    builtInMethodNames.flatMap((method) => {
      const usual = { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...more }
      const given = params(method, server, prefixed)
      const id = builtInMethods(method)?.reply === undefined ? {} : { id: 1 }
      const { body, headers } = modernParts(method, given)
      const newer = {
        verb,
        path: path(server),
        headers: { ...usual, ...(headers as Record<string, string>) },
        body: builtInMethods(method)?.reply === undefined ? body.toString().replace('"id":1,', '') : body.toString(),
      }
      const older = {
        verb,
        path: path(server),
        headers: { ...usual, 'mcp-session-id': 'A'.repeat(43) },
        body: JSON.stringify({ jsonrpc: '2.0', ...id, method, params: given }),
      }
      return [newer, older, { ...older, headers: usual }]
    }),
  )
}

/** What may be said to somebody who is allowed nothing. */
const noes = [
  'POLICY_DENIED',
  'UNKNOWN_METHOD',
  'SESSION_REQUIRED',
  'SESSION_UNKNOWN',
  'SERVER_UNKNOWN',
  'NOT_FOUND',
  'METHOD_NOT_ALLOWED',
  'INVALID_PARAMS',
  'INVALID_REQUEST',
  'HEADER_MISMATCH',
  'HOST_REFUSED',
]

describe(`with an empty policy nothing reaches a server: ${builtInMethodNames.length} methods, both eras`, () => {
  for (const [says, path, serves] of routes)
    for (const verb of verbs)
      it(`${verb} ${says}`, async () => {
        const attempts = attemptsFor(verb, path, serves && verb === 'POST' ? servers : servers.slice(0, 1))
        const results = await attemptAll(gateway.url, attempts)
        for (const { status, text, attempt } of results) {
          const code = /"dev\.sekisho\/refusal":\{"code":"(\w+)"/.exec(text)?.[1]
          const isNo = status >= 400 || noes.includes(code ?? '') || (status === 202 && !attempt.body.includes('"id"'))
          assert.ok(
            isNo && !/"result":\{(?!.*"isError":true)/.test(text),
            `${attempt.verb} ${attempt.path} ${attempt.body.slice(0, 80)}: ${text.slice(0, 300)}`,
          )
          if (!serves || verb !== 'POST')
            assert.ok(status === 404 || status === 405 || status === 400 || status === 403, `${status} ${attempt.body}`)
        }
        assert.deepEqual(heard(), [])
      })
})

describe('without a credential it is 401 on every route that serves anything', () => {
  const wrong: readonly (readonly [says: string, headers: Record<string, string>])[] = [
    ['no credential', {}],
    ['an unknown key', { authorization: `Bearer ${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}` }],
    ['a key with something after it', { authorization: `Bearer ${token} x` }],
    ['the key by another scheme', { authorization: `Basic ${token}` }],
    ['the key without a scheme', { authorization: token }],
    ['two keys in one', { authorization: `Bearer ${token}, Bearer ${token}` }],
    ['the key in a cookie', { cookie: `authorization=Bearer ${token}` }],
    [
      'the key in another header',
      { 'x-api-key': token, 'proxy-authorization': `Bearer ${token}`, 'x-forwarded-authorization': `Bearer ${token}` },
    ],
  ]
  for (const [says, headers] of wrong)
    it(`${says}: every method, both eras, every served route, POST, GET and DELETE`, async () => {
      for (const [, path] of routes.filter(([, , serves]) => serves)) {
        const sessioned = ['GET', 'DELETE'].flatMap((verb) =>
          attemptsFor(verb, path, ['newer'], headers)
            .filter((attempt) => 'mcp-session-id' in attempt.headers)
            .slice(0, 1),
        )
        const query = attemptsFor(
          'POST',
          (server) => `${path(server).split('?')[0]}?key=${token}&authorization=Bearer%20${token}`,
          ['newer'],
          headers,
        ).slice(0, 6)
        for (const { status, text } of await attemptAll(locked.url, [
          ...attemptsFor('POST', path, ['newer'], headers),
          ...sessioned,
          ...query,
        ])) {
          assert.equal(status, 401, text)
          assert.match(text, /www-authenticate: Bearer/i)
          assert.match(text, /"code":"UNAUTHENTICATED"/)
        }
      }
      assert.deepEqual(heard(), [])
    })

  it('the key in the message is not looked at', async () => {
    const meta = { authorization: `Bearer ${token}`, token }
    refused(
      await modern(`${locked.url}/newer/mcp`, 'tools/list', { _meta: meta, authorization: token }),
      401,
      'UNAUTHENTICATED',
      /No valid credential/,
    )
  })

  it('nothing tells a route or a server that exists from one that does not', async () => {
    const answers = await Promise.all(['newer', 'nobody'].map((server) => modern(`${locked.url}/${server}/mcp`, 'tools/list')))
    const [first, second] = answers.map(({ status, text }) => [status, text.replace(/"exchange":"[\w-]+"/, '')])
    assert.deepEqual(first, second)
  })
})

describe('a live session is worth nothing once its rules are gone', () => {
  it('every legacy method is refused after the policy was emptied, and nothing reaches the server', async () => {
    const upstream = await echo({ era: 'legacy' })
    const changing = await house.gateway(open({ x: httpServer(upstream, 'legacy') }))
    const session = await Legacy.open(`${changing.url}/x/mcp`)
    passed(await session.call('tools/list'))
    changing.rewrite(open({ x: httpServer(upstream, 'legacy') }, { roles: {}, bindings: [] }))
    await until('the new policy is in force', async () => codeOf(await session.call('ping')) === 'POLICY_DENIED')
    upstream.heard.length = 0
    for (const method of builtInMethodNames) {
      const isNotice = builtInMethods(method)?.reply === undefined
      const got: Got = await session.raw({ ...(!isNotice && { id: method }), method, params: params(method, 'x', false) })
      if (isNotice) assert.equal(got.status, 202)
      else assert.ok(['POLICY_DENIED', 'UNKNOWN_METHOD', 'INVALID_REQUEST'].includes(codeOf(got) ?? ''), `${method}: ${got.text}`)
    }
    await send(session.url, { method: 'DELETE', headers: session.headers() })
    assert.deepEqual(
      upstream.heard.map(({ line, body }) => `${line} ${body}`),
      [],
    )
    await upstream.close()
  })
})
