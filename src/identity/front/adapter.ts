/** The storage of oidc-provider (its Adapter interface), on our sealed records. */
import { type Adapter, type AdapterPayload, errors } from 'oidc-provider'
import type { Clock } from '../../lib/clock.ts'
import type { JsonObject } from '../../lib/strict-json.ts'
import type { Records } from './records.ts'
import type { Waiting } from './waiting.ts'

/**
 * A client that asks twice at once, or did not hear the answer, presents a refresh token again at once. For so long that is
 * no theft: it is answered with another token instead of losing everybody's (RFC 9700, 4.14.2, leaves this to us). Of these
 * siblings one goes on: when the first of them is rotated the others are used up, so that of two who share a token by theft
 * one is found out at the next turn.
 */
const graceS = 10
const siblingsMax = 3
const foreverS = 315_360_000

export interface AdapterOptions {
  readonly records: Records
  readonly clock: Clock
  readonly unusedDays: number
  /** Told of requests for access that begin to wait for a person. */
  readonly waiting: Waiting
  /** A client that has shown all that it has to is about to be kept. False where there were too many. */
  mayRegister(): boolean
  /** A grant is over: what was issued under it and is kept by others has to go too. */
  ended(grantId: string): Promise<void>
}

export function adapterOf({
  records,
  clock,
  unusedDays,
  waiting,
  mayRegister,
  ended,
}: AdapterOptions): (model: string) => Adapter {
  async function over(grantId: string): Promise<void> {
    await records.deleteGroup(`grant ${grantId}`)
    await ended(grantId)
  }
  /** The refresh token that was rotated last under a grant, where the given one is not of a later generation. */
  async function rotatedLast(found: AdapterPayload): Promise<Rotated | undefined> {
    const last = (await records.get('rotated', String(found.grantId))) as unknown as Rotated | undefined
    return last !== undefined && generationOf(found) <= last.generation ? last : undefined
  }
  // Between looking and writing nobody else may look: of two siblings that come at once, one is the second.
  let turn: Promise<unknown> = Promise.resolve()
  function inTurn(work: () => Promise<void>): Promise<void> {
    const mine = turn.then(work)
    turn = mine.catch(() => undefined)
    return mine
  }
  return (model) => {
    const kind = `op/${model}`
    const nowS = (): number => Math.floor(clock.now() / 1000)
    async function find(id: string): Promise<AdapterPayload | undefined> {
      const found = (await records.get(kind, id)) as AdapterPayload | undefined
      if (model !== 'RefreshToken' || found === undefined) return found
      const last = await rotatedLast(found)
      if (last === undefined) return found
      const { consumed, ...fresh } = found
      if (last.id !== id) return { ...found, consumed: consumed ?? nowS() }
      return typeof consumed === 'number' && nowS() - consumed <= graceS ? fresh : found
    }
    /** Throws invalid_grant where a sibling was quicker, which ends the grant, and where there are too many siblings already. */
    async function rotate(id: string, found: AdapterPayload, lifetimeS: number): Promise<void> {
      const last = await rotatedLast(found)
      if (last !== undefined && last.id !== id) {
        await over(String(found.grantId))
        throw new errors.InvalidGrant('another refresh token of its generation was used')
      }
      const siblings = (last?.siblings ?? 0) + 1
      if (siblings > siblingsMax) throw new errors.InvalidGrant('it was used too often at once')
      const { grantId } = found
      const rotated = { id, generation: generationOf(found), siblings }
      await records.put('rotated', String(grantId), rotated, lifetimeS, `grant ${grantId}`)
    }
    return {
      find,
      async upsert(id, payload, expiresIn) {
        const { grantId, uid } = payload
        if (model === 'Client' && !mayRegister()) throw new errors.TemporarilyUnavailable('too many registrations')
        const lifetimeS = expiresIn || (model === 'Client' ? unusedDays * 86_400 : foreverS)
        await records.put(kind, id, payload as JsonObject, lifetimeS, grantId && `grant ${grantId}`)
        if (model === 'Interaction') waiting.begun(id, clock.now())
        if (model === 'Session' && uid !== undefined) await records.put('op/uid', uid, { id }, expiresIn || foreverS)
      },
      async findByUid(uid) {
        const id = (await records.get('op/uid', uid))?.['id']
        return typeof id === 'string' ? find(id) : undefined
      },
      findByUserCode: async () => undefined, // the device flow is not offered
      async consume(id) {
        // Of many who come with one code at once, one finds it (RFC 6749, 4.1.2).
        const take = model === 'AuthorizationCode' ? records.take(kind, id) : records.get(kind, id)
        const found = (await take) as AdapterPayload | undefined
        if (found === undefined) throw new errors.InvalidGrant('it was used a moment ago')
        const lifetimeS = typeof found.exp === 'number' ? Math.max(found.exp - nowS(), 1) : foreverS
        const { grantId } = found
        if (model === 'RefreshToken') await inTurn(() => rotate(id, found, lifetimeS))
        const consumed = { ...found, consumed: found['consumed'] ?? nowS() } as JsonObject
        await records.put(kind, id, consumed, lifetimeS, grantId && `grant ${grantId}`)
      },
      destroy(id) {
        if (model === 'Interaction') waiting.ended(id)
        return records.delete(kind, id)
      },
      revokeByGrantId: over,
    }
  }
}

/** Which refresh token of a grant was rotated last, and how many came of it. */
interface Rotated {
  readonly id: string
  readonly generation: number
  readonly siblings: number
}
const generationOf = ({ rotations }: AdapterPayload): number => (typeof rotations === 'number' ? rotations : 0)

/** A client that registered itself was of use, and is remembered for as long again. */
export async function keepClient(records: Records, id: string, unusedDays: number): Promise<void> {
  const found = await records.get('op/Client', id)
  if (found !== undefined) await records.put('op/Client', id, found, unusedDays * 86_400)
}
