import { loadConfig } from '../config/load.ts'
import type { Config } from '../config/schema.ts'
import { openStore, type Store } from '../storage/embedded.ts'

/** Works on the store that the configuration in `file` names, whether or not a gateway is running, and closes it. */
export async function withStore(file: string, work: (config: Config, store: Store) => Promise<void>): Promise<void> {
  const config = await loadConfig(file, undefined, { secrets: 'leave' })
  const store = await openStore(config.store)
  try {
    await work(config, store)
  } finally {
    await store.close()
  }
}
