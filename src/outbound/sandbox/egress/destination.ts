/**
 * Where a sandboxed server's connection may lead. A name is resolved once, here, and the connection goes to what was found then; one
 * address that may not be connected to among many refuses them all. POS-C11: no server reaches the gateway, or a neighbour, or the
 * network of the machine, but what is written out in its own list; a service of metadata never.
 */
import type { LookupAddress } from 'node:dns'
import { BlockList, isIP } from 'node:net'
import { addressKind } from '../../../lib/address-ranges.ts'
import { isLoopback } from '../../../lib/loopback.ts'
import type { NameLookup } from '../../../lib/name-lookup.ts'
import type { Allowance, AllowList, Target } from './allow-list.ts'

/** What is around the sandbox. */
export interface Surroundings {
  /** Ports on which we listen ourselves. */
  ownPorts(): readonly number[]
  /** The address under which others know us, and where the other servers are. */
  readonly gateway: Target | undefined
  neighbours(): readonly Target[]
  /** All addresses of this machine. */
  ownAddresses(): readonly string[]
}

/** Stable words: they stand in the audit log. */
export type EgressFault =
  | 'not-allowed'
  | 'unreadable'
  | 'gateway'
  | 'neighbour'
  | 'this-machine'
  | 'private-network'
  | 'special-address'
  | 'no-address'

export type Destination = { readonly addresses: readonly LookupAddress[] } | { readonly fault: EgressFault }

export async function destination(
  target: Target,
  allowed: AllowList,
  { ownPorts, gateway, neighbours, ownAddresses }: Surroundings,
  look: NameLookup,
): Promise<Destination> {
  const allowance = allowed(target)
  if (allowance === undefined) return { fault: 'not-allowed' }
  if (gateway !== undefined && isSame(target, gateway)) return { fault: 'gateway' }
  if (allowance === 'suffix' && neighbours().some((one) => isSame(target, one))) return { fault: 'neighbour' }
  const family = isIP(target.host)
  const addresses = family === 0 ? await look(target.host).catch(() => []) : [{ address: target.host, family }]
  if (addresses.length === 0) return { fault: 'no-address' }
  const own = listOf(ownAddresses())
  const isOwn = ({ address, family }: LookupAddress): boolean =>
    addressKind(address) === 'loopback' || own.check(address, family === 6 ? 'ipv6' : 'ipv4')
  if (addresses.some(isOwn) && ownPorts().includes(target.port)) return { fault: 'gateway' }
  const faults = addresses.flatMap((address) => faultOf(address.address, isOwn(address), target, allowance) ?? [])
  return faults[0] === undefined ? { addresses } : { fault: faults[0] }
}

/** A name that comes to mean this machine is a name that somebody has changed: for this machine an address is written. */
function faultOf(address: string, isOwn: boolean, { host }: Target, allowance: Allowance): EgressFault | undefined {
  const kind = addressKind(address)
  if (kind === 'special') return 'special-address'
  if (isOwn) return allowance === 'literal' && (isIP(host) !== 0 || isLoopback(host)) ? undefined : 'this-machine'
  return kind === 'private' && allowance !== 'literal' ? 'private-network' : undefined
}

const isSame = (one: Target, other: Target): boolean => one.host === other.host && one.port === other.port

/** A BlockList also finds an IPv4 address in ::ffff:0:0/96. */
function listOf(addresses: readonly string[]): BlockList {
  const list = new BlockList()
  for (const address of addresses) if (isIP(address) !== 0) list.addAddress(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
  return list
}
