/**
 * What one line of the log says. An exchange leaves two: the intent before anything happens, the outcome after it. An
 * operator's action leaves one. A line is canonical JSON (RFC 8785), written once, hashed as written, never changed.
 *
 * Rules of changing it: a member is added, never renamed or given another meaning; a change that an old reader would
 * misread raises `entryVersion`. Members stand in alphabetical order in the object literals that make them, because then
 * JSON.stringify already writes the canonical form (record.test.ts compares). Never a secret, a token or a header.
 */

import type { Ending } from '../pipeline/exchange.ts'
import type { Finding, Mode, Verdict } from '../pipeline/guard.ts'
import type { Origin } from '../pipeline/parcel.ts'
import type { Class, Leg } from '../protocol/methods.ts'
import type { RefusalCode } from '../protocol/refusal-texts.ts'

export const entryVersion = 1

/** In every entry. */
interface Common {
  /** The entry's place in the log, from 1, without gaps. */
  readonly seq: number
  /** When it was written, ISO 8601 in UTC with milliseconds. */
  readonly time: string
  readonly v: typeof entryVersion
  /** Which node wrote it, where nodes have names. */
  readonly node?: string | undefined
}

/** Who, from where, to what: in the intent and again in the outcome, so that each can be read alone. */
export interface Label {
  readonly exchange: string
  /** The verified principal's id, or `unidentified` where the exchange ended before anyone was identified. */
  readonly principal: string
  readonly door: Origin['door']
  readonly remote?: string | undefined
  /** What the client says of itself. Nobody has verified it. */
  readonly claimedClient?: string | undefined
  readonly claimedVersion?: string | undefined
  /** The first 8 hex digits of the SHA-256 of the session id: enough to follow a session, useless to enter it. */
  readonly session?: string | undefined
  /** Absent where the exchange ended before it was routed, and none was named in the address. */
  readonly server?: string | undefined
  readonly method: string
  /** The leg of the parcel that the intent is about; absent, like subject and class, where nothing was routed. */
  readonly leg?: Leg | undefined
  readonly subject?: string | undefined
  readonly class?: Class | undefined
}

export interface Intent extends Common, Label {
  readonly kind: 'intent'
  /** SHA-256, hex, of the canonical JSON of the body that is sent (of the body as it came, where it was refused). */
  readonly digest: string
  /** The same of the body as it came, where a guard changed it. */
  readonly askedDigest?: string | undefined
  /** The same of the `Mcp-Param-*` headers as they came, names in lower case, where there were any. */
  readonly headersDigest?: string | undefined
  /** The beginning of the canonical body with secrets taken out; only where the configuration asks for it. */
  readonly excerpt?: string | undefined
}

/** A finding, and which guard said it of which leg. `rule` and what follows are absent for a verdict without findings. */
export interface Note extends Partial<Finding> {
  readonly guard: string
  readonly kind: Verdict['kind']
  readonly leg?: Leg | undefined
  /** `monitor`: noticed, recorded, not applied. */
  readonly mode: Mode
}

export interface Outcome extends Common, Label {
  readonly kind: 'outcome'
  /** `seq` of the intent. */
  readonly intent: number
  readonly ending: Ending
  /** The code of our own no; see protocol/refusal-texts.ts. */
  readonly code?: RefusalCode | undefined
  /** What the refusal was about, or what caused it, in its own words, cut and redacted. */
  readonly detail?: string | undefined
  readonly findings?: readonly Note[] | undefined
  /** Findings beyond `notesMax` are counted, not kept. */
  readonly findingsOmitted?: number | undefined
  /** Digests of the results as they came from the upstream. */
  readonly resultDigests?: readonly string[] | undefined
  /** Digests of the results as they were handed on, where a guard changed one. */
  readonly deliveredDigests?: readonly string[] | undefined
  readonly excerpt?: string | undefined
  readonly notices?: number | undefined
  readonly asks?: number | undefined
  readonly answers?: number | undefined
  /** From the door to the end. */
  readonly tookMs: number
  /** From the door to the intent. */
  readonly judgingMs?: number | undefined
  /** From the intent to the last result. */
  readonly upstreamMs?: number | undefined
}

/** A long exchange is still going on: one a minute, so that a stream that never ends is not silent in the log. */
export interface Ongoing extends Common {
  readonly kind: 'ongoing'
  readonly exchange: string
  /** `seq` of the intent. */
  readonly intent: number
  readonly principal: string
  readonly server?: string | undefined
  readonly method: string
  readonly notices?: number | undefined
  readonly asks?: number | undefined
  /** From the door until now. */
  readonly tookMs: number
}

/** Something that happened and is not a message: a server disabled, a key revoked, strangers counted. */
export interface OperatorEntry extends Common {
  readonly kind: 'operator'
  /** A stable word: `server.disabled`. */
  readonly action: string
  readonly principal: string
  readonly server?: string | undefined
  readonly subject?: string | undefined
  readonly detail?: string | undefined
}

export type Entry = Intent | Ongoing | Outcome | OperatorEntry

/** What an operation hands in; the log adds the rest. */
export type OperatorEvent = Omit<OperatorEntry, keyof Common | 'kind'>

export const unidentified = 'unidentified'

/** Strangers choose these texts, so each has a length. */
export const methodCharsMax = 128
export const serverCharsMax = 64
export const subjectCharsMax = 256
export const claimCharsMax = 80
export const detailCharsMax = 256
export const evidenceCharsMax = 512
export const notesMax = 64
export const digestsMax = 8

/** Reads a line of the log back. The text is trusted as far as verify() vouches for it, and no further. */
export const readEntry = (text: string): Entry => JSON.parse(text) as Entry
