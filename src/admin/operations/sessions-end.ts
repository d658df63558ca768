import type { RevocationStore } from '../../identity/revocations.ts'

/** Any principal has sessions: `anonymous`, `key:ci`, `user:…`, `application:…`. */
const form = /^(anonymous|(key|user|application):[^\s:]+)$/

/**
 * Ends the sessions that a principal has open, with what is under way in them. The credential that opened them stays good, so
 * that a client may open others; to take that back too, revoke its tokens. The change and its act are one transaction.
 */
export async function sessionsEnd(
  store: Pick<RevocationStore, 'revoke'>,
  { principal, by, reason = '' }: { readonly principal: string; readonly by: string; readonly reason?: string | undefined },
): Promise<void> {
  if (!form.test(principal))
    throw Object.assign(new Error(`"${principal}" is not a principal`), {
      fix: 'write it as sekisho sessions list shows it: anonymous, key:ID, user:ID or application:ID',
    })
  await store.revoke('sessions', principal, by, reason)
}
