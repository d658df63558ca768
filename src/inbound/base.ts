import type { Address, ListenTls } from './schema.ts'

export interface Reachable {
  readonly publicUrl?: string | undefined
  readonly listen: Address
  readonly tls?: ListenTls | undefined
}

/** Scheme, host and port under which clients reach us; `port` where another one was opened than was asked for. */
export function baseOf({ publicUrl, listen, tls }: Reachable, port = listen.port): string {
  if (publicUrl !== undefined) return publicUrl
  const host = listen.host.includes(':') ? `[${listen.host}]` : listen.host
  return new URL(`${tls === undefined ? 'http' : 'https'}://${host}:${port}`).origin
}
