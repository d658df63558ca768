/**
 * Is the server still what was approved? Every definition that passes is compared with what was decided about it, and every
 * call is held against what this caller was told last. What is not known yet is looked at once: the first whole list of a
 * server by `firstUse`, what comes later by `additions`, and a change only when a person has approved it, or it is cosmetic.
 */
import { canonicalJson } from '../lib/canonical-json.ts'
import type { Clock } from '../lib/clock.ts'
import type { JsonObject } from '../lib/strict-json.ts'
import type { Parcel } from '../pipeline/parcel.ts'
import { type ApprovalsByServer, type Refused, signedReason, standingAt, unsignedReason } from './approvals/approvals.ts'
import { changedSince } from './changed-lists.ts'
import { type Definition, type DefinitionKind, type ListedKind, lists, pinned } from './definition.ts'
import { changesBetween, worstOf } from './diff.ts'
import { type Decided, freshPins, gravestOf } from './fresh.ts'
import { gatewayDecides, type Kept, manifestDecides, type Pin, type PinId, type PinStore, type Seal } from './pin.ts'
import { PinBook } from './pin-book.ts'
import type { Neighbour, ScanContext } from './scan/finding.ts'
import type { PinsConfig } from './schema.ts'
import { Sightings, type Told } from './sightings.ts'

export interface TrustOptions {
  readonly store: PinStore
  readonly seal: Seal
  readonly clock: Clock
  config(): PinsConfig
  /** Where a server stands, or how it is started: what its pins are about. */
  identityOf(server: string): string
  /** A whole list, all its pages, as this caller is answered. Rejects with a Refusal. */
  read(call: Parcel, kind: ListedKind): Promise<readonly JsonObject[]>
  /** Told what somebody without our key has done to the store. What it concerns counts as held. */
  forged(what: string): void
  /** Told of a list that is another one now for whoever reads it, because of a decision. */
  changed(server: string, kind: ListedKind): void
  /** What is signed, to begin with; see {@link Trust.obey}. */
  readonly approvals: ApprovalsByServer
  /** Told of a manifest whose end has come. */
  expired(server: string, manifest: Refused): void
}

/** Why a definition, or a server, does not stand. */
export interface Fallen {
  readonly stands: false
  readonly why: 'new' | 'changed' | 'revoked' | 'absent' | 'server'
  readonly says: string
}
/** How a definition, or a server, stands for one caller. */
export type Verdict = { readonly stands: true } | Fallen
/** What is kept back, by name. */
export type Held = ReadonlyMap<string, Fallen>

const nothingHeld: Held = new Map()
const stands: Verdict = Object.freeze({ stands: true })
const pagesMax = 1000

export class Trust {
  readonly #options: TrustOptions
  readonly #sightings: Sightings
  readonly #reading = new Map<string, Promise<void>>()
  /** Pages in which everything is approved, by server, kind and page; until the next decision. */
  readonly #passed = new Map<string, Told>()
  readonly #strangers = new Map<string, string>()
  #approvals: ApprovalsByServer
  #kept: Kept
  #book: PinBook
  /** Our own writes, one after the other. */
  #writing: Promise<unknown> = Promise.resolve()

  private constructor(options: TrustOptions, kept: Kept) {
    this.#options = options
    this.#approvals = options.approvals
    this.#kept = kept
    this.#book = new PinBook(kept, options.seal, this.#approvals)
    this.#sightings = new Sightings(options.clock)
  }

