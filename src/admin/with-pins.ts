import { join } from 'node:path'
import { loadConfig } from '../config/load.ts'
import { suggest } from '../config/nearest.ts'
import type { Config } from '../config/schema.ts'
import { whereabouts } from '../outbound/schema.ts'
import { openStore, type Store } from '../storage/embedded.ts'
import type { Definition } from '../trust/definition.ts'
import { type PinStore, type Seal, sealedWith, sealPurpose } from '../trust/pin.ts'
import { PinBook } from '../trust/pin-book.ts'
import { KeyFileRefused, keyRing, openKeyFile, readKey } from '../vault/key-file.ts'
import { needsKeyFile } from '../vault/key-providers/file.ts'
import { configuredApprovals } from './configured-approvals.ts'
import { lookAt } from './look-at.ts'

export interface PinsAtHand {
  readonly store: PinStore
  readonly book: PinBook
  readonly seal: Seal
  readonly twoPeople: boolean
  readonly servers: readonly string[]
  /** Where the server of an id stands now, or how it is started; undefined where only the guard that runs it knows. Throws for an unknown id. */
  whereabouts(server: string): string | undefined
  /** What a server says of itself now; it is started or called for that. Throws an Error that says why not. */
  look(server: string, by: string): Promise<readonly Definition[]>
}

/** Whose pins: those of the gateway with this configuration, or those of the local guards (`sekisho run`) in this folder. */
export type Whose = { readonly config: string } | { readonly data: string }

/**
 * Works on what was decided about definitions, whether or not anything is running. Decisions are sealed with the key file; one
 * that is missing is not made here, because whoever reads them would not believe what is sealed with another.
 */
export async function withPins(whose: Whose, work: (hand: PinsAtHand) => Promise<void>): Promise<void> {
  const config = 'config' in whose ? await loadConfig(whose.config, undefined, { secrets: 'leave' }) : undefined
  const keyFile = config?.vault.keyFile ?? localKeyFile((whose as { data: string }).data)
  const key = await readKey(keyFile)
  if (key === undefined)
    throw new KeyFileRefused(
      `the key file ${keyFile} is not there, and decisions about definitions are sealed with it`,
      config === undefined
        ? 'run a server with it once: sekisho run -- COMMAND'
        : 'start the gateway once, which makes it; or restore it from a copy',
    )
  const ring = keyRing(key)
  const seal = sealedWith(ring.derive(sealPurpose))
  const store = await openStore(config?.store ?? localStore((whose as { data: string }).data))
  try {
    const approvals = config && (await configuredApprovals(config))
    const book = new PinBook(await store.keptPins(), seal, approvals)
    const servers = config === undefined ? book.servers : Object.keys(config.servers).sort()
    await work({
      ...{ store, seal, book, servers, twoPeople: config?.pins.twoPeople ?? false },
      whereabouts(id) {
        if (!servers.includes(id)) throw new Error(`there is no server "${id}"; ${suggest(id, servers)}`)
        const server = config?.servers[id]
        return server === undefined ? (book.strangerOf(id) ?? book.identityOf(id)) : whereabouts(server)
      },
      async look(server, by) {
        if (!('config' in whose))
          throw new Error('only the guard that runs a server knows how it is started; look with: sekisho scan -- COMMAND')
        return lookAt({ config: await loadConfig(whose.config), store, keys: ring, server, by })
      },
    })
  } finally {
    await store.close()
  }
}

/** Where `sekisho run` keeps what it remembers. */
export const localStore = (data: string): string => `sqlite:${join(data, 'sekisho.db')}`
export const localKeyFile = (data: string): string => join(data, 'sekisho.key')

/** The seal of a gateway that may not have been started yet: its key is made here, as long as nothing is sealed with another. */
export async function keyForPins({ vault }: Config, store: PinStore & Pick<Store, 'vault'>): Promise<Seal> {
  const isSealed = (await store.keptPins()).revision > 0 || needsKeyFile(await store.vault.keys())
  return sealedWith((await openKeyFile(vault.keyFile, { needed: isSealed })).derive(sealPurpose))
}
