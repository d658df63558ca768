import assert from 'node:assert/strict'
import test from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import type { GatewayEvent } from '../gateway.ts'
import { liveLine } from './live.ts'

type Outcome = Extract<GatewayEvent, { kind: 'outcome' }>['outcome']
const outcome = {
  ending: 'refused',
  principal: 'key:ci',
  remote: '192.0.2.7',
  server: 'files',
  method: 'tools/call',
  subject: 'read',
  code: 'POLICY_DENIED',
  tookMs: 3.2,
  time: '2026-11-21T08:48:42.123Z',
} as Outcome

const lines: readonly (readonly [says: string, event: GatewayEvent, line: RegExp])[] = [
  ['a refusal', { kind: 'outcome', outcome }, /^08:48:42 stop {2}files +tools\/call read +key:ci +3 ms POLICY_DENIED$/],
  [
    'a stranger, and from where',
    {
      kind: 'outcome',
      outcome: { ...outcome, principal: 'unidentified', method: 'HTTP POST', subject: undefined, code: 'UNAUTHENTICATED' },
    },
    /stop {2}files +HTTP POST +unidentified 3 ms UNAUTHENTICATED from 192\.0\.2\.7$/,
  ],
  ['the door', { kind: 'turned-away', code: 'HOST_REFUSED', remote: '192.0.2.7' }, /^ +away {2}HOST_REFUSED from 192\.0\.2\.7$/],
]
const hostile = '\x1b[2J\x1b]0;owned\x07a\rb\u202ec\x9b1A'
const spoken: readonly (readonly [says: string, event: GatewayEvent])[] = [
  ['a server says', { kind: 'server', server: 'files', line: hostile }],
  ['a name is', { kind: 'outcome', outcome: { ...outcome, subject: hostile, principal: hostile } }],
  ['an error holds', { kind: 'failed', exchange: 'x', error: new Error(hostile) }],
]
for (const [says, event] of spoken)
  test(`no sign that moves a cursor or turns a line round is printed where ${says} it`, () => {
    const line = (liveLine(event) ?? '').replace(/\x1b\[\d+m/g, '')
    assert.doesNotMatch(line, /(?!\n)[\p{Cc}\p{Cf}]/u)
    assert.match(line, /a b c/)
  })

for (const [says, event, line] of lines)
  test(`one line says ${says}`, () => assert.match(stripVTControlCharacters(liveLine(event) ?? ''), line))
