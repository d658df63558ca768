import { suggest } from '../../config/nearest.ts'
import type { Consents } from '../../identity/front/consents.ts'
import type { Records } from '../../identity/front/records.ts'
import { takeBackConsent } from '../../identity/front/take-back.ts'
import type { RevocationStore } from '../../identity/revocations.ts'
import type { Clock } from '../../lib/clock.ts'
import { tokenHolder } from '../principal-id.ts'

export interface ConsentsAtHand {
  readonly records: Records
  readonly consents: Consents
  readonly store: Pick<RevocationStore, 'revoke'>
  readonly clock: Clock
}

/**
 * Takes a consent back, and with it everything that was issued because of it: access tokens, codes and refresh tokens at once.
 * The client has to ask the person again. Rejects where there is no such consent.
 */
export async function consentsRevoke(
  { records, consents, store, clock }: ConsentsAtHand,
  { user, client, by }: { readonly user: string; readonly client: string; readonly by: string },
): Promise<void> {
  const account = tokenHolder(user).replace(/^[a-z]+:/, '')
  const clients = (await consents.of(account)).map(({ clientId }) => clientId)
  if (!clients.includes(client)) throw new Error(`${user} has not agreed to the client "${client}"; ${suggest(client, clients)}`)
  const revoke = store.revoke.bind(store, 'holder')
  await takeBackConsent({ records, consents, revoke }, account, client, {
    action: 'consent.revoked',
    by,
    at: clock.now(),
    detail: `${user} ${client}`,
  })
}
