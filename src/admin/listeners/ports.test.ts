import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { listeningDoors, readPorts } from './ports.ts'

describe('what names no ports is refused', () => {
  for (const text of ['', '0', '65536', '80-70', '-1', '1-', 'http', '80 90', '1,,2', '0x50', '1e3', '../..'])
    test(`"${text}"`, () => assert.throws(() => readPorts(text), { message: /names no ports$/, fix: /3000-3999,8080$/ }))
})

test('numbers and ranges, ascending and once', () => {
  assert.deepEqual(readPorts('8080, 3000-3002,3001'), [3000, 3001, 3002, 8080])
  assert.equal(readPorts('1-65535').length, 65_535)
})

/** As Linux prints it, with what follows the state left away. */
const head = '  sl  local_address rem_address   st tx_queue rx_queue'
const row = (local: string, state = '0A'): string => `   0: ${local} 00000000:0000 ${state} 00000000:00000000`
const table = (...rows: string[]): string => `${[head, ...rows].join('\n')}\n`
const zero = '0'.repeat(32)

describe('listening where loopback leads', () => {
  const cases: readonly (readonly [says: string, text: string, doors: readonly string[]])[] = [
    ['127.0.0.1', table(row('0100007F:0BB8')), ['127.0.0.1 3000']],
    ['another address of loopback', table(row('3500007F:0035')), ['127.0.0.53 53']],
    ['all addresses', table(row('00000000:1F90')), ['127.0.0.1 8080']],
    ['::1', table(row('00000000000000000000000001000000:1F90')), ['::1 8080']],
    ['all addresses of both kinds', table(row(`${zero}:1F90`)), ['127.0.0.1 8080', '::1 8080']],
    ['127.0.0.1 as IPv6', table(row('0000000000000000FFFF00000100007F:1F90')), ['127.0.0.1 8080']],
    ['an address of the network', table(row('0A00020A:1F90')), []],
    ['an IPv6 address of the network', table(row('B80D0120000000000000000001000000:1F90')), []],
    ['a connection, and one that ends', table(row('0100007F:0BB8', '01'), row('0100007F:0BB8', '06')), []],
    ['nothing, or no table', '', []],
    ['the same twice', table(row('0100007F:0BB8'), row('00000000:0BB8')), ['127.0.0.1 3000']],
  ]
  for (const [says, text, doors] of cases)
    test(says, () =>
      assert.deepEqual(
        listeningDoors([text, '']).map(({ address, port }) => `${address} ${port}`),
        doors,
      ),
    )
})
