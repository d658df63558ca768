import type { SessionRow } from '../../inbound/sessions.ts'

export type { SessionRow } from '../../inbound/sessions.ts'

export interface SessionsAsked {
  /** Of the operators' listener: `http://127.0.0.1:4181`. */
  readonly admin: string
  get(url: string): Promise<Response>
}

/**
 * The legacy HTTP sessions of a running gateway. They are in its memory and nowhere else, so it has to be asked. Sessions hold
 * state of clients of 2025-11-25 and before; clients of 2026-07-28 have none.
 */
export async function sessionsList({ admin, get }: SessionsAsked): Promise<readonly SessionRow[]> {
  let response: Response
  try {
    response = await get(`${admin}/admin/v1/sessions`)
  } catch {
    throw Object.assign(new Error(`no gateway answers at ${admin}`), {
      fix: 'start it with sekisho start; where "admin.listen" has port 0, give --admin with the address that it printed',
    })
  }
  const body = response.ok ? ((await response.json()) as { readonly sessions?: readonly SessionRow[] }) : {}
  if (!Array.isArray(body.sessions))
    throw Object.assign(new Error(`${admin} answered HTTP ${response.status}, and not as a gateway of this version does`), {
      fix: 'check "admin.listen", and which program listens there',
    })
  return body.sessions
}
