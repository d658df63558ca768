import { NoLog } from '../audit/no-log.ts'
import { search } from '../audit/search.ts'
import type { Config } from '../config/schema.ts'
import { Accounts } from '../identity/front/accounts.ts'
import { Consents } from '../identity/front/consents.ts'
import { type RecordStore, Records } from '../identity/front/records.ts'
import { systemClock } from '../lib/clock.ts'
import { keyRing, readKey } from '../vault/key-file.ts'

/** Whether anything here knows of a user or an application (`user:…`, `application:…`), or of an OAuth client. */
export type HasBeenHere = (kind: 'user' | 'client', value: string) => Promise<boolean>

/**
 * Asks what the authorization server remembers, where its key file can be read; and for users the audit log, in which every
 * session and every call stands. Where the provider issues the tokens, nothing here knows of clients: the answer is yes.
 */
export const hasBeenHere =
  ({ identity, vault, audit }: Config, store: RecordStore): HasBeenHere =>
  async (kind, value) => {
    if (identity.mode !== 'authorization-server') return kind === 'client' || isLogged(audit.path, value)
    const key = await readKey(vault.keyFile).catch(() => undefined)
    const records = key && new Records(store, keyRing(key), systemClock)
    if (kind === 'user') return (records && (await isUser(records, value))) || isLogged(audit.path, value)
    return identity.registration.clients.some(({ id }) => id === value) || records === undefined || isClient(records, value)
  }

async function isUser(records: Records, id: string): Promise<boolean> {
  if (!id.startsWith('user:')) return false
  const account = id.slice('user:'.length)
  if ((await new Accounts(records).find(account)) !== undefined) return true
  return (await new Consents(records, systemClock, () => false).of(account)).length > 0
}

async function isClient(records: Records, id: string): Promise<boolean> {
  if ((await records.get('op/Client', id)) !== undefined) return true
  return (await new Consents(records, systemClock, () => false).all()).some(({ clientId }) => clientId === id)
}

function isLogged(path: string, principal: string): boolean {
  try {
    return search(path, { principal, limit: 1 }).length > 0
  } catch (error) {
    return !(error instanceof NoLog) // a log that cannot be read does not make a stranger of anybody
  }
}
