import type { Consents } from '../../identity/front/consents.ts'
import { tokenHolder } from '../principal-id.ts'

export interface ConsentRow {
  /** `user:…`, as in the audit log. */
  readonly user: string
  readonly client: string
  /** What the client calls itself; nobody has verified it. */
  readonly name: string
  readonly scopes: readonly string[]
  readonly resources: readonly string[]
  /** Where codes are sent. */
  readonly redirectUri: string
  /** ISO 8601. */
  readonly givenAt: string
}

/** Who agreed to which client acting for them, of one user where one is given. */
export async function consentsList(consents: Consents, user?: string): Promise<readonly ConsentRow[]> {
  const found = user === undefined ? await consents.all() : await consents.of(tokenHolder(user).replace(/^[a-z]+:/, ''))
  return found
    .map(({ account, clientId, clientName, scopes, resources, redirectUri, givenAt }) => ({
      user: `user:${account}`,
      client: clientId,
      name: clientName,
      scopes,
      resources,
      redirectUri,
      givenAt: new Date(givenAt).toISOString(),
    }))
    .sort((a, b) => (JSON.stringify([a.user, a.client]) < JSON.stringify([b.user, b.client]) ? -1 : 1))
}
