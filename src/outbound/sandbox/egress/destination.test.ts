import assert from 'node:assert/strict'
import { isIP } from 'node:net'
import test from 'node:test'
import { allowList, readTarget, type Target } from './allow-list.ts'
import { destination, type Surroundings } from './destination.ts'

const surroundings: Surroundings = {
  ownPorts: () => [8080, 9090],
  gateway: { host: 'gate.corp.example', port: 443 },
  neighbours: () => [{ host: 'crm.corp.example', port: 443 }],
  ownAddresses: () => ['127.0.0.1', '::1', '10.1.1.1', '93.184.216.99', 'fe80::1'],
}
const hosts = [
  ...['api.example:443', '*.corp.example:443', 'db.corp.example:5432', 'localhost:5000', '127.0.0.1:5000', '[::1]:5000'],
  ...['10.1.1.1:5000', '127.0.0.1:8080', '10.1.1.1:9090', 'gate.corp.example:443', '169.254.169.254:80', '0.0.0.0:5000'],
  ...['[::ffff:169.254.169.254]:80', '192.168.7.7:80'],
]
const allowed = allowList(hosts)

async function decide(asked: string, addresses: readonly string[] = []): Promise<string> {
  const look = async () => addresses.map((address) => ({ address, family: isIP(address) }))
  const found = await destination(readTarget(asked) as Target, allowed, surroundings, look)
  return 'fault' in found ? found.fault : found.addresses.map(({ address }) => address).join(' ')
}

const cases: readonly (readonly [what: string, asked: string, resolved: readonly string[], decided: string])[] = [
  ['what is not on the list', 'evil.example:443', ['93.184.216.34'], 'not-allowed'],
  ['the gateway by its name, though it is on the list', 'gate.corp.example:443', ['93.184.216.34'], 'gateway'],
  ['the gateway by its address, though it is on the list', '127.0.0.1:8080', [], 'gateway'],
  ['the gateway by another address of this machine', '10.1.1.1:9090', [], 'gateway'],
  ['another server, which a * happens to allow', 'crm.corp.example:443', ['93.184.216.34'], 'neighbour'],
  ['a name without an address', 'api.example:443', [], 'no-address'],
  ['rebinding: a name that comes to mean this machine', 'api.example:443', ['127.0.0.1'], 'this-machine'],
  ['rebinding: in IPv6', 'api.example:443', ['::1'], 'this-machine'],
  ['rebinding: an IPv4 address in IPv6', 'api.example:443', ['::ffff:127.0.0.1'], 'this-machine'],
  ['rebinding: the public address of this machine', 'api.example:443', ['93.184.216.99'], 'this-machine'],
  ['rebinding: the same in IPv6', 'api.example:443', ['::ffff:93.184.216.99'], 'special-address'],
  ['rebinding: one address of many', 'api.example:443', ['93.184.216.34', '127.0.0.1'], 'this-machine'],
  ['rebinding: a service of metadata', 'api.example:443', ['169.254.169.254'], 'special-address'],
  ['rebinding: the same in IPv6', 'api.example:443', ['fd00:ec2::254'], 'special-address'],
  ['rebinding: a name below a suffix', 'a.corp.example:443', ['10.0.0.8'], 'private-network'],
  ['rebinding: the same in IPv6', 'a.corp.example:443', ['fc00::8'], 'private-network'],
  ['rebinding: no address at all', 'api.example:443', ['not an address'], 'special-address'],
  ['a service of metadata, though it is on the list', '169.254.169.254:80', [], 'special-address'],
  ['the same as IPv6', '[::ffff:169.254.169.254]:80', [], 'special-address'],
  ['any address of this machine', '0.0.0.0:5000', [], 'special-address'],
  ['a public host', 'api.example:443', ['93.184.216.34', '2606:2800:220:1::1'], '93.184.216.34 2606:2800:220:1::1'],
  ['a public host below a suffix', 'a.corp.example:443', ['93.184.216.34'], '93.184.216.34'],
  ['a private host that is written out', 'db.corp.example:5432', ['10.0.0.8'], '10.0.0.8'],
  ['a private address that is written out', '192.168.7.7:80', [], '192.168.7.7'],
  ['this machine, written out', 'localhost:5000', ['127.0.0.1'], '127.0.0.1'],
  ['this machine, as an address', '127.0.0.1:5000', [], '127.0.0.1'],
  ['this machine, as an address of IPv6', '[::1]:5000', [], '::1'],
  ['this machine, by an address in the network', '10.1.1.1:5000', [], '10.1.1.1'],
]

for (const [what, asked, resolved, decided] of cases) test(what, async () => assert.equal(await decide(asked, resolved), decided))

test('a name server that fails is a name without an address', async () => {
  const look = async () => Promise.reject(new Error('SERVFAIL'))
  assert.deepEqual(await destination({ host: 'api.example', port: 443 }, allowed, surroundings, look), { fault: 'no-address' })
})
