/**
 * Does a client reach a server through Sekisho, or past it? A server that is reached past the gateway is a shadow (OWASP MCP09): no
 * policy, no pin and no line in the log is about it, whether or not the gateway has the same server, too.
 */
import { isLoopback } from '../../lib/loopback.ts'
import type { FoundServer } from './entries.ts'
import { guardedIn, type Launcher } from './guarded.ts'
import { programOf, startedBy } from './launchers.ts'

export const standings = ['guarded', 'shadow', 'disabled'] as const
export type Standing = (typeof standings)[number]

/** Programs that speak stdio to a client and carry all of it to the one URL among their arguments. */
const bridges = /^(mcp-remote|mcp-proxy)(@|==|$)/

/** `gateways`: the origins under which ours is reached; empty where no configuration is at hand. */
export function standingOf(server: FoundServer, launcher: Launcher, gateways: readonly string[]): Standing {
  if (server.disabled) return 'disabled'
  if (server.command === undefined) return leadsTo(server.url, gateways) ? 'guarded' : 'shadow'
  const words = [server.command, ...server.args]
  if (startsUs(words, launcher)) return 'guarded'
  const urls = bridges.test(startedBy(words)?.named ?? '') ? words.filter((word) => /^https?:\/\//i.test(word)) : []
  return urls.length === 1 && leadsTo(urls[0], gateways) ? 'guarded' : 'shadow'
}

/** Stricter than {@link guardedIn}, which has to find what may be unwrapped: our name among another program's words is not us. */
function startsUs(words: readonly string[], launcher: Launcher): boolean {
  if (launcher.length > 0 && launcher.every((word, at) => words[at] === word)) return true
  const program = programOf(words)
  const rest = words.slice(1)
  if (program === 'sekisho' || /^sekisho(@|$)/.test(startedBy(words)?.named ?? '')) return true
  if (program === 'cmd' && /^\/c$/i.test(rest[0] ?? '')) return startsUs(rest.slice(1), launcher)
  if (program === 'env') return startsUs(rest.slice(rest.findIndex((word) => !/^-|^[A-Za-z_]\w*=/.test(word))), launcher)
  if (program !== 'node') return false
  const script = rest.find((word) => !word.startsWith('-')) ?? ''
  if (/^(.*[\\/])?sekisho$/.test(script)) return true
  return (
    /[\\/](dist|src)[\\/]cli[\\/]main\.[jt]s$/.test(script) &&
    (guardedIn(words)?.isOurs === true || /[\\/]sekisho[\\/]/.test(script))
  )
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
