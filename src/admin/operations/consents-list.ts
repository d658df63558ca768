import type { Accounts } from '../../identity/front/accounts.ts'
import type { Consents } from '../../identity/front/consents.ts'
import { tokenHolder } from '../principal-id.ts'

export interface ConsentRow {
  /** `user:…`, as in the audit log. */
  readonly user: string
  /** What the provider called the person at the last login, as long as that is remembered. Names change hands; ids do not. */
  readonly person?: string
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
export async function consentsList(
  { consents, accounts }: { readonly consents: Consents; readonly accounts: Pick<Accounts, 'find'> },
  user?: string,
): Promise<readonly ConsentRow[]> {
  const found = user === undefined ? await consents.all() : await consents.of(tokenHolder(user).replace(/^[a-z]+:/, ''))
  const names = new Map<string, string | undefined>()
  for (const account of new Set(found.map((consent) => consent.account)))
    names.set(account, (await accounts.find(account))?.shownName)
  return found
    .map(({ account, clientId, clientName, scopes, resources, redirectUri, givenAt }) => ({
      user: `user:${account}`,
      ...personOf(names.get(account)),
      client: clientId,
      name: clientName,
      scopes,
      resources,
      redirectUri,
      givenAt: new Date(givenAt).toISOString(),
    }))
    .sort((a, b) => (JSON.stringify([a.user, a.client]) < JSON.stringify([b.user, b.client]) ? -1 : 1))
}

const personOf = (name: string | undefined) => (name === undefined ? {} : { person: name })
