/**
 * Which addresses are the internet, and which are this machine, its networks, or nobody's. After the IANA registries of
 * special-purpose addresses (RFC 6890). In IPv6 only 2000::/3 is given out, so that all the rest is refused without being named.
 */
import { BlockList, isIP } from 'node:net'

/** `special` is never a server: link-local and metadata services, multicast, reserved, documentation, tunnels. */
export type AddressKind = 'public' | 'loopback' | 'private' | 'special'

const loopback = ranges('127.0.0.0/8', '::1/128')

/** What an operator may call his own. The last two are how a network of IPv6 alone writes IPv4 (RFC 6052, RFC 8215). */
const ownNetworks = ranges(
  '10.0.0.0/8',
  '100.64.0.0/10', // carrier-grade NAT, and what overlay networks use
  '172.16.0.0/12',
  '192.168.0.0/16',
  'fc00::/7',
  '64:ff9b::/96',
  '64:ff9b:1::/48',
)

const special = ranges(
  '0.0.0.0/8',
  '100.100.100.200/32', // metadata service, Alibaba Cloud
  '168.63.129.16/32', // platform service, Azure: a public address by its looks
  '169.254.0.0/16', // link-local, with the metadata service of most clouds
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.31.196.0/24',
  '192.52.193.0/24',
  '192.88.99.0/24', // 6to4 relays
  '192.175.48.0/24',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4', // and broadcast
  '2001::/23', // Teredo, ORCHID, benchmarking
  '2001:db8::/32',
  '2002::/16', // 6to4: an IPv4 address inside
  '2620:4f:8000::/48',
  '3ffe::/16',
  '3fff::/20',
  'fd00:ec2::/32', // metadata service, AWS
  'fd20:ce::/32', // metadata service, Google Cloud
)

const givenOut = ranges('2000::/3')

/** Of an address in any spelling of {@link isIP}. What is none, or names a network interface, is `special`. */
export function addressKind(address: string): AddressKind {
  const version = isIP(address)
  if (version === 0 || address.includes('%')) return 'special'
  const family = version === 4 ? 'ipv4' : 'ipv6'
  if (special.check(address, family)) return 'special'
  // A BlockList also finds an IPv4 range in ::ffff:0:0/96 (RFC 4291, section 2.5.5.2).
  if (loopback.check(address, family)) return 'loopback'
  if (ownNetworks.check(address, family)) return 'private'
  return version === 4 || givenOut.check(address, family) ? 'public' : 'special'
}

function ranges(...subnets: readonly string[]): BlockList {
  const list = new BlockList()
  for (const subnet of subnets) {
    const [network, prefix] = subnet.split('/') as [string, string]
    list.addSubnet(network, Number(prefix), isIP(network) === 4 ? 'ipv4' : 'ipv6')
  }
  return list
}
