import { loadConfig } from '../config/load.ts'
import type { Config } from '../config/schema.ts'
import { openStore } from '../storage/embedded.ts'
import { type PinStore, type Seal, sealedWith, sealPurpose } from '../trust/pin.ts'
import { PinBook } from '../trust/pin-book.ts'
import { KeyFileRefused, keyRing, readKey } from '../vault/key-file.ts'

export interface PinsAtHand {
  readonly config: Config
  readonly store: PinStore
  readonly book: PinBook
  readonly seal: Seal
}

/**
 * Works on what was decided about definitions, whether or not a gateway is running. Decisions are sealed with the key file;
 * one that is missing is not made here, because the gateway would not believe what is sealed with another.
 */
export async function withPins(file: string, work: (hand: PinsAtHand) => Promise<void>): Promise<void> {
  const config = await loadConfig(file, undefined, { secrets: 'leave' })
  const { keyFile } = config.vault
  const key = await readKey(keyFile)
  if (key === undefined)
    throw new KeyFileRefused(
      `the key file ${keyFile} is not there, and decisions about definitions are sealed with it`,
      'start the gateway once, which makes it; or restore it from a copy',
    )
  const seal = sealedWith(keyRing(key).derive(sealPurpose))
  const store = await openStore(config.store)
  try {
    const [pins, lists, servers] = await Promise.all([store.pins(), store.pinnedLists(), store.pinnedServers()])
    await work({ config, store, seal, book: new PinBook({ pins, lists, servers }, seal) })
  } finally {
    await store.close()
  }
}
