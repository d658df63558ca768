/**
 * The operators' listener: is it alive, is it ready, what did it count, who is here. On its own address, which has to be
 * loopback: it asks for no credential, so it shows no secret and changes nothing.
 */
import { asRefusal, Refusal } from '../pipeline/refusal.ts'
import { explain } from '../protocol/refusal-texts.ts'
import type { Arrival, Departure } from './arrival.ts'
import { HostCheck } from './host-check.ts'
import { handle, type Listener, listen } from './listener.ts'
import type { Address } from './schema.ts'
import type { SessionRow } from './sessions.ts'

export interface AdminOptions {
  readonly hosts: Pick<HostCheck, 'admit'>
  /** False while nothing may pass, because the audit log cannot be written. */
  healthy(): boolean
  /** Prometheus text exposition format. */
  metrics(): Promise<string>
  sessions(): readonly SessionRow[]
}

/** Opens it. Only requests to its own address are answered. */
export async function listenAdmin(at: Address, options: Omit<AdminOptions, 'hosts'>): Promise<Listener> {
  let hosts: HostCheck | undefined
  const listener = await listen(
    at,
    undefined,
    handle((arrival, departure) => answerAdmin({ ...options, hosts: hosts as HostCheck }, arrival, departure)),
  )
  const own = { ...at, port: listener.address.port }
  hosts = new HostCheck({ listen: own, allowedHosts: [], allowedOrigins: [], trustedProxies: [], secure: false })
  return listener
}

const plain = { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' } as const

async function answerAdmin(
  { hosts, healthy, metrics, sessions }: AdminOptions,
  arrival: Arrival,
  departure: Departure,
): Promise<void> {
  try {
    hosts.admit(arrival.headers, arrival.remote)
    if (arrival.method !== 'GET') throw new Refusal('METHOD_NOT_ALLOWED')
    switch (arrival.path) {
      case '/healthz':
        return departure.send(200, plain, 'ok\n')
      case '/readyz':
        return healthy() ? departure.send(200, plain, 'ready\n') : departure.send(503, plain, 'the audit log cannot be written\n')
      case '/metrics':
        return departure.send(200, { ...plain, 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }, await metrics())
      case '/admin/v1/sessions':
        return departure.send(
          200,
          { ...plain, 'content-type': 'application/json' },
          `${JSON.stringify({ sessions: sessions() })}\n`,
        )
    }
    throw new Refusal('NOT_FOUND')
  } catch (error) {
    const { code, facts } = asRefusal(error)
    const { http, says } = explain(code, facts)
    departure.send(http, plain, `${says}\n`)
  }
}
