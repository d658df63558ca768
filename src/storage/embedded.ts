/**
 * The store for one machine: SQLite in the process, several processes on one file. What it acknowledges is on disk.
 * Every method answers with a promise, although this implementation has the answer at once.
 */
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as wait } from 'node:timers/promises'
import type { UnrecordedActs } from '../audit/unrecorded-acts.ts'
import type { RecordStore } from '../identity/front/records.ts'
import type { RevocationStore } from '../identity/revocations.ts'
import { type Clock, systemClock } from '../lib/clock.ts'
import { makePrivateFile } from '../lib/private-files.ts'
import type { ServerSwitches } from '../outbound/switches.ts'
import type { PinStore } from '../trust/pin.ts'
import type { VaultRecords } from '../vault/records.ts'
import { acts } from './acts.ts'
import { ChangeFeed } from './change-feed.ts'
import { identityRecords, revocations } from './identity-records.ts'
import { migrations } from './migrations.ts'
import { pins } from './pins.ts'
import { storePath } from './schema.ts'
import { serverSwitches } from './server-switches.ts'
import { transaction } from './transaction.ts'
import { vaultRecords } from './vault-records.ts'

export interface Store extends ServerSwitches, RecordStore, RevocationStore, PinStore, UnrecordedActs {
  readonly vault: VaultRecords
  close(): Promise<void>
}

const busyMs = 5000

/** Opens `sqlite:PATH`, making it on the first start. Rejects when it is newer than this program or cannot be read. */
export async function openStore(url: string, clock: Clock = systemClock): Promise<Store> {
  const path = storePath(url)
  if (path !== undefined) makePrivateFile(path)
  const database = new DatabaseSync(path ?? ':memory:', { timeout: busyMs })
  try {
    await useWriteAheadLog(database)
    database.exec('PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF')
    // What is deleted is overwritten: a key that leaks later opens no record that was purged before.
    database.exec('PRAGMA secure_delete = ON')
    migrate(database, url)
  } catch (error) {
    database.close()
    throw error
  }
  const feed = new ChangeFeed(database)
  const { noted, ...unrecorded } = acts(database, () => feed.tell())
  return {
    ...unrecorded,
    ...serverSwitches(database, clock, feed, noted),
    ...identityRecords(database, clock, noted),
    ...revocations(database, clock, noted),
    ...pins(database, noted),
    vault: vaultRecords(database, noted),
    async close() {
      feed.close()
      database.close()
    },
  }
}

/** Two that do this to one new file at once are told "locked" without the wait that `timeout` gives everything else. */
async function useWriteAheadLog(database: DatabaseSync): Promise<void> {
  const until = performance.now() + busyMs
  for (;;) {
    try {
      return database.exec('PRAGMA journal_mode = WAL')
    } catch (error) {
      if (!isBusy(error) || performance.now() > until) throw error
      await wait(10)
    }
  }
}

const isBusy = (error: unknown): boolean => (error as { errcode?: number }).errcode === 5 // SQLITE_BUSY

function migrate(database: DatabaseSync, url: string): void {
  const versionOf = () => Number(database.prepare('PRAGMA user_version').get()?.['user_version'])
  if (versionOf() > migrations.length) throw new Error(`the store ${url} was written by a newer version of sekisho`)
  if (versionOf() === migrations.length) return
  transaction(database, () => {
    // Read again under the lock: another process may have been first.
    for (let version = versionOf(); version < migrations.length; version++) {
      database.exec(migrations[version] as string)
      database.exec(`PRAGMA user_version = ${version + 1}`)
    }
  })
}
