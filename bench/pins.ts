/** What pins cost: a call that is held against them, and a list of a thousand tools beside what relaying it takes at least. */
import { systemClock } from '../src/lib/clock.ts'
import { type JsonObject, parseStrict } from '../src/lib/strict-json.ts'
import type { Guard } from '../src/pipeline/guard.ts'
import { noHeaders, type Parcel, plainPrincipal, sealed } from '../src/pipeline/parcel.ts'
import { openStore } from '../src/storage/embedded.ts'
import { trustGuard } from '../src/trust/guard.ts'
import { sealedWith } from '../src/trust/pin.ts'
import { pinsSchema } from '../src/trust/schema.ts'
import { Trust } from '../src/trust/trust.ts'

const count = 1000
const parameter = (at: number) => ({
  type: 'string',
  description: `Which part of the record is meant; ${at} is the usual choice where nothing else is known.`,
})
const tool = (at: number): JsonObject => ({
  name: `read_record_${at}`,
  title: `Read record ${at}`,
  description: `Reads record ${at} of the archive and gives its fields, the newest first, at most a hundred of them at a time.`,
  inputSchema: {
    type: 'object',
    properties: { id: parameter(1), field: parameter(2), limit: { type: 'integer', minimum: 1, maximum: 100 } },
    required: ['id'],
  },
  annotations: { readOnlyHint: true },
})

export interface Pinned {
  readonly call: () => void
  readonly list: () => void
  /** Reading and writing the list again, as any proxy does that reads what it relays. */
  readonly relay: () => void
}

export async function pinned(): Promise<Pinned> {
  const tools = Array.from({ length: count }, (_, at) => tool(at))
  const config = () => pinsSchema.parse({ recheckSeconds: 86_400 })
  const trust = await Trust.open({
    changed: () => undefined,
    store: await openStore('sqlite::memory:'),
    seal: sealedWith(Buffer.alloc(32)),
    clock: systemClock,
    config,
    identityOf: () => 'https://records.example/mcp',
    read: async () => tools,
    forged: () => undefined,
    approvals: new Map(),
    expired: () => undefined,
  })
  const guard = trustGuard({ trust, config, lookWith: 'sekisho pins show' })
  const text = JSON.stringify({ tools })
  const call = parcel({ leg: 'call', method: 'tools/call', concerns: 'tool', subject: 'read_record_500' })
  await guard.judge(call)
  const list = { items: 'tools', key: 'name', concerns: 'tool' } as const
  const body = parseStrict(text) as JsonObject
  const catalog = parcel({ leg: 'catalog', method: 'tools/list', concerns: 'server', member: 'result', list, body })
  return {
    call: () => mustPass(guard, call),
    list: () => mustPass(guard, catalog),
    relay: () => void JSON.stringify(parseStrict(text)),
  }
}

function mustPass(guard: Guard, parcel: Parcel): void {
  const verdict = guard.judge(parcel)
  if (verdict instanceof Promise || verdict.kind !== 'pass') throw new Error('it was not approved')
}

const parcel = (changes: Partial<Parcel>): Parcel =>
  sealed({
    ...{ exchange: 'x', leg: 'call', sender: 'client', principal: plainPrincipal('anonymous', 'anonymous'), server: 'records' },
    ...{ method: 'tools/call', concerns: 'tool', subject: undefined, class: 'read', member: 'params', body: {} },
    ...{ question: undefined, list: undefined, paramHeaders: noHeaders },
    origin: {
      ...{ door: 'http', era: 'modern', version: '2026-07-28', client: undefined, capabilities: {} },
      ...{ session: undefined, logLevel: undefined, remote: undefined },
    },
    ...changes,
  })
