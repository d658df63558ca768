/** Requests of a client without an SDK, for tests that look at the wire. */
import { createHash } from 'node:crypto'
import type { Entra } from './entra.ts'

export interface Told {
  readonly status: number
  readonly body: Record<string, unknown>
  readonly headers: Headers
}
export type Form = Readonly<Record<string, string | undefined>>

/** To the token endpoint; undefined leaves a member out. */
export async function post(
  entra: Entra,
  segment: string,
  form: Form | URLSearchParams,
  headers: Record<string, string> = {},
): Promise<Told> {
  const body = form instanceof URLSearchParams ? form : new URLSearchParams(given(form))
  const response = await fetch(`${entra.url}/${segment}/oauth2/v2.0/token`, { method: 'POST', body, headers })
  return { status: response.status, headers: response.headers, body: (await response.json()) as Record<string, unknown> }
}

export const authorizeUrl = (entra: Entra, segment: string, query: Form): string =>
  `${entra.url}/${segment}/oauth2/v2.0/authorize?${new URLSearchParams(given(query))}`

export const challengeOf = (verifier: string): string => createHash('sha256').update(verifier).digest('base64url')

const given = (members: Form): Record<string, string> =>
  Object.fromEntries(Object.entries(members).filter((entry): entry is [string, string] => entry[1] !== undefined))
