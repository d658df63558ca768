/**
 * Which hosts a sandboxed server may connect to: `host:port` written out, or `*.suffix:port` for the names below a suffix. The
 * text is read once, by the parser of the URL Standard, which knows every spelling of an address (`2130706433`, `0x7f.1`).
 */
import { isIP } from 'node:net'
import { z } from 'zod'

export interface Target {
  /** As the URL Standard spells it, without the brackets of IPv6. */
  readonly host: string
  readonly port: number
}

/** How the configuration allows a target. What is written out may be in a network of the operator's own; what a `*` finds may not. */
export type Allowance = 'literal' | 'suffix'

const pattern = /^(\*\.)?(\[[0-9a-fA-F:.]+\]|[^\s/?#@:[\]*]+):([0-9]{1,5})$/
const label = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/
const wrong = 'is not a host and a port; write for example api.example.com:443, or *.example.com:443'

export const hostPattern = z
  .string()
  .max(300)
  .refine((text) => readPattern(text) !== undefined, { error: wrong })

/** `host:port` as a client asks for it. Undefined for what is none: no credentials, no path, a port always. */
export function readTarget(text: string): Target | undefined {
  const [, star, host, port] = pattern.exec(text) ?? []
  if (star !== undefined || host === undefined || !(Number(port) >= 1 && Number(port) <= 65_535)) return undefined
  const url = `http://${host}:80/`
  if (!URL.canParse(url)) return undefined
  const { hostname } = new URL(url)
  const bare = hostname.replace(/^\[(.*)\]$/, '$1')
  if (isIP(bare) === 0 && !(bare.length <= 253 && bare.split('.').every((part) => label.test(part)))) return undefined
  return { host: bare, port: Number(port) }
}

export type AllowList = (target: Target) => Allowance | undefined

/** Throws nothing: what is no pattern was refused by the schema, and allows nothing. */
export function allowList(patterns: readonly string[]): AllowList {
  const known = patterns.flatMap((text) => readPattern(text) ?? [])
  return ({ host, port }) => {
    const fitting = known.filter((one) => one.port === port)
    if (fitting.some((one) => !one.below && one.host === host)) return 'literal'
    return isIP(host) === 0 && fitting.some((one) => one.below && host.endsWith(`.${one.host}`)) ? 'suffix' : undefined
  }
}

function readPattern(text: string): (Target & { readonly below: boolean }) | undefined {
  const below = text.startsWith('*.')
  const target = readTarget(below ? text.slice(2) : text)
  // A suffix of one label would be a whole top-level domain; one of an address means nothing.
  if (target === undefined || (below && (isIP(target.host) !== 0 || !target.host.includes('.')))) return undefined
  return { ...target, below }
}
