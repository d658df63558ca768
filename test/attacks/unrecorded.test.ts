/**
 * Everything that was tried is written down, also what was refused, and whatever was done to hide it (AUTH-R1, TPT-R2, SES-R1:
 * a stolen session id leaves a trace). An attacker who cannot pass would at least like not to be seen.
 */
import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { Gateway } from '../e2e/support/yard.ts'
import { type Got, Legacy, modern, modernParts, raw, send } from './support/client.ts'
import { type Echo, echo } from './support/echo.ts'
import { httpServer, keyed, open, recordOf, until, yard } from './support/house.ts'

const house = yard()
const { identity, bindings, tokens } = keyed(['alice', 'mallory'])
const { alice, mallory } = tokens as { alice: string; mallory: string }
let upstream: Echo
let gateway: Gateway
let url: string

before(async () => {
  upstream = await echo()
  const rules = [{ effect: 'allow', server: 'x', tools: ['read_*'] }]
  const limits = { bodyBytesMax: 4096, principal: { perMinute: 'unlimited', concurrent: 'unlimited' } }
  gateway = await house.gateway(open({ x: httpServer(upstream) }, { identity, bindings, limits, roles: { all: rules } }))
  url = gateway.url
})
after(async () => {
  await house.close()
  await upstream.close()
})

const { body, headers } = modernParts('tools/call', { name: 'read_note' }, { token: mallory })
const post = (text: string | Buffer, more: Record<string, string> = {}, path = '/x/mcp'): Promise<Got> =>
  send(`${url}${path}`, { body: text, headers: { ...(headers as Record<string, string>), ...more } })
const call = (name: string, more: object = {}, path = '/x/mcp'): Promise<Got> =>
  modern(`${url}${path}`, 'tools/call', { name, ...more }, { token: mallory })

type Row = readonly [says: string, code: string, attempt: () => Promise<Got>, principal?: string]
const attempts: readonly Row[] = [
  ['a forbidden tool', 'POLICY_DENIED', () => call('delete_note')],
  ['a forbidden tool among all servers', 'POLICY_DENIED', () => call('x__delete_note', {}, '/mcp')],
  ['a name without a server', 'INVALID_PARAMS', () => call('delete_note', {}, '/mcp')],
  ['an unknown server', 'SERVER_UNKNOWN', () => call('read_note', {}, '/nobody/mcp')],
  ['an unknown method', 'UNKNOWN_METHOD', () => modern(`${url}/x/mcp`, 'tools/erase', {}, { token: mallory })],
  ['a forged state', 'STATE_REFUSED', () => call('read_note', { requestState: 'forged' })],
  [
    'a stolen session',
    'SESSION_UNKNOWN',
    async () => {
      const victim = await Legacy.open(`${url}/x/mcp`, { token: alice })
      return send(victim.url, {
        headers: { authorization: `Bearer ${mallory}`, 'mcp-session-id': victim.session },
        body: '{"jsonrpc":"2.0","id":1,"method":"tools/list"}',
      })
    },
  ],
  ['no credential', 'UNAUTHENTICATED', () => post(body, { authorization: '' }), 'unidentified'],
  ['a header that contradicts the body', 'HEADER_MISMATCH', () => post(body, { 'mcp-name': 'delete_note' })],
  ['a key twice', 'PARSE', () => post(body.toString().replace('"name"', '"name":"delete_note","name"'))],
  ['a key in other letters', 'INVALID_REQUEST', () => post(body.toString().replace('"name"', '"Name":"delete_note","name"'))],
  ['no JSON', 'PARSE', () => post('delete_note')],
  ['a body that is too large', 'BODY_TOO_LARGE', () => post(' '.repeat(5000))],
]

describe('what was refused is in the log, with who tried it', () => {
  for (const [says, code, attempt, principal = 'key:mallory'] of attempts)
    it(`${says}: ${code}`, async () => {
      const before = recordOf(gateway).length
      const told = gateway.out.length
      await attempt()
      const entry = await until(
        'an entry',
        () =>
          recordOf(gateway)
            .slice(before)
            .find((one) => one['kind'] === 'outcome' && one['code'] === code),
        4000,
      )
      assert.deepEqual([entry['ending'], entry['principal']], ['refused', principal])
      const events = await until('an event', () => {
        const lines = gateway.out.slice(told).map((line) => JSON.parse(line) as { event: string; code?: string })
        return lines.some((event) => event.code === code) && lines
      })
      assert.deepEqual(
        events.filter((event) => event.code === code).map(({ event }) => event),
        ['outcome'],
        'and is told of once',
      )
    })

  for (const [says, code, more] of [
    ['a foreign Host', 'HOST_REFUSED', { host: 'attacker.example' }],
    ['a foreign Origin', 'ORIGIN_REFUSED', { origin: 'https://attacker.example' }],
  ] as const)
    it(`${says}: ${code}, told of as it happens, for nobody has been identified`, async () => {
      await post(body, more)
      await until('an event', () => gateway.out.some((line) => line.startsWith('{"event":"turned-away"') && line.includes(code)))
    })
})

