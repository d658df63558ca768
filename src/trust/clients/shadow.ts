/**
 * Does a client reach a server through Sekisho, or past it? A server that is reached past the gateway is a shadow (OWASP MCP09): no
 * policy, no pin and no line in the log is about it, whether or not the gateway has the same server, too.
 */
import { isLoopback } from '../../lib/loopback.ts'
import type { FoundServer } from './entries.ts'
import { type Launcher, startsSekisho } from './guarded.ts'
import { startedBy } from './launchers.ts'

export const standings = ['guarded', 'shadow', 'disabled'] as const
export type Standing = (typeof standings)[number]

/** Programs that speak stdio to a client and carry all of it to the one URL among their arguments; in a version, and not by an alias. */
const bridges = /^(mcp-remote|mcp-proxy)((@|==)[\^~]?[\w.+-]+)?$/

/** `gateways`: the origins under which ours is reached; empty where no configuration is at hand. */
export function standingOf(server: FoundServer, launcher: Launcher, gateways: readonly string[]): Standing {
  if (server.disabled) return 'disabled'
  if (server.command === undefined) return leadsTo(server.url, gateways) ? 'guarded' : 'shadow'
  const words = [server.command, ...server.args]
  if (startsSekisho(server, launcher)) return 'guarded'
  const isBridge = bridges.test(startedBy(words)?.named ?? '') && !words.some((word) => /^(-c|--call(=|$))/.test(word))
  const urls = isBridge ? words.filter((word) => /^https?:\/\//i.test(word)) : []
  return urls.length === 1 && leadsTo(urls[0], gateways) ? 'guarded' : 'shadow'
}

/** An MCP endpoint of one of these, `/mcp` or `/{server}/mcp`; the loopback has many names. */
export function leadsTo(text: string | undefined, gateways: readonly string[]): boolean {
  if (text === undefined || !URL.canParse(text)) return false
  const url = new URL(text)
  if (!/^\/([a-z][a-z0-9-]{0,23}\/)?mcp\/?$/.test(url.pathname)) return false
  return gateways.some((gateway) => sameOrigin(url, new URL(gateway)))
}

export function sameOrigin(one: URL, other: URL): boolean {
  if (one.protocol !== other.protocol || portOf(one) !== portOf(other)) return false
  return one.hostname === other.hostname || (isLoopback(one.hostname) && isLoopback(other.hostname))
}

export const portOf = ({ port, protocol }: URL): number => Number(port || (protocol === 'https:' ? 443 : 80))
