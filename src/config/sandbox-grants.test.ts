import assert from 'node:assert/strict'
import test from 'node:test'
import { parseConfig } from './load.ts'
import { ConfigRefused } from './problem.ts'

const folder = '/srv/gate'
const withSandbox = (sandbox: string, more = ''): string =>
  `identity: { mode: anonymous }\nservers:\n  files:\n    command: [node, files.js]\n    sandbox: ${sandbox}\n${more}`

function problemsOf(text: string): string[] {
  try {
    parseConfig(text, folder)
    return []
  } catch (error) {
    assert.ok(error instanceof ConfigRefused)
    return error.problems.map(({ path, message, fix }) => `${path} ${message}; ${fix}`)
  }
}

const other = '  other:\n    command: [node, other.js]\n    sandbox: { write: [/data/shared] }\n'
const refused: readonly (readonly [what: string, text: string, says: RegExp])[] = [
  ['a word that is not off', withSandbox('on'), /sandbox cannot be "on"; .*off/],
  ['a misspelt key', withSandbox('{ reads: [x] }'), /sandbox\.reads is not a key we know; did you mean "read"\?/],
  ['a network of everything', withSandbox('{ network: all }'), /sandbox\.network cannot be "all"; .*none/],
  ['a host without a port', withSandbox('{ network: { hosts: [a.example] } }'), /hosts\[0\] is not a host and a port/],
  ['no hosts', withSandbox('{ network: { hosts: [] } }'), /hosts is empty/],
  ['a whole top-level domain', withSandbox('{ network: { hosts: ["*.com:443"] } }'), /hosts\[0\] is not a host and a port/],
  ['too little memory to start', withSandbox('{ memoryMbMax: 1 }'), /memoryMbMax must be at least 64/],
  ['everything', withSandbox('{ read: [/] }'), /read\[0\] names \/, which is more than a server can need/],
  ['all homes', withSandbox('{ read: [/home] }'), /which is more than a server can need/],
  ['processes of others', withSandbox('{ read: [/proc/1] }'), /read\[0\] names \/proc\/1, which is part of \/proc/],
  ['devices', withSandbox('{ write: [/dev/sda] }'), /is part of \/proc, \/sys, \/dev/],
  [
    'the folder with our key',
    withSandbox('{ read: [./data] }'),
    /read\[0\] holds \/srv\/gate\/data\/sekisho.*a file of the gateway/,
  ],
  ['what holds that folder', withSandbox('{ read: [/srv] }'), /read\[0\] holds/],
  [
    'the configuration itself',
    withSandbox(
      '{ write: [.] }',
      'store: "sqlite:/var/lib/s/s.db"\naudit: { path: /var/lib/s/a.db, anchor: /var/lib/s/a }\nvault: { keyFile: /var/lib/s/k }\n',
    ),
    /write\[0\] holds this configuration/,
  ],
  ...[
    ['the lock', 'supply: { lock: /data/own/sekisho.lock, store: /copies }', '/data/own/sekisho.lock'],
    ['the copies of what was locked', 'supply: { lock: /l/sekisho.lock, store: /data/own/copies }', '/data/own/copies'],
    ['a key that signs locks', 'supply: { keys: [/data/own/team.pem] }', '/data/own/team.pem'],
    ['a key that signs attestations', 'supply: { attestationKeys: [/data/own/a.pem] }', '/data/own/a.pem'],
    [
      'a manifest of what is approved',
      'pins: { manifests: { files: { file: /data/own/m.json, keys: [/k/k.pem] } } }',
      '/data/own/m.json',
    ],
    [
      'a key that signs manifests',
      'pins: { manifests: { files: { file: /m/m.json, keys: [/data/own/k.pem] } } }',
      '/data/own/k.pem',
    ],
  ].map(
    ([what, more, file]) =>
      [
        `the folder of ${what}`,
        withSandbox('{ write: [/data/own] }', `${more}\n`),
        new RegExp(`write\\[0\\] holds ${file}, a file of the gateway`),
      ] as const,
  ),
  [
    'a folder among the copies of what was locked',
    withSandbox('{ write: [/copies/npm/x] }', 'supply: { lock: /l/sekisho.lock, store: /copies }\n'),
    /write\[0\] lies in \/copies, a folder of the gateway/,
  ],
  ['a folder in its own writable one', withSandbox('{ read: [w/in], write: [w] }'), /read\[0\] lies in \/srv\/gate\/w/],
  [
    "a folder in another server's writable one",
    withSandbox('{ read: [/data/shared/in] }', other),
    /read\[0\] lies in \/data\/shared/,
  ],
  [
    'a remote server',
    'identity: { mode: anonymous }\nservers: { a: { url: https://a.example/mcp, sandbox: off } }\n',
    /sandbox means nothing for a server with a url/,
  ],
]

test('what is refused', async (t) => {
  for (const [what, text, says] of refused) await t.test(what, () => assert.match(problemsOf(text).join('\n'), says))
})

test('what is accepted, with defaults and absolute paths', () => {
  const sandboxOf = (sandbox: string, more = '') => {
    const server = parseConfig(withSandbox(sandbox, more), folder).servers['files']
    return server?.kind === 'stdio' ? server.sandbox : undefined
  }
  assert.equal(sandboxOf('off'), 'off')
  assert.deepEqual(sandboxOf('{}'), {
    read: [],
    write: [],
    network: 'none',
    memoryMbMax: 1024,
    cpuSecondsMax: undefined,
    processesMax: 256,
    openFilesMax: 1024,
    fileMbMax: 256,
    whenUnavailable: 'refuse',
  })
  const shared = sandboxOf('{ read: [./in, /data/shared], write: [out], network: { hosts: ["*.a.example:443"] } }', other)
  assert.ok(shared !== undefined && shared !== 'off')
  assert.deepEqual([shared.read, shared.write], [['/srv/gate/in', '/data/shared'], ['/srv/gate/out']])
  assert.deepEqual(shared.network, { hosts: ['*.a.example:443'] })
})

test('a server without the key has no sandbox, as before', () => {
  const server = parseConfig('identity: { mode: anonymous }\nservers: { a: { command: [node] } }\n', folder).servers['a']
  assert.equal(server?.kind === 'stdio' && server.sandbox, 'off')
})
