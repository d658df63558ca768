/** What the tests of this room share: a log in a folder of its own, and exchanges made up for it. Holds no tests. */
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { systemClock } from '../lib/clock.ts'
import { unstoppable } from '../lib/stop.ts'
import type { JsonObject } from '../lib/strict-json.ts'
import type { Ending, Frame } from '../pipeline/exchange.ts'
import type { Cleared, Opinion } from '../pipeline/judge.ts'
import { type Origin, type Parcel, plainPrincipal, sealed } from '../pipeline/parcel.ts'
import type { Refusal } from '../pipeline/refusal.ts'
import { type Audit, type AuditOptions, openAudit } from './audit.ts'
import type { Entry } from './entry.ts'

export const keys = generateKeyPairSync('ed25519')

export interface LogFixture {
  readonly path: string
  readonly anchor: string
  open(options?: Partial<AuditOptions>): Promise<Audit>
  /** Every entry on disk. */
  entries(): Entry[]
  /** Runs SQL as somebody who may edit the store at will. */
  attack(sql: string): void
  remove(): void
}

export function makeLog(): LogFixture {
  const folder = mkdtempSync(join(tmpdir(), 'sekisho-audit-'))
  const path = join(folder, 'audit.db')
  const anchor = join(folder, 'apart', 'audit.anchor')
  const withStore = <Answer>(work: (database: DatabaseSync) => Answer): Answer => {
    const database = new DatabaseSync(path)
    try {
      return work(database)
    } finally {
      database.close()
    }
  }
  return {
    path,
    anchor,
    open: (options) => openAudit({ path, anchor, signingKey: keys.privateKey, clock: systemClock, sinks: [], ...options }),
    entries: () =>
      withStore((database) =>
        (database.prepare('SELECT text FROM entry ORDER BY seq').all() as { text: string }[]).map(
          ({ text }) => JSON.parse(text) as Entry,
        ),
      ),
    attack: (sql) => withStore((database) => database.exec(sql)),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

const origin: Origin = {
  door: 'http',
  era: 'modern',
  version: 'any',
  client: { name: 'Claude Code', version: '1.2.3' },
  capabilities: {},
  session: undefined,
  logLevel: undefined,
  remote: '127.0.0.1',
}

export interface Made {
  readonly exchange?: string
  readonly class?: Parcel['class']
  readonly method?: string
  readonly subject?: string
  readonly server?: string
  readonly principal?: string
  readonly params?: JsonObject
  readonly result?: JsonObject
  readonly origin?: Partial<Origin>
  readonly opinions?: readonly Opinion[]
  readonly ending?: Ending
  readonly refusal?: Refusal
}

let count = 0

export function frameOf(made: Made = {}): Frame {
  const params = made.params ?? { name: made.subject ?? 'read_file', arguments: { path: 'a.txt' } }
  return {
    exchange: made.exchange ?? `made-${++count}`,
    message: { kind: 'request', id: 1, method: made.method ?? 'tools/call', params },
    server: made.server ?? 'files',
    credentials: { headers: {}, entrance: 'files' },
    headers: { authorization: 'Bearer header-token-0123456789' },
    origin: { ...origin, ...made.origin },
    stop: unstoppable,
  }
}

export const callOf = (frame: Frame, made: Made = {}): Parcel =>
  sealed({
    exchange: frame.exchange,
    leg: 'call',
    sender: 'client',
    principal: plainPrincipal('api-key', made.principal ?? 'key:ci'),
    origin: frame.origin,
    server: made.server ?? 'files',
    method: frame.message.method,
    concerns: 'tool',
    subject: made.subject ?? 'read_file',
    class: made.class ?? 'read',
    member: 'params',
    body: frame.message.params,
    question: undefined,
    list: undefined,
    paramHeaders: {},
  })

/** What judge() would answer; the only test double of a brand in this room. */
export const clearedAs = (parcel: Parcel, opinions: readonly Opinion[] = []) => ({ cleared: parcel as Cleared, opinions })

/** One exchange from the door to the end, as the corridor would tell it. */
export async function passOne(audit: Audit, made: Made = {}): Promise<string> {
  const frame = frameOf(made)
  const record = audit.record(frame)
  const call = callOf(frame, made)
  record.identified(call.principal)
  record.judged(call, clearedAs(call, made.opinions))
  await record.intent(call)
  if (made.refusal === undefined) {
    const result = sealed({ ...call, leg: 'result' as const, member: 'result' as const, body: made.result ?? { content: [] } })
    record.judged(result, clearedAs(result))
  }
  await record.durable()
  record.ended(made.ending ?? (made.refusal === undefined ? 'delivered' : 'refused'), made.refusal)
  return frame.exchange
}

export async function passMany(audit: Audit, many: number, made: Made = {}): Promise<void> {
  await Promise.all(Array.from({ length: many }, () => passOne(audit, made)))
  await audit.flushed()
}
