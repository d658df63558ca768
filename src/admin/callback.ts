import type { Config } from '../config/schema.ts'

/** Where the provider sends browsers back to: below the address under which clients reach the gateway. */
export function callbackOf({ publicUrl, listen, tls }: Pick<Config, 'publicUrl' | 'listen' | 'tls'>): string {
  const host = listen.host.includes(':') ? `[${listen.host}]` : listen.host
  const own = `${tls === undefined ? 'http' : 'https'}://${host}:${listen.port}`
  return `${new URL(publicUrl ?? own).origin}/oauth/callback`
}
