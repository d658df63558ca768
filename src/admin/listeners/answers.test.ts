import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { type Answer, isSseEndpoint, speakerOf } from './answers.ts'

const json = (body: unknown, more: Partial<Answer> = {}): Answer => ({
  ...{ status: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) },
  ...more,
})
const error = (code: unknown, data?: object): object => ({ jsonrpc: '2.0', id: null, error: { code, message: 'no', data } })
const result = (body: object): object => ({ jsonrpc: '2.0', id: 'discover', result: body })

describe('is no MCP', () => {
  const cases: readonly (readonly [string, Answer])[] = [
    ['a page', json('', { headers: { 'content-type': 'text/html' }, body: '<html>' })],
    ['JSON of another kind', json({ ok: true })],
    ['another service that speaks JSON-RPC', json(error(-32601))],
    ['an error without a number', json(error('x'))],
    ['JSON-RPC of another version', json({ ...error(-32600), jsonrpc: '1.0' })],
    ['a result of another method', json(result({ capabilities: {} }))],
    ['a login to anything', json({}, { status: 401, headers: { 'www-authenticate': 'Bearer realm="x"' } })],
    ['a torn answer', json('', { body: '{"jsonrpc":"2.0","result":{"protocolVer' })],
    ['numbers and lists', json([1, null, 'x', []])],
  ]
  for (const [says, answer] of cases) test(says, () => assert.equal(speakerOf(answer), undefined))
})

describe('is MCP', () => {
  const info = { name: 'crm', version: '1.2.3' }
  const initialized = result({ protocolVersion: '2025-06-18', capabilities: {}, serverInfo: info })
  const discovered = result({ supportedVersions: ['2026-07-28'], _meta: { 'io.modelcontextprotocol/serverInfo': info } })
  const stream = { 'content-type': 'text/event-stream; charset=utf-8' }
  const challenge = { 'www-authenticate': 'Bearer resource_metadata="https://x/.well-known/oauth-protected-resource"' }
  const cases: readonly (readonly [string, Answer, readonly [name: string | undefined, sekisho: boolean, login: boolean]])[] = [
    ['initialize', json(initialized), ['crm', false, false]],
    ['server/discover', json(discovered), ['crm', false, false]],
    [
      'in a stream',
      { status: 200, headers: stream, body: `id: 1\r\ndata: ${JSON.stringify(initialized)}\r\n\r\n` },
      ['crm', false, false],
    ],
    ['in a batch', json([initialized]), ['crm', false, false]],
    ['an unsupported version', json(error(-32022), { status: 400 }), [undefined, false, false]],
    ['a login with its metadata', { status: 401, headers: challenge, body: '' }, [undefined, false, true]],
    ['without a name', json(result({ protocolVersion: 'x' })), [undefined, false, false]],
    [
      'a key twice',
      json('', { body: '{"jsonrpc":"2.0","jsonrpc":"2.0","result":{"protocolVersion":"x"}}' }),
      [undefined, false, false],
    ],
    ['Sekisho by its name', json(result({ protocolVersion: 'x', serverInfo: { name: 'sekisho' } })), ['sekisho', true, false]],
    [
      'a refusal of Sekisho',
      json(error(-32001, { 'dev.sekisho/refusal': { code: 'X' } }), { status: 401 }),
      [undefined, true, true],
    ],
  ]
  for (const [says, answer, [name, isSekisho, wantsLogin]] of cases)
    test(says, () => {
      const speaker = speakerOf(answer)
      assert.deepEqual([speaker?.name, speaker?.isSekisho, speaker?.wantsLogin], [name, isSekisho, wantsLogin])
    })

  test('a name is short, and moves no cursor', () => {
    const name = `\u001b[2J${'x'.repeat(500)}`
    assert.equal(speakerOf(json(result({ protocolVersion: 'x', serverInfo: { name } })))?.name, `?[2J${'x'.repeat(76)}`)
  })
})

describe('the stream of 2024-11-05', () => {
  const stream = (body: string, type = 'text/event-stream', status = 200): Answer => ({
    ...{ status, headers: { 'content-type': type }, body },
  })
  const cases: readonly (readonly [boolean, Answer])[] = [
    [false, stream('event: message\ndata: /x\n\n')],
    [false, stream('event: endpoint\n\n')],
    [false, stream('event: endpoint\ndata: /x\n\n', 'text/html')],
    [false, stream('event: endpoint\ndata: /x\n\n', 'text/event-stream', 404)],
    [true, stream('event: endpoint\ndata: /messages?sessionId=1\n\n')],
    [true, stream('event:endpoint\r\ndata:/messages\r\n\r\n')],
  ]
  for (const [is, answer] of cases) test(JSON.stringify(answer.body), () => assert.equal(isSseEndpoint(answer), is))
})
