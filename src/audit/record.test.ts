import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import test from 'node:test'
import { canonicalJson } from '../lib/canonical-json.ts'
import type { JsonObject } from '../lib/strict-json.ts'
import { parseStrict } from '../lib/strict-json.ts'
import type { Finding } from '../pipeline/guard.ts'
import { sealed } from '../pipeline/parcel.ts'
import { Refusal } from '../pipeline/refusal.ts'
import type { Intent, Outcome } from './entry.ts'
import { callOf, clearedAs, frameOf, type LogFixture, makeLog, passOne } from './fixture.test.ts'

const digest = (body: unknown): string => hash('sha256', canonicalJson(body), 'hex')
const finding: Finding = {
  rule: 'policy/no-rule',
  severity: 'medium',
  evidence: 'no rule allows it',
  owasp: 'MCP02',
  requirement: 'PERM-C1',
}

function withLog(name: string, work: (log: LogFixture) => Promise<void>): void {
  test(name, async () => {
    const log = makeLog()
    try {
      await work(log)
    } finally {
      log.remove()
    }
  })
}

withLog('an exchange refused before anyone was identified leaves an intent and an outcome', async (log) => {
  const audit = await log.open()
  const frame = frameOf({ method: 'tools/call' })
  audit.record(frame).ended('refused', new Refusal('UNAUTHENTICATED'))
  await audit.close()
  const [intent, outcome] = log.entries() as [Intent, Outcome]
  assert.equal(intent.kind, 'intent')
  assert.equal(intent.principal, 'unidentified')
  assert.equal(intent.digest, digest(frame.message.params))
  assert.deepEqual([intent.subject, intent.class, intent.leg], [undefined, undefined, undefined])
  assert.deepEqual([outcome.kind, outcome.ending, outcome.code, outcome.intent], ['outcome', 'refused', 'UNAUTHENTICATED', 1])
})

withLog('a refused call is recorded with its code, its detail and its findings, each once', async (log) => {
  const audit = await log.open()
  const frame = frameOf()
  const call = callOf(frame, { class: 'destructive' })
  const refusal = new Refusal('POLICY_DENIED', { detail: 'tools/call of read_file' }, [finding])
  const record = audit.record(frame)
  record.identified(call.principal)
  const watched: Finding = { ...finding, rule: 'inspection/injection' }
  record.judged(call, {
    refused: refusal,
    opinions: [
      { guard: 'inspection', mode: 'monitor', kind: 'block', findings: [watched] },
      { guard: 'policy', mode: 'enforce', kind: 'block', findings: [finding] },
    ],
  })
  await record.intent(call)
  record.ended('refused', refusal)
  record.ended('delivered')
  await audit.close()
  const [intent, outcome, ...rest] = log.entries() as [Intent, Outcome]
  assert.deepEqual(rest, [])
  assert.deepEqual(
    [intent.principal, intent.class, intent.subject, intent.server],
    ['key:ci', 'destructive', 'read_file', 'files'],
  )
  assert.deepEqual([outcome.code, outcome.detail], ['POLICY_DENIED', 'tools/call of read_file'])
  assert.deepEqual(
    outcome.findings?.map(({ guard, mode, kind, rule, leg }) => ({ guard, mode, kind, rule, leg })),
    [
      { guard: 'inspection', mode: 'monitor', kind: 'block', rule: 'inspection/injection', leg: 'call' },
      { guard: 'policy', mode: 'enforce', kind: 'block', rule: 'policy/no-rule', leg: 'call' },
    ],
  )
})

withLog('a finding that came with a refusal from no guard is kept', async (log) => {
  const audit = await log.open()
  audit.record(frameOf()).ended('refused', new Refusal('UNAUTHENTICATED', {}, [{ ...finding, rule: 'identity/expired' }]))
  await audit.close()
  assert.equal((log.entries()[1] as Outcome).findings?.[0]?.guard, 'identity')
})