  static async open(options: TrustOptions): Promise<Trust> {
    const trust = new Trust(options, await options.store.keptPins())
    if (trust.#book.tampered !== undefined) options.forged(trust.#book.tampered)
    return trust
  }

  /** As it stands now. */
  get book(): PinBook {
    this.#expireWhatIsDue()
    return this.#book
  }

  /** From now on these manifests count, and no others. */
  obey(approvals: ApprovalsByServer): void {
    this.#approvals = approvals
    this.#take(this.#kept)
  }

  #expireWhatIsDue(): void {
    const { expiresAt } = this.#book
    if (expiresAt === Number.POSITIVE_INFINITY || expiresAt > this.#options.clock.now()) return
    const before = this.#approvals
    this.obey(standingAt(before, this.#options.clock.now()))
    for (const [server, one] of this.#approvals)
      if (one.outcome === 'refused' && before.get(server)?.outcome === 'verified') this.#options.expired(server, one)
  }

  /** Looks whether somebody has decided something; to be called when the store has changed. */
  async review(): Promise<void> {
    if ((await this.#options.store.pinsRevision()) !== this.#kept.revision) this.#take(await this.#options.store.keptPins())
  }

  #take(kept: Kept): void {
    const before = this.#book
    this.#kept = kept
    this.#book = new PinBook(kept, this.#options.seal, this.#approvals, before)
    this.#passed.clear()
    const { tampered } = this.#book
    if (tampered !== undefined && tampered !== before.tampered) this.#options.forged(tampered)
    for (const { server, kind } of changedSince(before, this.#book)) this.#options.changed(server, kind)
  }

  /** The server under this id is the one whose definitions were approved. */
  serverStands(server: string): Verdict {
    const known = this.book.identityOf(server)
    const now = this.#options.identityOf(server)
    if (known === undefined || known === now) return stands
    if (this.book.strangerOf(server) !== now) void this.#noteStranger(server, now)
    return { stands: false, why: 'server', says: `what was approved under the id "${server}" was ${known}, and now it is ${now}` }
  }

  /** So that whoever decides can say yes to it. */
  async #noteStranger(server: string, now: string): Promise<void> {
    if (this.#strangers.get(server) === now) return
    this.#strangers.set(server, now)
    await this.#options.store.noteStranger(server, now).catch(() => this.#strangers.delete(server))
  }

  /** Whether a call may be held against what is known now, or the list has to be read first. */
  mustRead(call: Parcel, kind: ListedKind, name: string): boolean {
    const { server, principal } = call
    if (!this.book.isListed(server, kind)) return true
    const recheckMs = this.#options.config().recheckSeconds * 1000
    return this.#sightings.of(server, principal.holder, kind, name, recheckMs) === undefined
  }

  /** Reads a whole list and takes note of it: once for all who ask at the same time. */
  read(call: Parcel, kind: ListedKind): Promise<void> {
    const key = `${call.server} ${kind} ${call.principal.holder}`
    let reading = this.#reading.get(key)
    if (reading === undefined) {
      reading = this.#read(call, kind).finally(() => this.#reading.delete(key))
      this.#reading.set(key, reading)
    }
    return reading
  }

  async #read(call: Parcel, kind: ListedKind): Promise<void> {
    const { server, principal } = call
    const began = this.#options.clock.monotonic()
    const bodies = await this.#options.read(call, kind)
    const { key } = lists[kind]
    const definitions = bodies.flatMap((body) => (typeof body[key] === 'string' ? [{ kind, name: body[key], body }] : []))
    const isFirst = !this.book.isListed(server, kind)
    await this.#see(server, definitions, isFirst ? { server, kind } : undefined)
    this.#sightings.read(server, principal.holder, kind, this.#toldBy(server, definitions), began)
  }

  /** By name, which version of it. Of two with one name, the one that does not stand is what counts. */
  #toldBy(server: string, definitions: readonly Definition[]): Told {
    const told = new Map<string, string>()
    for (const definition of definitions) {
      const { digest, isApproved } = this.book.find(server, definition)
      if (!isApproved || !told.has(definition.name)) told.set(definition.name, digest)
    }
    return told
  }

  /**
   * One page of a list on its way to a caller: by name, what does not stand. `page` tells it from others; one that passed as it
   * is since the last decision passes again without a look at what is in it.
   */
  judgePage(
    server: string,
    holder: string,
    kind: ListedKind,
    page: string,
    definitions: () => readonly Definition[],
  ): Held | Promise<Held> {
    const key = `${server} ${kind} ${page}`
    this.#expireWhatIsDue()
    const known = this.#passed.get(key)
    if (known !== undefined) {
      this.#sightings.saw(server, holder, kind, page, known)
      return nothingHeld
    }
    const found = definitions()
    const told = this.#toldBy(server, found)
    const unknown = found.filter((one) => !this.#isKnown(server, one))
    const judged = (): Held => {
      this.#sightings.saw(server, holder, kind, page, told)
      const held = new Map<string, Fallen>()
      for (const [name, digest] of told) {
        const standing = this.standing(server, kind, name, digest)
        if (!standing.stands) held.set(name, standing)
      }
      if (held.size === 0 && this.#passed.size < pagesMax) this.#passed.set(key, told)
      return held
    }
    return unknown.length === 0 ? judged() : this.#see(server, unknown).then(judged)
  }

  #isKnown(server: string, definition: Definition): boolean {
    const { digest, isApproved } = this.book.find(server, definition)
    return isApproved || this.book.standingOf(server, definition.kind, definition.name, digest) !== undefined
  }

  /** What a server says of itself in its first answer. */
  async judgeIntroduction(server: string, said: readonly Definition[]): Promise<Held> {
    await this.#see(server, said)
    const held = new Map<string, Fallen>()
    for (const definition of said) {
      const { kind, name } = definition
      const standing = this.standing(server, kind, name, this.book.find(server, definition).digest)
      if (!standing.stands) held.set(kind, standing)
    }
    return held
  }

  /** The server has no such list: whatever is on one later, is an addition. */
  hasNone(server: string, kind: ListedKind): Promise<void> {
    return this.#book.isListed(server, kind) ? Promise.resolve() : this.#see(server, [], { server, kind })
  }

  /** What this caller was told of a name. To be asked when {@link mustRead} says no. */
  told(call: Parcel, kind: ListedKind, name: string): Verdict {
    const { server, principal } = call
    const digest = this.#sightings.of(server, principal.holder, kind, name, Number.POSITIVE_INFINITY)
    if (digest === undefined || digest === 'absent') return { stands: false, why: 'absent', says: 'the server does not list it' }
    return this.standing(server, kind, name, digest)
  }

  /** What may be read without being listed: it stands as long as nobody has decided against every version of it that is known. */
  ofUri(server: string, uri: string): Verdict {
    for (const kind of ['resource', 'template', 'skill'] as const) {
      const versions = this.book.versionsOf(server, kind, uri)
      const last = versions.at(-1)
      if (last !== undefined && !versions.some((one) => one.standing === 'approved'))
        return this.standing(server, kind, uri, last.digest)
    }
    return stands
  }

  standing(server: string, kind: DefinitionKind, name: string, digest: string): Verdict {
    const standing = this.book.standingOf(server, kind, name, digest)
    if (standing === 'approved') return stands
    if (standing === 'revoked' || standing === 'rejected')
      return { stands: false, why: 'revoked', says: standing === 'revoked' ? 'its approval was taken back' : 'it was rejected' }
    const versions = this.book.versionsOf(server, kind, name)
    const approved = versions.findLast((one) => one.standing === 'approved')
    const now = versions.find((one) => one.digest === digest)
    if (approved === undefined || now === undefined) return { stands: false, why: 'new', says: whyNew(now) }
    const [worst] = changesBetween(JSON.parse(approved.text) as JsonObject, JSON.parse(now.text) as JsonObject)
    return { stands: false, why: 'changed', says: worst?.says ?? 'it is not what was approved' }
  }

  /** A server has announced that a list is another one now. */
  changed(server: string, kind: ListedKind): void {
    this.#sightings.changed(server, kind)
  }

  /** Takes note of definitions, and decides what the configuration can decide. What is known already is left as it is. */
  #see(
    server: string,
    definitions: readonly Definition[],
    list?: { readonly server: string; readonly kind: ListedKind },
  ): Promise<void> {
    const seen = this.#writing.then(async () => {
      const { store, seal, identityOf, clock } = this.#options
      const fresh = this.#fresh(server, definitions, list !== undefined && !this.#book.isDenied(server, list.kind))
      if (fresh.length === 0 && list === undefined) return
      if (this.book.identityOf(server) === undefined) {
        const identity = { server, identity: identityOf(server) }
        await store.setPinnedServer(identity, { by: gatewayDecides, at: clock.now(), reason: 'first use' }, seal)
      }
      await store.seePins(fresh, seal, list)
      this.#take(await store.keptPins())
    })
    this.#writing = seen.catch(() => undefined)
    return seen
  }

  #fresh(server: string, definitions: readonly Definition[], isFirst: boolean): readonly Pin[] {
    const { clock } = this.#options
    const book = this.book
    let others: readonly Neighbour[] | undefined
    const seen = { server, book, by: gatewayDecides, at: clock.now() }
    return freshPins(seen, definitions, (definition, versions, id) => {
      others ??= book.neighboursOf(server)
      const context = { server, others }
      return this.#signedDecision(id, definition, others) ?? this.#firstDecision(context, definition, versions, isFirst)
    })
  }

  /** Where a manifest is named, it decides alone. What the scan says against something that was signed is written down beside it. */
  #signedDecision(id: PinId, definition: Definition, others: readonly Neighbour[]): Decided | undefined {
    const approvals = this.book.approvalsOf(id.server)
    if (approvals === undefined) return undefined
    const grave = gravestOf(definition, { server: id.server, others })
    if (approvals.outcome === 'refused' || !approvals.approves(id))
      return { standing: 'held', reason: grave ?? unsignedReason(approvals) }
    const reason = signedReason(approvals)
    return { standing: 'approved', by: manifestDecides, reason: grave === undefined ? reason : `${reason}; ${grave}` }
  }

  /** It has said before what it is, and had no instructions then. */
  #isIntroduced = (server: string): boolean => this.book.versionsOf(server, 'capabilities', '').length > 0

  /** What the configuration says of something nobody has decided about. */
  #firstDecision(context: ScanContext, definition: Definition, versions: readonly Pin[], isFirst: boolean): Decided {
    const { firstUse, additions, cosmetic } = this.#options.config()
    const grave = gravestOf(definition, context)
    if (grave !== undefined) return { standing: 'held', reason: grave }
    const approved = versions.findLast((one) => one.standing === 'approved')
    if (approved !== undefined) {
      const changes = changesBetween(
        JSON.parse(approved.text) as JsonObject,
        JSON.parse(canonicalJson(pinned(definition))) as JsonObject,
      )
      const isCosmetic = worstOf(changes) === 'cosmetic' && cosmetic === 'approve'
      return isCosmetic ? { standing: 'approved', reason: 'a cosmetic change' } : { standing: 'held', reason: 'changed' }
    }
    if (versions.length > 0) return { standing: 'held', reason: 'changed' }
    const isAddition =
      definition.kind === 'instructions' || definition.kind === 'about'
        ? this.#isIntroduced(context.server)
        : !isFirst && isLasting(definition)
    const choice = isAddition ? additions : firstUse
    return { standing: choice === 'approve' ? 'approved' : 'held', reason: isAddition ? 'added later' : 'first use' }
  }
}

/** Resources come and go with the data; and what a server can do brings nothing that is not pinned itself. */
const isLasting = ({ kind }: Definition): boolean =>
  kind === 'tool' || kind === 'prompt' || kind === 'template' || kind === 'skill'

/** What the scan found, where that is why it is held. */
const whyNew = (pin: Pin | undefined): string =>
  pin === undefined || reasons.has(pin.reason)
    ? 'nobody has approved it yet'
    : pin.reason.replace(/^[\w/-]+: /, '').replace(/\.$/, '')
const reasons: ReadonlySet<string> = new Set(['first use', 'added later', 'changed'])
