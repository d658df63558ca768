import assert from 'node:assert/strict'
import test from 'node:test'
import { Refusal } from '../pipeline/refusal.ts'
import { makeLog, passOne } from './fixture.test.ts'
import { auditMetrics } from './metrics.ts'

test('what strangers choose makes no label; the rest is counted once', async () => {
  const log = makeLog()
  const metrics = auditMetrics({
    isServer: (id) => id === 'files',
    status: () => ({ pending: 3, failure: undefined, sinks: [{ name: 'syslog:collector:6514', lag: 12, failures: 0 }] }),
  })
  const audit = await log.open({ finished: metrics.finished })
  const finding = {
    rule: 'policy/no-rule',
    severity: 'medium',
    evidence: 'secret words',
    owasp: 'MCP02',
    requirement: 'R',
  } as const
  await passOne(audit)
  await passOne(audit)
  await passOne(audit, {
    server: 'a-stranger-chose-this',
    method: 'chosen/too',
    opinions: [{ guard: 'policy', mode: 'monitor', kind: 'block', findings: [finding] }],
    refusal: new Refusal('SERVER_UNKNOWN'),
  })
  const text = await metrics.text()
  const lines = text.split('\n')
  for (const line of [
    'sekisho_exchanges_total{server="files",method="tools/call",ending="delivered",code="none"} 2',
    'sekisho_exchanges_total{server="other",method="other",ending="refused",code="SERVER_UNKNOWN"} 1',
    'sekisho_findings_total{guard="policy",rule="policy/no-rule",mode="monitor"} 1',
    'sekisho_exchange_seconds_count{server="files",method="tools/call"} 2',
    'sekisho_audit_pending 3',
    'sekisho_audit_sink_lag{sink="syslog:collector:6514"} 12',
  ])
    assert.ok(lines.includes(line), `${line}\nis not in\n${text}`)
  for (const word of ['stranger', 'chosen', 'secret']) assert.ok(!text.includes(word))
  await audit.close()
  log.remove()
})