withLog('what was changed on the way has two digests: as it came and as it went on', async (log) => {
  const audit = await log.open()
  const frame = frameOf()
  const call = callOf(frame)
  const redacted = sealed({ ...call, body: { name: 'read_file', arguments: {} } })
  const came = { content: [{ type: 'text', text: 'a secret' }] }
  const result = sealed({ ...call, leg: 'result' as const, member: 'result' as const, body: came as JsonObject })
  const left = sealed({ ...result, body: { content: [] } })
  const record = audit.record(frame)
  record.judged(call, clearedAs(redacted))
  await record.intent(redacted)
  record.judged(sealed({ ...call, leg: 'notice' as const }), clearedAs(call))
  record.judged(sealed({ ...call, leg: 'ask' as const }), clearedAs(call))
  record.judged(sealed({ ...call, leg: 'answer' as const }), clearedAs(call))
  record.judged(result, clearedAs(left))
  record.ended('delivered')
  await audit.close()
  const [intent, outcome] = log.entries() as [Intent, Outcome]
  assert.deepEqual([intent.digest, intent.askedDigest], [digest(redacted.body), digest(call.body)])
  assert.deepEqual([outcome.resultDigests, outcome.deliveredDigests], [[digest(came)], [digest(left.body)]])
  assert.deepEqual([outcome.notices, outcome.asks, outcome.answers], [1, 1, 1])
})

withLog('numbers that JavaScript would change are digested as they were written', async (log) => {
  const audit = await log.open()
  const params = parseStrict('{"name":"pay","arguments":{"amount":12345678901234567890.0}}') as JsonObject
  await passOne(audit, { params, class: 'write' })
  await audit.close()
  assert.equal(
    (log.entries()[0] as Intent).digest,
    hash('sha256', '{"arguments":{"amount":12345678901234567890.0},"name":"pay"}', 'hex'),
  )
})

withLog('no secret, header or session id reaches the disk', async (log) => {
  const audit = await log.open({ excerptBytesMax: 4096 })
  const secret = ['ghp_', 'abcdefghijklmnopqrstuvwxyz0123'].join('')
  const session = 'session-id-that-opens-the-session'
  await passOne(audit, {
    params: { name: 'x', arguments: { token: 'tiny', header: `Bearer ${secret}` } },
    result: { content: [{ type: 'text', text: `here: ${secret}` }] },
    subject: `https://user:hunter2hunter2@example.com/?access_token=${secret}`,
    origin: { session, client: { name: `client ${secret}`, version: secret } },
    opinions: [{ guard: 'inspection', mode: 'monitor', kind: 'block', findings: [{ ...finding, evidence: `found ${secret}` }] }],
    refusal: new Refusal('UPSTREAM_INVALID', { detail: `it said ${secret}` }),
  })
  await audit.event({ action: 'x', principal: 'cli:me', detail: `because ${secret}` })
  await audit.close()
  const bytes = readFileSync(log.path, 'latin1') + readFileSync(log.anchor, 'latin1')
  for (const word of [secret, session, 'hunter2', 'tiny', 'header-token']) assert.ok(!bytes.includes(word), word)
  assert.equal((log.entries()[0] as Intent).session, hash('sha256', session, 'hex').slice(0, 8))
})

withLog('a stranger cannot make an entry long', async (log) => {
  const audit = await log.open({ excerptBytesMax: 200 })
  const long = '"\\\u0000'.repeat(100_000)
  const many = Array.from({ length: 500 }, () => ({ ...finding, evidence: long }))
  await passOne(audit, {
    method: long,
    subject: long,
    origin: { client: { name: long, version: long } },
    opinions: [{ guard: 'inspection', mode: 'monitor', kind: 'block', findings: many }],
    refusal: new Refusal('UPSTREAM_INVALID', { detail: long }),
  })
  await audit.close()
  const [intent, outcome] = log.entries() as [Intent, Outcome]
  assert.ok(JSON.stringify(intent).length < 5000)
  assert.equal(outcome.findings?.length, 64)
  assert.equal(outcome.findingsOmitted, 436)
  assert.ok(JSON.stringify(outcome).length < 250_000)
})

withLog('every entry is canonical JSON as it stands', async (log) => {
  const audit = await log.open({ excerptBytesMax: 100, node: 'node-1' })
  const opinions = [{ guard: 'policy', mode: 'monitor' as const, kind: 'block' as const, findings: [finding] }]
  await passOne(audit, { opinions, origin: { session: 's' } })
  await passOne(audit, { opinions, refusal: new Refusal('POLICY_DENIED', { detail: 'x' }) })
  await audit.event({ action: 'server.disabled', principal: 'cli:me', server: 'files', subject: 'x', detail: 'why' })
  await audit.close()
  assert.equal(log.entries().length, 5)
  const store = new DatabaseSync(log.path)
  for (const { text } of store.prepare('SELECT text FROM entry').all() as { text: string }[])
    assert.equal(text, canonicalJson(JSON.parse(text)))
  store.close()
})
