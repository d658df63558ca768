/**
 * What passes through the house: one message, addressed and labelled. Frozen; a verdict can only lead to a new one
 * with another body. Nothing about a parcel has been verified by its mere existence: that is what judge() is for.
 */
import type { Stop } from '../lib/stop.ts'
import type { JsonObject } from '../lib/strict-json.ts'
import type { Outcome } from '../protocol/json-rpc.ts'
import { type Class, type Concern, type Leg, type Method, nameFrom } from '../protocol/methods.ts'
import type { Era } from '../protocol/revisions/index.ts'

/** What a verified token says of its bearer. Names and addresses are not in it: they change hands. */
export interface Claims {
  /** The OAuth client that acts for the user; undefined where the issuer does not say. */
  readonly client: string | undefined
  readonly tenant: string | undefined
  readonly groups: readonly string[]
  readonly roles: readonly string[]
  readonly scopes: readonly string[]
  /** Authentication contexts that were satisfied: `acr`, and Entra's `acrs`. */
  readonly contexts: readonly string[]
  /** When the person last proved who they are, in seconds since the epoch. */
  readonly authenticatedAt: number | undefined
  /** The client can answer a claims challenge (Entra `xms_cc` with `cp1`). */
  readonly answersChallenges: boolean
  /** `jti`, or Entra's `uti`, by which one token can be revoked. */
  readonly tokenId: string | undefined
  /** In seconds since the epoch; at the earliest, and 0 where it is not known. */
  readonly issuedAt: number
  readonly expiresAt: number
}

/**
 * Who is asking, as verified by identity/. `id` is unique across kinds and safe to store: `anonymous`, `key:ci`,
 * `user:<tenant or issuer>.<subject>`. Rules, limits and records go by it.
 */
export interface Principal {
  readonly kind: 'anonymous' | 'api-key' | 'user' | 'application'
  readonly id: string
  /** Whose state it is: the user together with the client that acts for them (SES-C3). Sessions, tasks and sealed states go by it. */
  readonly holder: string
  /** Of users and applications. */
  readonly claims?: Claims
}

/** A principal that is its own client. */
export const plainPrincipal = (kind: 'anonymous' | 'api-key', id: string): Principal => Object.freeze({ kind, id, holder: id })

/** Where a message came from. `client` and `capabilities` are the sender's own words: for display and relaying, never for a decision. */
export interface Origin {
  readonly door: 'http' | 'stdio' | 'library'
  readonly era: Era
  readonly version: string
  readonly client: JsonObject | undefined
  readonly capabilities: JsonObject
  /** The legacy session, or undefined for a modern request. */
  readonly session: string | undefined
  /** What the sender wants to hear of the server's log; undefined for nothing asked. */
  readonly logLevel: string | undefined
  readonly remote: string | undefined
}

export interface Parcel {
  /** The exchange it belongs to; the same word stands in the audit record and in error messages. */
  readonly exchange: string
  /** The same for every part of one client message on the door to all servers; stopped when the whole of it is answered. */
  readonly whole?: Stop | undefined
  readonly leg: Leg
  readonly sender: 'client' | 'server'
  readonly principal: Principal
  readonly origin: Origin
  readonly server: string
  readonly method: string
  readonly concerns: Concern
  readonly subject: string | undefined
  readonly class: Class
  /** Which member of the JSON-RPC message the body is. */
  readonly member: 'params' | Outcome
  readonly body: JsonObject
  /** What a question is called among the questions of one result, and its answer with it. */
  readonly question: string | undefined
  /** Catalogs: where the entries are and what they are called. */
  readonly list: Method['list']
  /** `Mcp-Param-*` headers as they came with the call: those that no schema declares are relayed, and therefore all are judged. */
  readonly paramHeaders: Readonly<Record<string, string>>
}

export function sealed(parcel: Parcel): Parcel {
  return Object.freeze(parcel)
}

/** A parcel of the same exchange on another leg. */
export function alongside(call: Parcel, changes: Partial<Parcel> & Pick<Parcel, 'leg' | 'body'>): Parcel {
  const sender = changes.leg === 'answer' ? 'client' : 'server'
  return sealed({ ...call, sender, list: undefined, question: undefined, paramHeaders: noHeaders, ...changes })
}
export const noHeaders: Readonly<Record<string, string>> = Object.freeze({})

/** The entries of a catalog's list; none for a catalog that is not a list (`initialize`, `server/discover`). */
export function entriesOf(parcel: Parcel): readonly JsonObject[] {
  const entries = parcel.list === undefined ? undefined : parcel.body[parcel.list.items]
  return Array.isArray(entries) ? (entries as readonly JsonObject[]) : []
}

/** How an entry of this catalog is called, or undefined when it has no name that could be decided on. */
export const entryName = (parcel: Parcel, entry: JsonObject): string | undefined =>
  parcel.list === undefined ? undefined : nameFrom(entry?.[parcel.list.key])
