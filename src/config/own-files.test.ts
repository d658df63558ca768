/** What says which programs may run is no server's to write: the lock, the copies that are run, the keys of whoever signs. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseConfig } from './load.ts'
import { ConfigRefused } from './problem.ts'

const at = '/var/lib/sekisho'
for (const [what, supply] of [
  ['the lock', { lock: '/project/sekisho.lock', store: `${at}/copies` }],
  ['the copies', { lock: `${at}/sekisho.lock`, store: '/project/copies' }],
  ['the keys of the team', { lock: `${at}/sekisho.lock`, store: `${at}/copies`, keys: ['/project/team.pem'] }],
] as const)
  test(`a server may not write ${what}`, () => {
    const config = {
      ...{ store: `sqlite:${at}/sekisho.db`, vault: { keyFile: `${at}/key` }, identity: { mode: 'anonymous' }, supply },
      audit: { path: `${at}/audit.db`, anchor: `${at}/anchor` },
      servers: { acme: { command: ['acme'], cwd: '/project', sandbox: { write: ['/project'] } } },
    }
    assert.throws(() => parseConfig(JSON.stringify(config), '/etc/sekisho'), ConfigRefused)
  })
