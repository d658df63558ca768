/** A vault for a test: a store in a folder of its own, and a way to do to it what an intruder or an accident would. */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import { Secret } from '../lib/secret.ts'
import { openStore, type Store } from '../storage/embedded.ts'
import { openKeyFile } from './key-file.ts'
import { type OpenedVault, openVault } from './open-vault.ts'
import type { VaultConfig } from './schema.ts'

export interface Cellar extends OpenedVault {
  readonly folder: string
  readonly keyFile: string
  readonly store: Store
  readonly clock: { at: number; now(): number; monotonic(): number }
  /** Another process's view of the same store. */
  open(config?: Partial<VaultConfig>): Promise<OpenedVault & { readonly store: Store }>
  /** As somebody would who can write to the file. */
  sql(text: string, ...values: SQLInputValue[]): Record<string, unknown>[]
}

export const hidden = (value: string, reference = 'env:KEY'): Secret => new Secret(reference, value)

export async function cellar(config: Partial<VaultConfig> = {}, folder = newFolder()): Promise<Cellar> {
  const keyFile = join(folder, 'sekisho.key')
  const url = `sqlite:${join(folder, 'sekisho.db')}`
  const clock = { at: 1_700_000_000_000, now: () => clock.at, monotonic: () => clock.at }
  await openKeyFile(keyFile)
  const opened = async (more: Partial<VaultConfig> = {}) => {
    const store = await openStore(url, clock)
    const whole = { keyFile, keyProvider: { kind: 'file' }, previousKeyProviders: [], ...config, ...more } as const
    return { store, ...openVault({ config: whole, records: store.vault, clock }) }
  }
  return {
    folder,
    keyFile,
    clock,
    ...(await opened()),
    open: opened,
    sql(text, ...values) {
      const database = new DatabaseSync(join(folder, 'sekisho.db'), { timeout: 5000, enableForeignKeyConstraints: false })
      try {
        return database.prepare(text).all(...values)
      } finally {
        database.close()
      }
    },
  }
}

export const newFolder = (): string => mkdtempSync(join(tmpdir(), 'sekisho-cellar-'))
