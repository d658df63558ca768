/**
 * The record of one exchange: what the corridor tells it on the way, as two entries. Nothing here answers or decides. On the
 * hot path: an entry is one literal with its members in alphabetical order and one JSON.stringify; a body is hashed once.
 */
import type { Clock } from '../lib/clock.ts'
import { jsonDigest } from '../lib/json-digest.ts'
import type { JsonObject } from '../lib/strict-json.ts'
import type { Ending, Frame, Trail } from '../pipeline/exchange.ts'
import type { Judgement, Opinion } from '../pipeline/judge.ts'
import { noHeaders, type Parcel, type Principal } from '../pipeline/parcel.ts'
import type { Refusal } from '../pipeline/refusal.ts'
import type { Leg } from '../protocol/methods.ts'
import type { Batch } from './batch.ts'
import * as size from './entry.ts'
import { entryVersion, type Intent, type Note, type Ongoing, type Outcome, unidentified } from './entry.ts'
import type { Log } from './log.ts'
import { notesOf } from './notes.ts'
import { excerptOf, quoted } from './redact.ts'
import type { Stamps } from './stamps.ts'
import type { Strangers } from './strangers.ts'

/** What the records of one log share. */
export interface Desk {
  readonly log: Log
  readonly clock: Clock
  readonly stamps: Stamps
  readonly strangers: Strangers
  readonly node: string | undefined
  /** 0: no excerpts. */
  readonly excerptBytesMax: number
  /** Told of every finished exchange: metrics. */
  readonly finished: ((outcome: Outcome) => void) | undefined
  /** Exchanges that have begun and not ended. */
  readonly open: Set<ExchangeRecord>
}

/**
 * With few exchanges open, a read's intent is written while the server works on it; with more, when the first of them needs
 * it, so that many reach the disk together.
 */
const calmMax = 3

interface Handed {
  readonly came: JsonObject
  /** Absent where it was refused. */
  readonly left: JsonObject | undefined
}

export class ExchangeRecord implements Trail {
  readonly #desk: Desk
  readonly #frame: Frame
  readonly #began: number
  #principal = unidentified
  #asked: JsonObject | undefined
  #call: Parcel | undefined
  #intended: { readonly batch: Batch; readonly seq: number } | undefined
  #intendedAt: number | undefined
  #answeredAt: number | undefined
  #results: Handed[] | undefined
  #heard: { readonly leg: Leg; readonly opinion: Opinion }[] | undefined
  #unheard = 0
  readonly #counts = { notice: 0, ask: 0, answer: 0 }
  #over = false

  constructor(frame: Frame, desk: Desk) {
    this.#frame = frame
    this.#desk = desk
    this.#began = desk.clock.monotonic()
    desk.open.add(this)
  }

  identified(principal: Principal): void {
    this.#principal = principal.id
  }

