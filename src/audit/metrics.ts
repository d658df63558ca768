/**
 * Prometheus metrics, read off the finished record: pass `finished` to openAudit(). On a registry of its own. Every label has
 * few values: a server is one that is configured, a method one that has a row, whatever a stranger asked for.
 */
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import { builtInMethods, type MethodTable } from '../protocol/methods.ts'
import type { RefusalCode } from '../protocol/refusal-texts.ts'
import type { AuditStatus } from './audit.ts'
import type { Outcome } from './entry.ts'

export interface MetricsOptions {
  /** Whether a server of this id is configured now. */
  readonly isServer: (id: string) => boolean
  readonly methods?: MethodTable | undefined
  readonly status: () => AuditStatus
}

export interface Metrics {
  finished(outcome: Outcome): void
  /** A request that was refused at the door, before it became an exchange. */
  turnedAway(code: RefusalCode): void
  /** The text exposition format, version 0.0.4. */
  text(): Promise<string>
}

/** Stands in a label for a word that is not one of ours. */
const other = 'other'
const none = 'none'
const buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

export function auditMetrics({ isServer, methods = builtInMethods, status }: MetricsOptions): Metrics {
  const registry = new Registry()
  const registers = [registry]
  const exchanges = new Counter({
    name: 'sekisho_exchanges_total',
    help: 'Exchanges that have ended.',
    labelNames: ['server', 'method', 'ending', 'code'],
    registers,
  })
  const findings = new Counter({
    name: 'sekisho_findings_total',
    help: 'What the guards noticed, in enforce and in monitor mode.',
    labelNames: ['guard', 'rule', 'mode'],
    registers,
  })
  const turnedAway = new Counter({
    name: 'sekisho_turned_away_total',
    help: 'Requests refused at the door: host, origin, method, malformed.',
    labelNames: ['code'],
    registers,
  })
  const seconds = new Histogram({
    name: 'sekisho_exchange_seconds',
    help: 'From the door to the end of an exchange.',
    labelNames: ['server', 'method'],
    buckets,
    registers,
  })
  const pending = new Gauge({ name: 'sekisho_audit_pending', help: 'Audit entries that are not on disk yet.', registers })
  const lag = new Gauge({
    name: 'sekisho_audit_sink_lag',
    help: 'Audit entries on disk that a sink has not taken yet.',
    labelNames: ['sink'],
    registers,
  })
  return {
    turnedAway: (code) => turnedAway.inc({ code }),
    finished(outcome) {
      const server = outcome.server === undefined ? none : isServer(outcome.server) ? outcome.server : other
      const method = methods(outcome.method) === undefined ? other : outcome.method
      exchanges.inc({ server, method, ending: outcome.ending, code: outcome.code ?? none })
      seconds.observe({ server, method }, outcome.tookMs / 1000)
      for (const { guard, rule, mode } of outcome.findings ?? []) findings.inc({ guard, rule: rule ?? none, mode })
    },
    text() {
      const now = status()
      pending.set(now.pending)
      for (const sink of now.sinks) lag.set({ sink: sink.name }, sink.lag)
      return registry.metrics()
    },
  }
}
