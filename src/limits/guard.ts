/**
 * Is it within measure? Rates and concurrency of one caller, over everything, on one server and on one tool (TPT-C5). The
 * key is the verified principal and what the call is addressed to; never a session id, a header or an address, which a
 * caller can change at will. Synchronous, so two calls cannot both take the last token.
 */
import type { Clock } from '../lib/clock.ts'
import type { Stop } from '../lib/stop.ts'
import { type Finding, type Guard, pass, type Verdict } from '../pipeline/guard.ts'
import type { Parcel } from '../pipeline/parcel.ts'
import type { Facts } from '../protocol/refusal-texts.ts'
import type { Bucket } from './bucket.ts'
import { Buckets } from './buckets.ts'
import type { LimitsConfig, Measure } from './schema.ts'

export interface LimitsOptions {
  /** The limits of the moment; what has been used is kept when they change. */
  readonly config: () => LimitsConfig
  readonly clock: Clock
}

/** Which measure, and in whose name it is counted. */
interface Count {
  readonly what: string
  readonly measure: Measure
  readonly bucket: Bucket
  /** Counted once for all parts of this, and not for each. */
  readonly whole?: Stop | undefined
}

/** They stand for as long as the client is there, and cost nothing while they are silent: counted apart from calls. */
const standing: ReadonlySet<string> = new Set(['session/stream', 'subscriptions/listen'])
/** What a client sends, whether or not it waits for an answer; but whoever leaves may always leave. */
const isCounted = ({ sender, method }: Parcel): boolean => sender === 'client' && method !== 'session/delete'

const toolsMax = 256
const serversMax = 1000
const principalsMax = 10_000

export function limitsGuard({ config, clock }: LimitsOptions): Guard {
  const buckets = {
    principal: new Buckets(principalsMax, 1),
    stream: new Buckets(principalsMax, 1),
    server: new Buckets(serversMax, principalsMax),
    tool: new Buckets(toolsMax, principalsMax),
  }
  const underWay = new Map<string, Bucket[]>()
  /** What was said to the first part of a whole is said to all: a list is refused, and never cut short. */
  const wholes = new WeakMap<Stop, Verdict>()

  function countsOf({ method, principal, server, concerns, subject, whole }: Parcel, now: number): Count[] {
    const limits = config()
    const counts: Count[] = []
    const count = (kind: keyof typeof buckets, what: string, family: string, member: string, whole?: Stop) => {
      const measure = limits[kind]
      if (measure.perMinute === 'unlimited' && measure.concurrent === 'unlimited') return
      counts.push({ what, measure, bucket: buckets[kind].find(family, member, measure, now), whole })
    }
    const isStream = standing.has(method)
    if (whole === undefined || !wholes.has(whole)) {
      if (isStream) count('stream', ' for streams', '', principal.id, whole)
      else count('principal', '', '', principal.id, whole)
    }
    if (isStream) return counts
    count('server', ` on server "${server}"`, principal.id, server)
    if (concerns === 'tool' && subject !== undefined)
      count('tool', ` of this tool on server "${server}"`, `${server} ${principal.id}`, shortened(subject))
    return counts
  }

  return {
    name: 'limits',
    legs: ['call', 'notice'],
    judge(parcel) {
      if (!isCounted(parcel)) return pass
      const said = parcel.whole && wholes.get(parcel.whole)
      if (said?.kind === 'block') return said
      const now = clock.monotonic()
      const counts = countsOf(parcel, now)
      for (const count of counts) {
        const refused = excess(count, now, parcel)
        if (refused === undefined) continue
        if (count.whole) wholes.set(count.whole, refused)
        return refused
      }
      // Only now, when every measure agrees, is anything taken: a refused call costs its sender nothing.
      const held: Bucket[] = []
      for (const { bucket, measure, whole } of counts) {
        bucket.take(measure)
        if (whole) {
          wholes.set(whole, pass)
          whole.onStop(() => bucket.concurrent--)
        } else held.push(bucket)
      }
      if (held.length > 0) underWay.set(parcel.exchange, [...(underWay.get(parcel.exchange) ?? []), ...held])
      return pass
    },
    settled(exchange) {
      const held = underWay.get(exchange)
      if (held === undefined) return
      underWay.delete(exchange)
      for (const bucket of held) bucket.concurrent--
    },
  }
}

/** Names of strangers are keys here, so a long one does not stay whole; two that share a bucket share a limit, no more. */
const shortened = (subject: string): string => (subject.length <= 128 ? subject : `${subject.slice(0, 128)}…`)

function excess({ what, measure, bucket }: Count, now: number, parcel: Parcel): Verdict | undefined {
  const waitS = bucket.waitS(measure, now)
  if (waitS > 0) return block('limits/rate', `${measure.perMinute} calls a minute${what}`, { retryAfterS: waitS }, parcel)
  if (bucket.isCrowded(measure))
    return block('limits/concurrency', `${measure.concurrent} calls at a time${what}`, { fix: whenCrowded }, parcel)
  return undefined
}

const whenCrowded = 'Try again when another call has ended, or raise the limit under "limits".'

function block(rule: string, limit: string, facts: Facts, { principal }: Parcel): Verdict {
  const evidence = `${principal.id} went past ${limit}`
  const finding: Finding = { rule, severity: 'low', evidence, owasp: 'MCP02', requirement: 'TPT-C5' }
  return { kind: 'block', code: 'RATE_LIMITED', facts: { detail: `at most ${limit}`, ...facts }, findings: [finding] }
}