  judged(parcel: Parcel, judgement: Judgement): void {
    if (judgement.opinions.length > 0) this.#hear(parcel.leg, judgement.opinions)
    switch (parcel.leg) {
      case 'call':
        this.#asked ??= parcel.body
        break
      case 'result':
      case 'catalog':
        this.#results ??= []
        if (this.#results.length < size.digestsMax)
          this.#results.push({ came: parcel.body, left: 'cleared' in judgement ? judgement.cleared.body : undefined })
        this.#answeredAt = this.#desk.clock.monotonic()
        break
      default:
        this.#counts[parcel.leg]++
    }
  }

  intent(call: Parcel): Promise<void> | undefined {
    if (this.#intended !== undefined) return this.durable()
    this.#call = call
    this.#intendedAt = this.#desk.clock.monotonic()
    const reads = call.class === 'read' && this.#desk.log.failure === undefined
    const { batch } = this.#writeIntent(!reads || this.#desk.open.size <= calmMax)
    return reads ? undefined : this.#desk.log.needed(batch)
  }

  durable(): Promise<void> | undefined {
    return this.#intended && this.#desk.log.needed(this.#intended.batch)
  }

  ended(ending: Ending, refusal?: Refusal): void {
    if (this.#over) return
    this.#over = true
    this.#desk.open.delete(this)
    try {
      if (
        refusal?.code === 'UNAUTHENTICATED' &&
        this.#intended === undefined &&
        !this.#desk.strangers.admits(this.#frame.origin.remote)
      )
        return this.#desk.finished?.(this.#outcome(0, 0, ending, refusal))
      const { seq } = this.#intended ?? this.#writeIntent(false)
      this.#desk.log.append((at) => {
        const outcome = this.#outcome(at, seq, ending, refusal)
        this.#desk.finished?.(outcome)
        return JSON.stringify(outcome)
      }, false)
    } catch (error) {
      this.#desk.log.fail(`an outcome could not be written: ${error instanceof Error ? error.message : 'unknown'}`)
    }
  }

  /** Writes that it is still going on, where it has been for longer than `afterMs`. */
  remind(afterMs: number): void {
    const desk = this.#desk
    const intended = this.#intended
    const counts = this.#counts
    const tookMs = desk.clock.monotonic() - this.#began
    if (intended === undefined || tookMs < afterMs) return
    desk.log.append((seq) => {
      const entry: Ongoing = {
        asks: counts.ask || undefined,
        exchange: this.#frame.exchange,
        intent: intended.seq,
        kind: 'ongoing',
        method: quoted(this.#frame.message.method, size.methodCharsMax),
        node: desk.node,
        notices: counts.notice || undefined,
        principal: this.#principal,
        seq,
        server: this.#call?.server,
        time: desk.stamps.time(),
        tookMs: milliseconds(tookMs),
        v: entryVersion,
      }
      return JSON.stringify(entry)
    }, false)
  }

  #hear(leg: Leg, opinions: readonly Opinion[]): void {
    this.#heard ??= []
    for (const opinion of opinions) {
      if (this.#heard.length < size.notesMax) this.#heard.push({ leg, opinion })
      else this.#unheard += Math.max(opinion.findings.length, 1)
    }
  }

  #writeIntent(urgent: boolean) {
    const desk = this.#desk
    const frame = this.#frame
    const call = this.#call
    const body = call?.body ?? frame.message.params
    let taken = 0
    const batch = desk.log.append((seq) => {
      taken = seq
      const entry: Intent = {
        askedDigest:
          this.#asked === undefined || this.#asked === body || call?.leg !== 'call' ? undefined : jsonDigest(this.#asked),
        claimedClient: claim(frame.origin.client, 'name'),
        claimedVersion: claim(frame.origin.client, 'version'),
        class: call?.class,
        digest: jsonDigest(body),
        door: frame.origin.door,
        excerpt: desk.excerptBytesMax > 0 ? excerptOf(body, desk.excerptBytesMax) : undefined,
        exchange: frame.exchange,
        headersDigest: call === undefined || call.paramHeaders === noHeaders ? undefined : jsonDigest(call.paramHeaders),
        kind: 'intent',
        leg: call?.leg,
        method: quoted(call?.method ?? frame.message.method, size.methodCharsMax),
        node: desk.node,
        principal: this.#principal,
        remote: frame.origin.remote,
        seq,
        server: call?.server ?? (frame.server && quoted(frame.server, size.serverCharsMax)),
        session: desk.stamps.session(frame.origin.session),
        subject: call?.subject === undefined ? undefined : quoted(call.subject, size.subjectCharsMax),
        time: desk.stamps.time(),
        v: entryVersion,
      }
      return JSON.stringify(entry)
    }, urgent)
    this.#intended = { batch, seq: taken }
    return this.#intended
  }

  #outcome(seq: number, intent: number, ending: Ending, refusal: Refusal | undefined): Outcome {
    const desk = this.#desk
    const frame = this.#frame
    const call = this.#call
    const counts = this.#counts
    const results = this.#results
    const now = desk.clock.monotonic()
    const notes = this.#notes(refusal)
    const detail = refusal?.facts['cause'] ?? refusal?.facts['detail']
    return {
      answers: counts.answer || undefined,
      asks: counts.ask || undefined,
      claimedClient: claim(frame.origin.client, 'name'),
      claimedVersion: claim(frame.origin.client, 'version'),
      class: call?.class,
      code: refusal?.code,
      deliveredDigests: results?.some(isChanged) ? results.map(({ came, left }) => jsonDigest(left ?? came)) : undefined,
      detail: detail === undefined ? undefined : quoted(String(detail), size.detailCharsMax),
      door: frame.origin.door,
      ending,
      excerpt:
        desk.excerptBytesMax > 0 && results !== undefined ? excerptOf(results.at(-1)?.came, desk.excerptBytesMax) : undefined,
      exchange: frame.exchange,
      findings: notes.length > 0 ? notes.slice(0, size.notesMax) : undefined,
      findingsOmitted: this.#unheard + Math.max(notes.length - size.notesMax, 0) || undefined,
      intent,
      judgingMs: this.#intendedAt === undefined ? undefined : milliseconds(this.#intendedAt - this.#began),
      kind: 'outcome',
      leg: call?.leg,
      method: quoted(call?.method ?? frame.message.method, size.methodCharsMax),
      node: desk.node,
      notices: counts.notice || undefined,
      principal: this.#principal,
      remote: frame.origin.remote,
      resultDigests: results?.map(({ came }) => jsonDigest(came)),
      seq,
      server: call?.server ?? (frame.server && quoted(frame.server, size.serverCharsMax)),
      session: desk.stamps.session(frame.origin.session),
      subject: call?.subject === undefined ? undefined : quoted(call.subject, size.subjectCharsMax),
      time: desk.stamps.time(),
      tookMs: milliseconds(now - this.#began),
      upstreamMs:
        this.#answeredAt === undefined || this.#intendedAt === undefined
          ? undefined
          : milliseconds(this.#answeredAt - this.#intendedAt),
      v: entryVersion,
    }
  }

  #notes(refusal: Refusal | undefined): readonly Note[] {
    if (this.#heard === undefined && (refusal === undefined || refusal.findings.length === 0)) return []
    return notesOf(this.#heard ?? [], refusal)
  }
}

const isChanged = ({ came, left }: Handed): boolean => left !== undefined && left !== came
/** To a hundredth. */
const milliseconds = (span: number): number => Math.round(span * 100) / 100

function claim(client: JsonObject | undefined, key: string): string | undefined {
  const value = client?.[key]
  return typeof value === 'string' ? quoted(value, size.claimCharsMax) : undefined
}
