import type { Act } from '../../lib/act.ts'
import { holderOf } from '../tokens/access-tokens.ts'
import type { Consents } from './consents.ts'
import type { Records } from './records.ts'

export interface TakingBack {
  readonly records: Records
  readonly consents: Consents
  /** Makes what was issued to a holder up to now no longer good. */
  revoke(holder: string, by: string, reason: string): Promise<void>
}

/**
 * A consent is over, and with it everything that was issued because of it: access tokens first, which the gateway refuses from
 * then on, and then codes and refresh tokens. `account` as in {@link Consents}.
 */
export async function takeBackConsent(
  { records, consents, revoke }: TakingBack,
  account: string,
  clientId: string,
  act: Act,
): Promise<void> {
  const holder = holderOf(`user:${account}`, clientId)
  await revoke(holder, act.by, 'consent taken back')
  for (const { grantId } of await records.list('grant', `grants of ${holder}`)) {
    await records.deleteGroup(`grant ${grantId}`)
    await records.delete('op/Grant', String(grantId))
  }
  await records.deleteGroup(`grants of ${holder}`)
  // Last: what breaks off before it can be done again.
  await consents.revoke(account, clientId, act)
}
