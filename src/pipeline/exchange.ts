/**
 * The corridor: one request, from the door to the upstream and back. Every door leads here and nothing else leads out.
 * A line added here is asked of every message in the house; most things belong in a guard instead (see stages.ts).
 */
import type { Stop } from '../lib/stop.ts'
import type { Notification, Request } from '../protocol/json-rpc.ts'
import type { Headers } from '../protocol/revisions/2026-07-28/headers.ts'
import { holdsQuestions, withAllowedQuestions } from './enclosed.ts'
import { type Bench, type Cleared, type Judgement, judge } from './judge.ts'
import type { Origin, Parcel, Principal } from './parcel.ts'
import { asRefusal, type Refusal, within } from './refusal.ts'

/** One message as a door hands it in: read, but nothing about it verified. */
export interface Frame {
  /** Names the exchange in audit records and error messages. */
  readonly exchange: string
  readonly message: Request | Notification
  /** The server id in the path, or undefined on the door to all servers. */
  readonly server: string | undefined
  readonly headers: Headers
  readonly credentials: Credentials
  readonly origin: Origin
  /** An act of the door itself (opening a stream, ending a session), which no message can pretend to be. */
  readonly act?: true
  /** The client's message that this is a part of, on the door to all servers; stopped when the whole of it is answered. */
  readonly whole?: Stop
  /** What the door already found wrong with it. It is refused in the corridor, so that it is written down like everything else. */
  readonly fault?: Refusal | undefined
  /** Stopped when the sender no longer wants an answer. */
  readonly stop: Stop
}

/** What a sender proves who it is with, and at which door. Frames of one message share the object: it is one proof. */
export interface Credentials {
  readonly headers: Headers
  /** The server in the path, or undefined on the door to all servers: what a token has to be issued for. */
  readonly entrance: string | undefined
  /** The HTTP request that it came in; undefined at other doors. */
  readonly request?: {
    readonly method: string
    readonly path: string
    /** Base64url of the SHA-256 of the client's TLS certificate, where there is one. */
    certificateThumbprint(): string | undefined
  }
}

/** The way back to the sender of one frame. */
export interface Reply {
  /** Hands over a notice, a question or the final result. A question resolves to its answer, if the sender answers within the exchange. */
  deliver(parcel: Cleared): Promise<Parcel | undefined> | undefined
  refuse(refusal: Refusal): void
}

/** To a sender that expects nothing back. */
export const silent: Reply = { deliver: () => undefined, refuse: () => undefined }

export interface Routed {
  readonly call: Parcel
  /** Answers that came with the call, to questions of an earlier exchange (2026-07-28 `inputResponses`). */
  readonly answers: readonly Parcel[]
}

/** How an exchange ended. `suspended`: the server asked something, and the sender will come back with the answer. */
export type Ending = 'delivered' | 'suspended' | 'refused' | 'cancelled'

/** The audit trail of one exchange; see audit/. */
export interface Trail {
  identified(principal: Principal): void
  judged(parcel: Parcel, judgement: Judgement): void
  /** Writes the intent. Resolves when it is on disk for a call that may write; a read goes ahead at once. */
  intent(call: Parcel): Promise<void> | undefined
  /** Resolves when the intent is on disk. Awaited before anything is handed to the sender. */
  durable(): Promise<void> | undefined
  ended(ending: Ending, refusal?: Refusal): void
}

/** Notices, questions of the server, and at last the result; the judgement on a question's answer goes in. An AsyncGenerator is one. */
export interface Flow {
  next(answer?: Judgement): Promise<IteratorResult<Parcel, unknown>>
  return(value?: undefined): Promise<unknown>
}

export interface Gate extends Bench {
  record(frame: Frame): Trail
  /** Throws UNAUTHENTICATED, or IDENTITY_UNAVAILABLE. */
  identify(credentials: Credentials): Principal | Promise<Principal>
  /** From now on the frame is stopped when its sender may no longer be here. Called back when it is over. */
  enter(frame: Frame, principal: Principal): () => void
  route(frame: Frame, principal: Principal): Routed | Promise<Routed>
  forward(call: Cleared, answers: readonly Cleared[], stop: Stop): Flow
  /** Told of a failure of our own, so that its stack reaches the log and nobody else. */
  failed(error: unknown, frame: Frame): void
}

export async function exchange(frame: Frame, reply: Reply, gate: Gate): Promise<void> {
  const record = gate.record(frame)
  let leave: (() => void) | undefined
  try {
    const principal = await gate.identify(frame.credentials)
    record.identified(principal)
    leave = gate.enter(frame, principal)
    if (frame.fault) throw frame.fault
    const { call, answers } = await gate.route(frame, principal)
    const cleared = await clear(call, gate, record)
    const clearedAnswers: Cleared[] = []
    for (const answer of answers) clearedAnswers.push(await clear(answer, gate, record))
    await record.intent(cleared)

    let ending: Ending = 'delivered'
    const upstream = gate.forward(cleared, clearedAnswers, frame.stop)
    try {
      for (let step = await upstream.next(); !step.done; ) {
        const judgement = await judged(step.value, gate, record)
        await record.durable()
        const answer = await pass(step.value, judgement, reply, gate, record)
        if (step.value.body['resultType'] === 'input_required') ending = 'suspended'
        step = await upstream.next(answer)
      }
    } finally {
      await upstream.return()
    }
    record.ended(ending)
  } catch (error) {
    const refusal = within(frame.exchange, asRefusal(error))
    if (refusal.code === 'INTERNAL') gate.failed(error, frame)
    record.ended(refusal.code === 'CANCELLED' ? 'cancelled' : 'refused', refusal)
    reply.refuse(refusal)
  } finally {
    leave?.()
    for (const guard of gate.guards) guard.settled?.(frame.exchange)
  }
}

/** Hands a judged parcel to the sender. Gives the judgement on the answer, when it was a question. */
function pass(
  parcel: Parcel,
  judgement: Judgement,
  reply: Reply,
  gate: Gate,
  record: Trail,
): Promise<Judgement | undefined> | Judgement | undefined {
  if ('cleared' in judgement) return reply.deliver(judgement.cleared)?.then((answer) => answer && judged(answer, gate, record))
  if (parcel.leg === 'notice') return undefined // a refused notice is left out, and the exchange goes on
  if (parcel.leg === 'ask') return judgement // the server is told no, and may finish without an answer
  throw judgement.refused
}

/** A promise only where a guard needs one, or where what a server says holds questions. */
function judged(parcel: Parcel, gate: Gate, record: Trail): Promise<Judgement> | Judgement {
  const judgement = holdsQuestions(parcel)
    ? withAllowedQuestions(parcel, (ask) => judged(ask, gate, record)).then((rest) => judge(rest, gate))
    : judge(parcel, gate)
  if (judgement instanceof Promise) return judgement.then((late) => noted(parcel, late, record))
  return noted(parcel, judgement, record)
}

function noted(parcel: Parcel, judgement: Judgement, record: Trail): Judgement {
  record.judged(parcel, judgement)
  return judgement
}

/** What is refused before it leaves is still something that was asked, and is written down as such. */
async function clear(parcel: Parcel, gate: Gate, record: Trail): Promise<Cleared> {
  const judgement = await judged(parcel, gate, record)
  if ('cleared' in judgement) return judgement.cleared
  await record.intent(parcel)
  await record.durable()
  throw judgement.refused
}
