import type { Stop } from '../lib/stop.ts'
import type { JsonObject } from '../lib/strict-json.ts'
import type { Flow } from '../pipeline/exchange.ts'
import type { Cleared, Judgement } from '../pipeline/judge.ts'
import type { Parcel } from '../pipeline/parcel.ts'
import type { MethodTable } from '../protocol/methods.ts'
import type { Timeouts } from './flight.ts'
import type { RequestStates } from './request-state.ts'
import type { Suspended } from './suspended.ts'

/** Parcels out; the judgement on the answer to a question in. */
export type Parcels<Return = void> = AsyncGenerator<Parcel, Return, Judgement | undefined>

/** A flow of one parcel, or of none. */
export async function* only(parcel?: Parcel): Parcels {
  if (parcel) yield parcel
}

/** A flow of no parcels, and what is done on the way. */
export const nothing = (act: () => Promise<void>): Flow => ({
  next: async () => {
    await act()
    return { done: true, value: undefined }
  },
  return: async () => undefined,
})

/** A conversation with a server in one era, for one owner. */
export interface Link {
  forward(call: Cleared, answers: readonly Cleared[], stop: Stop): Flow
  /** Settles when the connection is gone and a new link is needed. */
  readonly closed: Promise<void>
  close(): Promise<void>
}

/** What both kinds of link need of the house. */
export interface LinkOptions {
  readonly methods: MethodTable
  readonly timeouts: Timeouts
  readonly suspended: Suspended
  readonly states: RequestStates
  /** True where the transport itself says that a request is cancelled (2026-07-28 HTTP). */
  readonly http: boolean
  /** A list the server sent in answer to `call`, on the way past. */
  learn(call: Parcel, result: JsonObject): void
  log(line: string): void
}
