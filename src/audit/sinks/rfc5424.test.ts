import assert from 'node:assert/strict'
import test from 'node:test'
import { formatMessage, framed, type SyslogMessage } from './rfc5424.ts'

const message: SyslogMessage = {
  facility: 'local0',
  severity: 'warning',
  time: '2026-11-21T08:00:00.000Z',
  hostname: 'gw-1',
  appName: 'sekisho',
  messageId: 'outcome',
  data: { meta: { sequenceId: '3' } },
  text: 'CEF:0|…',
}

const table: readonly (readonly [name: string, changes: Partial<SyslogMessage>, text: string])[] = [
  ['an ordinary one', {}, '<132>1 2026-11-21T08:00:00.000Z gw-1 sekisho - outcome [meta sequenceId="3"] CEF:0|…'],
  [
    'the lowest and the highest priority',
    { facility: 'kern', severity: 'critical' },
    '<2>1 2026-11-21T08:00:00.000Z gw-1 sekisho - outcome [meta sequenceId="3"] CEF:0|…',
  ],
  [
    'no data',
    { data: {}, facility: 'local7', severity: 'informational' },
    '<190>1 2026-11-21T08:00:00.000Z gw-1 sekisho - outcome - CEF:0|…',
  ],
  [
    'header fields that are empty or not ASCII',
    { hostname: 'ホスト', appName: '', messageId: 'a b' },
    '<132>1 2026-11-21T08:00:00.000Z - - - ab [meta sequenceId="3"] CEF:0|…',
  ],
  [
    'a parameter with every character that ends one',
    { data: { origin: { software: 'a"b\\c]d' } } },
    '<132>1 2026-11-21T08:00:00.000Z gw-1 sekisho - outcome [origin software="a\\"b\\\\c\\]d"] CEF:0|…',
  ],
]
for (const [name, changes, text] of table) test(name, () => assert.equal(formatMessage({ ...message, ...changes }), text))

test('a frame counts bytes, not characters', () => {
  assert.equal(framed('界🗼').toString(), '7 界🗼')
})
