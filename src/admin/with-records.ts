import { loadConfig } from '../config/load.ts'
import type { Config } from '../config/schema.ts'
import { Accounts } from '../identity/front/accounts.ts'
import { Consents } from '../identity/front/consents.ts'
import { Records } from '../identity/front/records.ts'
import { Revocations } from '../identity/revocations.ts'
import { systemClock } from '../lib/clock.ts'
import { openStore, type Store } from '../storage/embedded.ts'
import { KeyFileRefused, keyRing, readKey } from '../vault/key-file.ts'

export interface RecordsAtHand {
  readonly config: Config
  readonly store: Store
  readonly records: Records
  readonly consents: Consents
  readonly accounts: Accounts
}

/**
 * Works on what the authorization server of the configuration in `file` remembers, whether or not it is running. Its records
 * are sealed with the key file; one that is missing is not made here, because it would open nothing.
 */
export async function withRecords(file: string, work: (hand: RecordsAtHand) => Promise<void>): Promise<void> {
  const config = await loadConfig(file, undefined, { secrets: 'leave' })
  const { mode } = config.identity
  if (mode !== 'authorization-server') throw new Error(`with identity mode "${mode}" the gateway issues no tokens of its own`)
  const { keyFile } = config.vault
  const key = await readKey(keyFile)
  if (key === undefined)
    throw new KeyFileRefused(
      `the key file ${keyFile} is not there, and what the gateway remembers is sealed with it`,
      'start the gateway once, which makes it; or restore it from a copy',
    )
  const store = await openStore(config.store)
  try {
    const records = new Records(store, keyRing(key), systemClock)
    const revocations = new Revocations()
    revocations.replace(await store.revocations())
    const consents = new Consents(records, systemClock, (issued) => revocations.covers(issued))
    await work({ config, store, records, consents, accounts: new Accounts(records) })
  } finally {
    await store.close()
  }
}
