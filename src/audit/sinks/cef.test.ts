import assert from 'node:assert/strict'
import test from 'node:test'
import { canonicalJson } from '../../lib/canonical-json.ts'
import { Refusal } from '../../pipeline/refusal.ts'
import type { Intent, OperatorEntry, Outcome } from '../entry.ts'
import { makeLog, passOne } from '../fixture.test.ts'
import { cefOf } from './cef.ts'
import { formatMessage, framed } from './rfc5424.ts'

const outcome: Outcome = {
  v: 1,
  seq: 7,
  time: '2026-11-21T08:00:00.000Z',
  kind: 'outcome',
  intent: 6,
  exchange: 'abc-1',
  principal: 'key:ci',
  door: 'http',
  remote: '192.0.2.7',
  claimedClient: 'Claude Code',
  claimedVersion: '1.2.3',
  server: 'files',
  method: 'tools/call',
  leg: 'call',
  subject: 'read_file',
  class: 'write',
  ending: 'delivered',
  tookMs: 12.34,
}

test('an intent has no event', () => {
  assert.equal(cefOf({ ...outcome, kind: 'intent', digest: '' } as unknown as Intent, '1'), undefined)
})

/** Reads CEF as a collector does: a field separator is not escaped, an unescaped = ends a key. */
function read(text: string): { header: string[]; extension: Record<string, string> } {
  const parts = text.match(/(?:[^\\|]|\\.)+/g) ?? []
  const extension: Record<string, string> = {}
  for (const [, key = '', value = ''] of parts
    .slice(7)
    .join('|')
    .matchAll(/(?:^|\s)(\w+)=((?:[^\\=]|\\.)*?)(?=\s\w+=|$)/g))
    extension[key] = value.replace(/\\n/g, '\n').replace(/\\(.)/g, '$1')
  return { header: parts.slice(0, 7), extension }
}

test('what strangers choose can neither end a field nor begin one', () => {
  const nasty = 'x|y\\z act=delivered\nCEF:0|evil\r\n\u0007=\u2028 src=1.2.3.4'
  const event = cefOf(
    { ...outcome, ending: 'refused', code: 'POLICY_DENIED', subject: nasty, claimedClient: nasty, detail: nasty },
    '1',
  )
  assert.ok(event !== undefined && !/[\n\r\u0007\u2028]/.test(event.text))
  const { header, extension } = read(event.text)
  assert.deepEqual(header, ['CEF:0', 'Sekisho', 'Sekisho', '1', 'POLICY_DENIED', 'MCP request refused', '5'])
  assert.equal(extension['act'], 'refused')
  assert.equal(extension['src'], '192.0.2.7')
  assert.equal(extension['cs1'], 'x|y\\z act=delivered\nCEF:0|evil\n =  src=1.2.3.4')
})

test('a header field is escaped: an operator’s action is a free word', () => {
  const operator: OperatorEntry = { v: 1, seq: 1, time: outcome.time, kind: 'operator', action: 'a|b\\c\n', principal: 'cli:me' }
  assert.match(cefOf(operator, '1')?.text ?? '', /^CEF:0\|Sekisho\|Sekisho\|1\|a\\\|b\\\\c \|Operator action\|4\|/)
})

test('the whole of an ordinary event, letter for letter', () => {
  assert.equal(
    cefOf(outcome, '0.1.0')?.text,
    'CEF:0|Sekisho|Sekisho|0.1.0|delivered|MCP request delivered|2|rt=1795248000000 externalId=abc-1 act=delivered outcome=success suser=key:ci src=192.0.2.7 requestClientApplication=Claude Code/1.2.3 app=MCP requestMethod=tools/call destinationServiceName=files cs1=read_file cs1Label=subject cs2=write cs2Label=class cn1=7 cn1Label=seq cn2=12 cn2Label=tookMs',
  )
})

test('severity is that of the worst finding, or of the refusal', () => {
  const finding = {
    guard: 'inspection',
    kind: 'block',
    mode: 'monitor',
    rule: 'inspection/x',
    evidence: 'e',
    owasp: 'MCP06',
    requirement: 'R',
  } as const
  const cases: readonly (readonly [Partial<Outcome>, number])[] = [
    [{ class: 'read' }, 1],
    [{ class: 'destructive' }, 3],
    [{ ending: 'refused' }, 5],
    [{ findings: [{ ...finding, severity: 'high' }] }, 8],
    [{ ending: 'refused', findings: [{ ...finding, severity: 'low' }] }, 5],
    [
      {
        findings: [
          { ...finding, severity: 'info' },
          { ...finding, severity: 'critical', evidence: 'worst' },
        ],
      },
      10,
    ],
  ]
  for (const [changes, severity] of cases) assert.equal(cefOf({ ...outcome, ...changes }, '1')?.severity, severity)
  assert.match(cefOf({ ...outcome, ...cases[5]?.[0] }, '1')?.text ?? '', /msg=worst .*cs3=inspection\/x \(monitored\) /)
})

test('addresses go where CEF has them', () => {
  const remotes: readonly (readonly [string | undefined, RegExp])[] = [
    ['192.0.2.7:1234', /src=192\.0\.2\.7 /],
    ['::ffff:192.0.2.7', /src=192\.0\.2\.7 /],
    ['[2001:db8::1]:443', /c6a2=2001:db8::1 c6a2Label=Source IPv6 Address/],
    ['2001:db8::1', /c6a2=2001:db8::1 /],
    ['pipe', /suser=key:ci requestClient/],
    [undefined, /suser=key:ci requestClient/],
  ]
  for (const [remote, pattern] of remotes) assert.match(cefOf({ ...outcome, remote }, '1')?.text ?? '', pattern)
})

test('the longest entry a stranger can cause fits the 8,192 bytes that collectors take', async () => {
  const log = makeLog()
  const audit = await log.open()
  for (const long of ['='.repeat(9000), '界'.repeat(9000), '\\\n'.repeat(5000)]) {
    const findings = Array.from({ length: 100 }, (_, at) => ({
      rule: `inspection/${'r'.repeat(60)}${at}`,
      severity: 'high' as const,
      evidence: long,
      owasp: 'MCP06',
      requirement: 'R',
    }))
    await passOne(audit, {
      method: long,
      subject: long,
      server: 'files',
      origin: { client: { name: long, version: long } },
      opinions: [{ guard: 'inspection', mode: 'monitor', kind: 'block', findings }],
      refusal: new Refusal('UPSTREAM_INVALID', { detail: long }),
    })
  }
  await audit.close()
  for (const entry of log.entries().filter(({ kind }) => kind === 'outcome')) {
    const event = cefOf(entry, '0.1.0')
    const message = {
      facility: 'local0',
      severity: 'error',
      time: entry.time,
      hostname: 'h'.repeat(255),
      appName: 'sekisho',
      messageId: 'outcome',
      data: {},
    } as const
    assert.ok(framed(formatMessage({ ...message, text: event?.text ?? '' })).length <= 8192, canonicalJson(entry).slice(0, 100))
  }
  log.remove()
})
