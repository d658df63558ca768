/**
 * `requestState` (2026-07-28, Multi Round-Trip Requests) as our clients see it: always ours, sealed (AEAD) over who asked,
 * which server, which method and which arguments, with an expiry. What the server gave is inside, never edited, never seen.
 */
import { createHash } from 'node:crypto'
import { canonicalJson } from '../lib/canonical-json.ts'
import type { Clock } from '../lib/clock.ts'
import type { Parcel } from '../pipeline/parcel.ts'
import { Refusal } from '../pipeline/refusal.ts'

export interface Seal {
  seal(purpose: string, plaintext: string, associatedData: string): string
  /** Undefined when the text was not sealed with the same purpose and associated data. */
  open(purpose: string, sealed: string, associatedData: string): string | undefined
}

/** What is held for the client: the server's own state, or a call of ours that waits for an answer. */
export interface State {
  readonly upstream?: string | undefined
  readonly hold?: string | undefined
}

const purpose = 'request-state'
const lifetimeMs = 10 * 60_000

export class RequestStates {
  readonly #seal: Seal
  readonly #clock: Clock
  constructor(seal: Seal, clock: Clock) {
    this.#seal = seal
    this.#clock = clock
  }

  issue(call: Parcel, state: State): string {
    return this.#seal.seal(purpose, JSON.stringify({ ...state, until: this.#clock.now() + lifetimeMs }), boundTo(call))
  }

  /** The state a call came with; an empty one for a call without. Throws STATE_REFUSED for anything we did not issue to it. */
  redeem(call: Parcel): State {
    const sealed = call.body['requestState']
    if (sealed === undefined || call.origin.era === 'legacy') return {}
    const opened = typeof sealed === 'string' ? this.#seal.open(purpose, sealed, boundTo(call)) : undefined
    if (opened === undefined) throw new Refusal('STATE_REFUSED') // forged, altered, or given to somebody else
    const { until, ...state } = JSON.parse(opened) as State & { until: number }
    if (until <= this.#clock.now()) throw new Refusal('STATE_REFUSED')
    return state
  }
}

function boundTo(call: Parcel): string {
  const { _meta, requestState, inputResponses, ...salient } = call.body
  const digest = createHash('sha256').update(canonicalJson(salient)).digest('base64url')
  return [call.principal.holder, call.server, call.method, digest].map(encodeURIComponent).join('&')
}
