/**
 * What has been decided about every definition, as an immutable view that is asked in the middle of a call. A pin that was
 * not sealed with our key was not decided by us: it counts as held, whatever it says.
 */
import { timingSafeEqual } from 'node:crypto'
import { type JsonObject, parseStrict } from '../lib/strict-json.ts'
import { type Definition, type DefinitionKind, digestOf, isSameJson, pinned } from './definition.ts'
import { type Pin, type Seal, type SealedIdentity, type SealedPin, type Standing, sealTextOf, sealTextOfServer } from './pin.ts'

export interface Kept {
  readonly pins: readonly SealedPin[]
  readonly lists: readonly { readonly server: string; readonly kind: DefinitionKind }[]
  readonly servers: readonly SealedIdentity[]
}

/** The versions of one name. */
interface Versions {
  readonly byDigest: ReadonlyMap<string, Pin>
  /** What is approved, to be compared without a digest. */
  readonly approved: readonly { readonly digest: string; readonly body: JsonObject }[]
}

const keyOf = (kind: DefinitionKind, name: string): string => `${kind} ${name}`

export class PinBook {
  readonly #servers = new Map<string, Map<string, Versions>>()
  readonly #lists: ReadonlySet<string>
  readonly #identities = new Map<string, string>()
  /** Rows that were not sealed with our key: somebody has written into the store. */
  readonly forged: readonly Pin[]

  constructor({ pins, lists, servers }: Kept, seal: Seal) {
    this.#lists = new Set(lists.map(({ server, kind }) => `${server} ${kind}`))
    for (const { server, identity, seal: kept } of servers)
      if (isSealed(seal, sealTextOfServer({ server, identity }), kept)) this.#identities.set(server, identity)
    const forged: Pin[] = []
    for (const { seal: kept, ...pin } of pins) {
      const isOurs = isSealed(seal, sealTextOf(pin), kept)
      if (!isOurs) forged.push(pin)
      this.#add(isOurs ? pin : { ...pin, standing: 'held' })
    }
    this.forged = forged
  }

  #add(pin: Pin): void {
    const names = this.#servers.get(pin.server) ?? new Map<string, Versions>()
    this.#servers.set(pin.server, names)
    const key = keyOf(pin.kind, pin.name)
    const { byDigest, approved } = names.get(key) ?? { byDigest: new Map(), approved: [] }
    const body = pin.standing === 'approved' ? [{ digest: pin.digest, body: parseStrict(pin.text) as JsonObject }] : []
    names.set(key, { byDigest: new Map([...byDigest, [pin.digest, pin]]), approved: [...approved, ...body] })
  }

  /** The list of this kind has been read whole once. */
  isListed = (server: string, kind: DefinitionKind): boolean => this.#lists.has(`${server} ${kind}`)

  /** Where the server stood, or how it was started, when it was taken for what it is; undefined for a new one. */
  identityOf = (server: string): string | undefined => this.#identities.get(server)

  standingOf(server: string, kind: DefinitionKind, name: string, digest: string): Standing | undefined {
    return this.#servers.get(server)?.get(keyOf(kind, name))?.byDigest.get(digest)?.standing
  }

  /** The digest of a definition. The usual one is known, and found by comparison with what is approved. */
  digestOf(server: string, definition: Definition): string {
    const versions = this.#servers.get(server)?.get(keyOf(definition.kind, definition.name))
    const body = definition.kind === 'resource' ? pinned(definition) : definition.body
    return versions?.approved.find((one) => isSameJson(one.body, body))?.digest ?? digestOf(definition)
  }

  /** Every version of a name, the oldest first. */
  versionsOf(server: string, kind: DefinitionKind, name: string): readonly Pin[] {
    return [...(this.#servers.get(server)?.get(keyOf(kind, name))?.byDigest.values() ?? [])]
  }

  /** Every name that something is known of. */
  pinsOf(server: string): readonly Pin[] {
    return [...(this.#servers.get(server)?.values() ?? [])].flatMap(({ byDigest }) => [...byDigest.values()])
  }
}

function isSealed(seal: Seal, text: string, kept: string): boolean {
  const [wanted, given] = [Buffer.from(seal(text)), Buffer.from(kept)]
  return wanted.length === given.length && timingSafeEqual(wanted, given)
}
