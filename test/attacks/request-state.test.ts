/**
 * `requestState` in the wrong hands (SES-C6; checklist 50-52; TPT-R5 for what a server hands out). The server of this test takes
 * any state from anyone, as many do. Through Sekisho a state is good for one principal, server, method and set of arguments.
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { RequestStates } from '../../src/outbound/request-state.ts'
import type { Parcel } from '../../src/pipeline/parcel.ts'
import { keyRing } from '../../src/vault/key-file.ts'
import { type Got, Legacy, type Modern, modern } from './support/client.ts'
import { type Echo, echo, type Json, saying } from './support/echo.ts'
import { httpServer, keyed, node, open, passed, refused, textOf, until, yard } from './support/house.ts'

const house = yard()
const { identity, bindings, tokens } = keyed(['alice', 'mallory'])
const { alice, mallory } = tokens as { alice: string; mallory: string }
const childFile = join(house.folder(), 'child.jsonl')
const elicit = { message: 'Your PIN?', requestedSchema: { type: 'object', properties: { pin: { type: 'string' } } } }
const capabilities = { elicitation: {} }
let upstream: Echo
let other: Echo
let url: string

before(async () => {
  const answer = ({ params }: { params: Json }): Json =>
    params['requestState'] === undefined
      ? {
          resultType: 'input_required',
          inputRequests: { pin: { method: 'elicitation/create', params: elicit } },
          requestState: 'state-of-the-server',
        }
      : saying(`went on with ${params['requestState']}`)
  const answers = { 'tools/call': answer, 'prompts/get': answer }
  upstream = await echo({ answers })
  other = await echo({ answers })
  const local = { command: node(join(import.meta.dirname, 'support/child.ts'), childFile), requestTimeoutMs: 3000 }
  url = (await house.gateway(open({ a: httpServer(upstream), b: httpServer(other), local }, { identity, bindings }))).url
})
after(async () => {
  await house.close()
  await Promise.all([upstream.close(), other.close()])
})

const args = { name: 'pay', arguments: { amount: 1, to: 'bob' } }
const call = (server: string, params: Json, options: Modern): Promise<Got> =>
  modern(`${url}/${server}/mcp`, 'tools/call', params, { capabilities, ...options })
const stateOf = (got: Got): string => passed(got)['requestState'] as string
const answered = { inputResponses: { pin: { action: 'accept', content: { pin: '1234' } } } }
const called = (): number[] =>
  [upstream, other].map((server) => server.methods().filter((method) => /call|get/.test(method)).length)
const stateOfAlice = async (): Promise<string> => stateOf(await call('a', args, { token: alice }))

it('the exploit: the server itself goes on with the state for anybody, whatever the arguments', async () => {
  const got = await modern(upstream.url, 'tools/call', {
    name: 'pay',
    arguments: { amount: 9999, to: 'mallory' },
    requestState: 'state-of-the-server',
  })
  assert.match(got.text, /went on with state-of-the-server/)
})

it('what the client gets is sealed: nothing of the server’s own state is in it', async () => {
  const state = await stateOfAlice()
  const [head, payload = ''] = state.split('.')
  assert.equal(head, 'v1')
  assert.ok(!Buffer.from(payload, 'base64url').includes('state-of-the-server'))
  assert.notEqual(state, await stateOfAlice())
})

const flip = (text: string, at: number): string => `${text.slice(0, at)}${text[at] === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`
type Theft = readonly [says: string, attempt: (state: string) => Promise<Got>]
const thefts: readonly Theft[] = [
  ['another principal', (requestState) => call('a', { ...args, ...answered, requestState }, { token: mallory })],
  ['another server', (requestState) => call('b', { ...args, ...answered, requestState }, { token: alice })],
  [
    'another method',
    (requestState) =>
      modern(`${url}/a/mcp`, 'prompts/get', { ...args, ...answered, requestState }, { token: alice, capabilities }),
  ],
  ['another tool', (requestState) => call('a', { ...args, name: 'pay2', ...answered, requestState }, { token: alice })],
  [
    'another amount',
    (requestState) =>
      call('a', { name: 'pay', arguments: { amount: 2, to: 'bob' }, ...answered, requestState }, { token: alice }),
  ],
  [
    'one more argument',
    (requestState) =>
      call('a', { name: 'pay', arguments: { ...args.arguments, cc: 'mallory' }, ...answered, requestState }, { token: alice }),
  ],
  ['one more parameter', (requestState) => call('a', { ...args, cursor: 'x', ...answered, requestState }, { token: alice })],
  [
    'an altered letter in the middle',
    (requestState) => call('a', { ...args, ...answered, requestState: flip(requestState, 40) }, { token: alice }),
  ],
  [
    'an altered first letter',
    (requestState) => call('a', { ...args, ...answered, requestState: flip(requestState, 3) }, { token: alice }),
  ],
  [
    'another version',
    (requestState) => call('a', { ...args, ...answered, requestState: requestState.replace('v1', 'v2') }, { token: alice }),
  ],
  ['cut short', (requestState) => call('a', { ...args, ...answered, requestState: requestState.slice(0, -4) }, { token: alice })],
  [
    'with something after it',
    (requestState) => call('a', { ...args, ...answered, requestState: `${requestState}=` }, { token: alice }),
  ],
  ['the server’s own state', () => call('a', { ...args, ...answered, requestState: 'state-of-the-server' }, { token: alice })],
  ['empty', () => call('a', { ...args, ...answered, requestState: '' }, { token: alice })],
  ['a number', () => call('a', { ...args, ...answered, requestState: 1 }, { token: alice })],
  ['an object', () => call('a', { ...args, ...answered, requestState: { toString: 'x' } }, { token: alice })],
  ['null', () => call('a', { ...args, ...answered, requestState: null }, { token: alice })],
  ['a megabyte', () => call('a', { ...args, ...answered, requestState: 'v1.'.padEnd(1_000_000, 'A') }, { token: alice })],
]
describe('a state is refused (STATE_REFUSED), and the server is not called', () => {
  for (const [says, attempt] of thefts)
    it(says, async () => {
      const state = await stateOfAlice()
      const before = called()
      refused(await attempt(state), 400, 'STATE_REFUSED', /not one that was given to you/)
      assert.deepEqual(called(), before)
    })

  it('and the one it was given to goes on with it, the server’s own state unchanged', async () => {
    const got = await call('a', { ...args, ...answered, requestState: await stateOfAlice() }, { token: alice, id: 'retry' })
    assert.equal(textOf(got), 'went on with state-of-the-server')
  })

  it('a legacy client has no states: what it sends under that name does not reach the server', async () => {
    const session = await Legacy.open(`${url}/a/mcp`, { token: alice, capabilities: {} })
    upstream.heard.length = 0
    await session.call('tools/call', { ...args, requestState: 'state-of-the-server', inputResponses: { pin: { pin: '6666' } } })
    assert.ok(!/state-of-the-server|6666/.test(upstream.everything()))
  })
})

describe('time and keys', () => {
  const parcel = {
    principal: { kind: 'anonymous', id: 'anonymous' },
    origin: { era: 'modern' },
    server: 'a',
    method: 'tools/call',
    body: args,
  } as unknown as Parcel
  const withState = (requestState: string): Parcel => ({ ...parcel, body: { ...args, requestState } })
  const isRefused = { name: 'Refusal', code: 'STATE_REFUSED' }
  it('expires after ten minutes, and not before', () => {
    let now = 0
    const states = new RequestStates(keyRing(randomBytes(32)), { now: () => now, monotonic: () => 0 })
    const issued = withState(states.issue(parcel, { upstream: 's' }))
    now = 10 * 60_000 - 1
    assert.deepEqual(states.redeem(issued), { upstream: 's' })
    now = 10 * 60_000
    assert.throws(() => states.redeem(issued), isRefused)
  })

  it('opens with no other key, and not when sealed for another purpose', () => {
    const clock = { now: () => 0, monotonic: () => 0 }
    const [key, another] = [keyRing(randomBytes(32)), keyRing(randomBytes(32))]
    const states = new RequestStates(key, clock)
    assert.throws(() => new RequestStates(another, clock).redeem(withState(states.issue(parcel, {}))), isRefused)
    assert.throws(() => states.redeem(withState(key.seal('cursor', '{"until":9}', 'anonymous&a'))), isRefused)
  })
})

/** Calls that wait in a legacy server while a modern client finds the answer. */
describe('a call that is held', () => {
  const ask = { name: 'ask', arguments: { method: 'elicitation/create', params: elicit } }
  const linesOf = (): Json[] =>
    readFileSync(childFile, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Json)
  const answerWith = (got: Got, pin: string): Json => {
    const [question] = Object.keys(passed(got)['inputRequests'] as Json)
    return {
      ...ask,
      requestState: stateOf(got),
      inputResponses: { [question as string]: { action: 'accept', content: { pin } } },
    }
  }

  it('goes on once; the same state again is refused', async () => {
    const held = await call('local', ask, { token: alice })
    assert.match(textOf(await call('local', answerWith(held, '1111'), { token: alice })), /1111/)
    refused(await call('local', answerWith(held, '2222'), { token: alice }), 400, 'STATE_REFUSED', /not one that was given/)
    assert.ok(!JSON.stringify(linesOf()).includes('2222'))
  })

  it('does not go on for another principal, nor for two at once', async () => {
    const held = await call('local', ask, { token: alice })
    refused(await call('local', answerWith(held, '3333'), { token: mallory }), 400, 'STATE_REFUSED', /not one that was given/)
    const both = await Promise.all(['4444', '5555'].map((pin) => call('local', answerWith(held, pin), { token: alice })))
    assert.deepEqual(both.map(({ status }) => status).sort(), [200, 400])
    assert.ok(!JSON.stringify(linesOf()).includes('3333'))
  })

  it('is answered in the session that asked, even when the client comes back under another name', async () => {
    const asRed = { token: alice, client: { name: 'red', version: '1' } }
    const asBlue = { token: alice, client: { name: 'blue', version: '1' } }
    const red = await call('local', ask, asRed)
    const blue = await call('local', ask, asBlue)
    const [, answer] = [blue, await call('local', answerWith(red, 'for red'), asBlue)]
    const children = linesOf().filter(({ line }) => String(line).includes('"red"') || String(line).includes('"blue"'))
    const pidOf = (name: string): unknown => children.find(({ line }) => String(line).includes(`"${name}"`))?.['pid']
    const got = await until('the answer arrives', () => linesOf().find(({ line }) => String(line).includes('for red')))
    assert.equal(got['pid'], pidOf('red'), 'the answer meant for one session went to another')
    assert.match(textOf(answer), /for red/)
  })
})
