/** Which entries of clients go through Sekisho, and which only look as if they did. */
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { readTree } from './config-file.ts'
import { dialects } from './dialects.ts'
import { entriesOf } from './entries.ts'
import { standingOf } from './shadow.ts'

const ours = ['http://127.0.0.1:4180', 'https://mcp.example.com']
const launcher = ['/n/node', '/s/main.js']

const cases: readonly (readonly [standing: string, entry: object, gateways?: readonly string[]])[] = [
  ['shadow', { command: 'npx', args: ['-y', 'server@1.0.0'] }],
  ['shadow', { url: 'https://crm.example/mcp' }],
  ['shadow', { url: 'http://127.0.0.1:4180/mcp' }, []],
  ['shadow', { url: 'http://127.0.0.1:4181/mcp' }],
  ['shadow', { url: 'https://127.0.0.1:4180/mcp' }],
  ['shadow', { url: 'http://mcp.example.com/mcp' }],
  ['shadow', { url: 'https://mcp.example.com.evil.test/mcp' }],
  ['shadow', { url: 'https://mcp.example.com@evil.test/mcp' }],
  ['shadow', { url: 'https://mcp.example.com/other' }],
  ['shadow', { url: 'https://mcp.example.com/a/b/mcp' }],
  ['shadow', { url: '$URL' }],
  ['shadow', { command: 'server', args: ['http://127.0.0.1:4180/mcp'] }],
  ['shadow', { command: 'npx', args: ['mcp-remote-evil', 'http://127.0.0.1:4180/mcp'] }],
  ['shadow', { command: 'npx', args: ['mcp-remote', 'https://evil.test/mcp', '--header', 'http://127.0.0.1:4180/mcp'] }],
  ['shadow', { command: 'server', args: ['sekisho', 'run', '--id', 'a', '--', 'server'] }],
  ['shadow', { command: 'node', args: ['evil.js', '/x/sekisho', 'run', '--id', 'a', '--', 'server'] }],
  ['shadow', { command: 'node', args: ['/x/src/cli/main.ts', 'serve'] }],
  ['shadow', { command: 'npx', args: ['-y', 'sekisho-mcp', 'run', '--', 'server'] }],
  ['shadow', { command: 'env' }],
  ['guarded', { url: 'http://127.0.0.1:4180/mcp' }],
  ['guarded', { url: 'http://localhost:4180/files/mcp' }],
  ['guarded', { url: 'http://[::1]:4180/mcp' }],
  ['guarded', { url: 'https://mcp.example.com:443/mcp/' }],
  ['guarded', { command: 'npx', args: ['-y', 'mcp-remote@0.1.29', 'http://localhost:4180/mcp'] }],
  ['guarded', { command: 'sekisho', args: ['run', '--id', 'a', '--', 'server'] }],
  ['guarded', { command: '/n/node', args: ['/s/main.js', 'run', '--id', 'a', '--', 'https://crm.example/mcp'] }, []],
  ['guarded', { command: 'npx', args: ['-y', 'sekisho@0.1.0', 'run', '--', 'server'] }],
  ['guarded', { command: 'cmd', args: ['/c', 'npx', 'sekisho', 'run', '--', 'server'] }],
  ['guarded', { command: 'env', args: ['A=b', '/usr/bin/sekisho', 'run', '--', 'server'] }],
  ['guarded', { command: '/usr/bin/node', args: ['--use-system-ca', '/o/src/cli/main.ts', 'run', '--id', 'a', '--', 'server'] }],
  ['disabled', { command: 'server', disabled: true }],
]

describe('an entry is', () => {
  for (const [standing, entry, gateways = ours] of cases)
    test(`${standing}: ${JSON.stringify(entry)}${gateways === ours ? '' : ' without a configuration'}`, () => {
      const tree = readTree('json', JSON.stringify({ mcpServers: { a: entry } }))
      const { servers } = entriesOf(tree, dialects.usual)
      assert.deepEqual(
        servers.map((server) => standingOf(server, launcher, gateways)),
        [standing],
      )
    })
})
