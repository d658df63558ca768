/** Which MCP servers listen, and is each one that the gateway knows? Loopback alone, unless a host is named. */
import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { addressKind } from '../../lib/address-ranges.ts'
import { isLoopback } from '../../lib/loopback.ts'
import { type NameLookup, systemLookup } from '../../lib/name-lookup.ts'
import { portOf } from '../../trust/clients/shadow.ts'
import { shownUrl } from '../operations/masking.ts'
import { type Knocked, knock } from './knock.ts'
import { type Door, listeningDoors, readPorts } from './ports.ts'

export interface Looking {
  /** As {@link readPorts} takes them; `listening` for those that listen where loopback leads. */
  readonly ports: string
  /** Undefined: this machine. */
  readonly host?: string | undefined
}
export interface Known {
  /** Where our own gateway is reached; empty where no configuration is at hand. */
  readonly gateways: readonly string[]
  /** Remote servers of the configuration. */
  readonly servers: readonly { readonly id: string; readonly url: string }[]
  /** Whether there is a configuration at all. */
  readonly isConfigured: boolean
}
export interface Listener {
  readonly url: string
  readonly transport: 'http' | 'sse'
  /** As it calls itself, which proves nothing. */
  readonly name: string | undefined
  readonly version: string | undefined
  readonly wantsLogin: boolean
  /** `gateway`: ours; `configured`: behind it, as `server`; `shadow`: nobody told the gateway of it. */
  readonly standing: 'gateway' | 'configured' | 'shadow'
  readonly server?: string
  readonly isSekisho: boolean
}
export interface Listening {
  readonly ports: number
  readonly listeners: readonly Listener[]
  /** Where something listens, and nobody knows what. */
  readonly unclear: readonly { readonly address: string; readonly port: number; readonly why: string }[]
}

const atOnceMax = 32

export async function listenersAt(looking: Looking, known: Known, outside: Outside = system): Promise<Listening> {
  const doors = await doorsOf(looking, outside)
  const host = looking.host
  const found: { door: Door; knocked: Knocked }[] = []
  const waiting = doors.values()
  const work = async (): Promise<void> => {
    for (const door of waiting) found.push({ door, knocked: await outside.knock(door, { host: host ?? door.address }) })
  }
  await Promise.all(Array.from({ length: atOnceMax }, work))
  found.sort((a, b) => a.door.port - b.door.port || (a.door.address < b.door.address ? -1 : 1))
  return {
    ports: new Set(doors.map(({ port }) => port)).size,
    listeners: once(found.flatMap(({ door, knocked }) => (knocked.kind === 'mcp' ? [listenerOf(knocked, door, known)] : []))),
    unclear: found.flatMap(({ door, knocked }) => (knocked.kind === 'unclear' ? [{ ...door, why: knocked.why }] : [])),
  }
}

export interface Outside {
  readonly platform: NodeJS.Platform
  readonly lookup: NameLookup
  readonly knock: typeof knock
  /** What the kernel says of its sockets: tcp and tcp6. */
  sockets(): Promise<readonly string[]>
}
const system: Outside = {
  platform: process.platform,
  lookup: systemLookup,
  knock,
  sockets: () => Promise.all(['tcp', 'tcp6'].map((name) => readFile(`/proc/net/${name}`, 'utf8').catch(() => ''))),
}

/** Throws for ports that cannot be told, and for a host that is no server's. */
async function doorsOf({ ports, host }: Looking, { platform, lookup, sockets }: Outside): Promise<readonly Door[]> {
  const refused = (why: string, fix: string): Error => Object.assign(new Error(why), { fix })
  if (ports === 'listening') {
    if (host !== undefined)
      throw refused('which ports listen can be read of this machine only', 'name the ports of that host: --ports 3000-3999')
    if (platform !== 'linux') throw refused('which ports listen is read on Linux only', 'name them: --ports 3000-3999,8080')
    return listeningDoors(await sockets())
  }
  const numbers = readPorts(ports)
  if (host === undefined) return ['127.0.0.1', '::1'].flatMap((address) => numbers.map((port) => ({ address, port })))
  const found = isIP(host) === 0 ? await lookup(host).catch(() => []) : [{ address: host }]
  const [first] = found
  if (first === undefined) throw refused(`${host.slice(0, 253)} has no address`, 'check the name')
  if (found.some(({ address }) => addressKind(address) === 'special'))
    throw refused(`${host} leads to an address that is never a server`, 'name a host of your own network')
  return numbers.map((port) => ({ address: first.address, port }))
}

function listenerOf(
  knocked: Knocked & { kind: 'mcp' },
  { port, address }: Door,
  { gateways, servers, isConfigured }: Known,
): Listener {
  const { kind: _, ...rest } = knocked
  const url = new URL(knocked.url)
  const isHere = (text: string): boolean => {
    const other = new URL(text)
    const sameHost = other.hostname === url.hostname || (isLoopback(other.hostname) && addressKind(address) === 'loopback')
    return sameHost && portOf(other) === port
  }
  const ofOurs = servers.find((server) => isHere(server.url))
  // A name proves nothing: with a configuration at hand, the gateway is at its own port or is another one.
  const isGateway = knocked.isSekisho && (!isConfigured || gateways.some(isHere))
  const standing = isGateway ? 'gateway' : ofOurs === undefined ? 'shadow' : 'configured'
  return { ...rest, url: shownUrl(knocked.url), standing, ...(standing === 'configured' && ofOurs && { server: ofOurs.id }) }
}

/** One server that listens on both loopbacks is one. */
function once(listeners: readonly Listener[]): readonly Listener[] {
  const seen = new Map<string, Listener>()
  for (const one of listeners) {
    const key = JSON.stringify([new URL(one.url).port, one.transport, one.name, one.version, one.standing])
    if (!seen.has(key)) seen.set(key, one)
  }
  return [...seen.values()]
}