describe('attempts at not being seen', () => {
  it('a client that hangs up at once leaves the intent and the outcome of its call', async () => {
    const before = recordOf(gateway).length
    const { port, host } = new URL(url)
    const { socket } = raw(Number(port))
    const given = modernParts('tools/call', { name: 'read_and_hang_up' }, { token: mallory })
    const lines = Object.entries({
      host,
      'content-type': 'application/json',
      ...given.headers,
      'content-length': given.body.length,
    })
    socket.write(
      `POST /x/mcp HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${given.body}`,
      () => socket.resetAndDestroy(),
    )
    await until('an outcome', () =>
      recordOf(gateway)
        .slice(before)
        .some((one) => one['kind'] === 'outcome' && one['subject'] === 'read_and_hang_up'),
    )
  })

  it('a name with line breaks, terminal escapes and quotes is one line of the log, and of the events', async () => {
    const before = recordOf(gateway).length
    const lines = gateway.out.length
    await modern(`${url}/x/mcp`, 'tools/call', { name: 'a"}\n{"event":"outcome","forged":true}\u001b[2K\r' }, { token: mallory })
    const entry = await until('an entry', () =>
      recordOf(gateway)
        .slice(before)
        .find((one) => one['kind'] === 'outcome'),
    )
    assert.equal(entry['code'], 'POLICY_DENIED')
    for (const line of gateway.out.slice(lines)) assert.equal((JSON.parse(line) as { forged?: boolean }).forged, undefined)
    assert.ok(!JSON.stringify(recordOf(gateway).slice(before)).includes('\u001b'))
  })

  it('every call that reached the server is an intent that was on disk, and an outcome', async () => {
    const before = recordOf(gateway).length
    upstream.heard.length = 0
    await Promise.all(
      Array.from({ length: 40 }, (_, at) => modern(`${url}/x/mcp`, 'tools/call', { name: `read_${at}` }, { token: mallory })),
    )
    const reached = upstream.heard
      .filter(({ message }) => message['method'] === 'tools/call')
      .map(({ headers: sent }) => String(sent['mcp-name']))
    await until(
      'all outcomes',
      () =>
        recordOf(gateway)
          .slice(before)
          .filter((one) => one['kind'] === 'outcome' && one['method'] === 'tools/call').length === 40,
    )
    const intents = recordOf(gateway)
      .slice(before)
      .filter((one) => one['kind'] === 'intent')
      .map((one) => one['subject'])
    assert.deepEqual(reached.sort(), intents.filter((subject) => String(subject).startsWith('read_')).sort())
  })

  it('nothing reaches a server that the log does not know of, not even a list that we ask for ourselves', async () => {
    const other = await echo()
    const { url: at, ...fresh } = await house.gateway(open({ y: httpServer(other) }))
    await modern(`${at}/y/mcp`, 'tools/call', { name: 'read_note' })
    const known = await until('the outcome', () => {
      const entries = recordOf(fresh)
      if (!entries.some((one) => one['kind'] === 'outcome')) return undefined
      return entries.flatMap((one) =>
        one['action'] === 'list.read' ? ['tools/list'] : one['kind'] === 'outcome' ? [one['method']] : [],
      )
    })
    assert.deepEqual(other.methods(), known)
    await other.close()
  })
})

describe('strangers', () => {
  it('cannot fill the disk that everything depends on (what cannot be written does not pass)', async () => {
    const { port, host } = new URL(url)
    const size = (): number =>
      statSync(join(gateway.folder, 'data/audit.db')).size + statSync(join(gateway.folder, 'data/audit.db-wal')).size
    const before = size()
    const one = `POST /x/mcp HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}`
    const knocking = raw(Number(port))
    knocking.socket.write(one.repeat(5000))
    await until('5000 refusals', () => knocking.text().split('HTTP/1.1 401').length > 5000)
    knocking.socket.destroy()
    await modern(`${url}/x/mcp`, 'tools/call', { name: 'read_last' }, { token: mallory })
    const grownMB = (size() - before) / 1e6
    assert.ok(grownMB < 1, `${grownMB.toFixed(1)} MB for 5000 requests of strangers`)
  })
})
