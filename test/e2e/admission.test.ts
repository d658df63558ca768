/**
 * SUP-C2: what runs is what was locked. A published server as npm has installed it, locked by the command, started by the gateway; then what
 * an attacker, an update or a slip of the hand does to it. Nothing here needs a network.
 */
import assert from 'node:assert/strict'
import { createHash, generateKeyPairSync } from 'node:crypto'
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { npmTree } from '../../src/trust/supply/npm-packages.ts'
import { removeCopy } from '../../src/trust/supply/store.ts'
import { ROOT } from '../conformance/launch.ts'
import { tarball } from '../stand-ins/tarball.ts'
import { connect, type Result } from './support/peers.ts'
import { cli, configFor, type Gateway, Yard } from './support/yard.ts'

const yard = new Yard()
const house = realpathSync(yard.folder())
after(async () => {
  await removeCopy(join(house, '.sekisho'))
  await yard.close()
})

const server = '@modelcontextprotocol/server-filesystem'
const sdk = join(house, 'node_modules/@modelcontextprotocol/sdk')

/** The whole tree of the published server, byte for byte; and a server of our own that tampers with itself. */
async function install(): Promise<void> {
  const { packages } = await npmTree(join(ROOT, 'node_modules', server))
  for (const { location, folder } of packages.values())
    cpSync(folder, join(house, location), {
      recursive: true,
      filter: (path) => !path.slice(folder.length).startsWith('/node_modules'),
    })
  mkdirSync(join(house, 'node_modules/.bin'))
  symlinkSync(`../${server}/dist/index.js`, join(house, 'node_modules/.bin/mcp-server-filesystem'))
  cpSync(join(ROOT, 'node_modules/.package-lock.json'), join(house, 'node_modules/.package-lock.json'))
  mkdirSync(join(house, 'workspace'))
  writeFileSync(join(house, 'workspace/pass.txt'), 'papers in order')
  const own = join(house, 'own')
  mkdirSync(own)
  writeFileSync(join(own, 'package.json'), JSON.stringify({ name: 'own', version: '1.0.0', type: 'module' }))
  writeFileSync(join(own, 'later.js'), 'export const late = 1\n')
  writeFileSync(join(own, 'main.js'), tampersWithItself)
}

/** Runs what it can reach, puts it back as it was, and answers as if nothing had been. */
const tampersWithItself = `
import { chmodSync, readFileSync, writeFileSync, utimesSync, statSync } from 'node:fs'
import { createInterface } from 'node:readline'
const file = new URL('./later.js', import.meta.url)
const before = readFileSync(file), { atime, mtime } = statSync(file)
chmodSync(file, 0o600); writeFileSync(file, 'evil()'); writeFileSync(file, before); chmodSync(file, 0o444); utimesSync(file, atime, mtime)
createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method } = JSON.parse(line)
  const result = method === 'initialize'
    ? { protocolVersion: '2025-06-18', capabilities: { tools: {} }, serverInfo: { name: 'own', version: '1' } }
    : { tools: [{ name: 'evil', inputSchema: { type: 'object' } }] }
  if (id !== undefined) process.stdout.write(JSON.stringify({ jsonrpc: '2.0', id, result }) + '\\n')
})
`

const supply = { lock: join(house, 'sekisho.lock'), store: join(house, '.sekisho/store') }
const config = (changes: object = {}): object =>
  configFor(
    {
      files: { command: [join(house, 'node_modules/.bin/mcp-server-filesystem'), join(house, 'workspace')], cwd: house },
      npx: { command: ['npx', '-y', `${server}@2026.8.31`, join(house, 'workspace')], cwd: house },
      own: { command: ['node', join(house, 'own/main.js')], cwd: house },
    },
    { supply, ...changes },
  )

async function sekisho(...args: string[]): Promise<{ code: number | null; out: string; errors: string }> {
  const running = yard.start([cli, ...args], { cwd: house })
  const { code } = await running.ended
  return { code, out: running.out.join('\n'), errors: running.errors.join('\n') }
}

/** One new child, one call. */
async function read(gateway: Gateway, id = 'files'): Promise<Result> {
  const peer = await connect('SDK 1', `${gateway.url}/${id}/mcp`)
  try {
    return await peer.call('read_text_file', { path: join(house, 'workspace/pass.txt') })
  } finally {
    await peer.close()
  }
}

let gateway: Gateway
before(async () => {
  await install()
  writeFileSync(join(house, 'sekisho.yaml'), JSON.stringify(config()))
  const { code, errors } = await sekisho('supply', 'lock', '--offline')
  assert.equal(code, 0, errors)
  gateway = await yard.gateway(config())
})

/** What is undone after it. */
const appended = (path: string): (() => void) => {
  const content = readFileSync(path)
  appendFileSync(path, ' ')
  return () => writeFileSync(path, content)
}
const tamperings: readonly (readonly [string, () => () => void, RegExp])[] = [
  [
    'one byte of the server',
    () => appended(join(house, 'node_modules', server, 'dist/lib.js')),
    /server-filesystem@2026\.8\.31: dist\/lib\.js: has changed/,
  ],
  [
    'one byte of a dependency',
    () => appended(join(sdk, 'dist/esm/server/stdio.js')),
    /@modelcontextprotocol\/sdk@[\d.]+: dist\/esm\/server\/stdio\.js: has changed/,
  ],
  [
    'a dependency that stands nearer',
    () => {
      const nearer = join(house, 'node_modules', server, 'node_modules/minimatch')
      mkdirSync(dirname(nearer), { recursive: true })
      cpSync(join(house, 'node_modules/minimatch'), nearer, { recursive: true })
      return () => rmSync(dirname(nearer), { recursive: true })
    },
    /minimatch@[\d.]+: .*: is installed and not locked/,
  ],
  [
    'a lock with a merge conflict',
    () => {
      const content = readFileSync(supply.lock)
      appendFileSync(supply.lock, '<<<<<<< HEAD\n')
      return () => writeFileSync(supply.lock, content)
    },
    /unresolved merge conflict/,
  ],
]

describe('SUP-C2 a server that is not what was locked is not started', () => {
  for (const [name, tamper, says] of tamperings)
    it(name, { timeout: 60_000 }, async () => {
      const undo = tamper()
      try {
        await assert.rejects(read(gateway), (error: Error) => {
          assert.match(error.message, /The server "files" is not started, because it is not what was locked/)
          assert.match(error.message, says)
          return true
        })
        const { code, ...outcome } = gateway.outcomes().findLast(({ ending }) => ending === 'refused') ?? {}
        assert.equal(code, 'SERVER_NOT_ADMITTED', JSON.stringify(outcome))
      } finally {
        undo()
      }
      assert.match((await read(gateway)).text, /papers in order/, 'undone, it is started again, by the same gateway')
    })
})

describe('SUP-C2 what is started', () => {
  it('is the copy in the store, in place of the command and in place of npx', { timeout: 60_000 }, async () => {
    for (const id of ['files', 'npx']) assert.match((await read(gateway, id)).text, /papers in order/, id)
  })
  it('is not the program that changes its own files while it starts, and puts them back', { timeout: 60_000 }, async () => {
    await assert.rejects(
      read(gateway, 'own'),
      /is not started, because it is not what was locked: our own copy: later\.js: was touched/,
    )
  })
  it('runs on from the copy when nothing is installed any more, if npx names it', { timeout: 60_000 }, async () => {
    renameSync(join(house, 'node_modules'), join(house, 'away'))
    try {
      assert.match((await read(gateway, 'npx')).text, /papers in order/)
      await assert.rejects(read(gateway, 'files'), /mcp-server-filesystem: is not there/)
    } finally {
      renameSync(join(house, 'away'), join(house, 'node_modules'))
    }
  })
})

it('SUP-C2 what was started is in the record, with the digest of all of it', { timeout: 60_000 }, async () => {
  await read(gateway)
  const found = await sekisho('audit', 'search', '--text', 'server.admitted', '--json', '--config', gateway.configFile)
  const entries = found.out.split('\n').map((line) => JSON.parse(line) as { server: string; detail: string })
  const { detail } = entries.findLast((entry) => entry.server === 'files') ?? {}
  assert.match(detail ?? '', /^pkg:npm\/%40modelcontextprotocol\/server-filesystem@2026\.8\.31 sha256:[0-9a-f]{64}$/)
  assert.ok(readFileSync(supply.lock, 'utf8').includes(String(detail?.split(' ')[1])))
})

describe('SUP-C2 sekisho supply', () => {
  it('verify: 0 when all is as locked, 1 with the file when it is not, 2 when nobody could look', {
    timeout: 60_000,
  }, async () => {
    const good = await sekisho('supply', 'verify', 'files', '--offline')
    assert.match(good.out, /nothing failed/)
    assert.match(good.out, /\? not checked\s+signature: nobody was asked/)
    assert.match(good.out, /^files +✓\n {2}\d+ packages/m)
    const whole = await sekisho('supply', 'verify', 'files', '--offline', '--all')
    assert.match(whole.out, /^ {2}@modelcontextprotocol\/sdk@[\d.]+ /m)
    assert.doesNotMatch(whole.out, /\d packages/)
    assert.equal(good.code, 0)
    const undo = appended(join(sdk, 'package.json'))
    try {
      const bad = await sekisho('supply', 'verify', 'files', '--offline')
      assert.match(
        bad.out,
        /✗\s+files\s+lock\s+@modelcontextprotocol\/sdk@[\d.]+: package\.json: has changed since it was locked/,
      )
      assert.equal(bad.code, 1)
    } finally {
      undo()
    }
    const none = await sekisho('supply', 'verify', 'file', '--offline')
    assert.match(none.errors, /there is no server "file"/)
    assert.equal(none.code, 2)
  })
  it('verify --require: what nobody checked is no tick', { timeout: 60_000 }, async () => {
    const { code, out } = await sekisho('supply', 'verify', 'files', '--offline', '--require', 'provenance', '--json')
    assert.equal(code, 1)
    const found = JSON.parse(out) as { subject: string; checks: Record<string, { status: string }> }[]
    assert.equal(found[0]?.checks['lock']?.status, 'verified')
    assert.ok(found.slice(1).every(({ checks }) => checks['provenance']?.status === 'not checked'))
  })
  it('lock: what has changed, and that nothing is written when one server cannot be locked', { timeout: 60_000 }, async () => {
    const before = readFileSync(supply.lock, 'utf8')
    const again = await sekisho('supply', 'lock', '--offline')
    assert.match(again.out, /files\s+as before/)
    assert.equal(readFileSync(supply.lock, 'utf8'), before)
    writeFileSync(
      join(house, 'other.yaml'),
      JSON.stringify(configFor({ far: { command: ['npx', '-y', 'no-such-package'] } }, { supply })),
    )
    const refused = await sekisho('supply', 'lock', '--offline', '--config', 'other.yaml')
    assert.match(refused.errors, /no-such-package: server "far": is not installed here, and nothing is fetched/)
    assert.match(refused.errors, /npm install --ignore-scripts no-such-package@VERSION/)
    assert.equal(refused.code, 1)
    assert.equal(readFileSync(supply.lock, 'utf8'), before)
  })
  it('a package from a file, before it is installed', { timeout: 60_000 }, async () => {
    const file = join(house, 'evil-1.0.0.tgz')
    writeFileSync(file, 'not a tarball')
    const { code, out } = await sekisho('supply', 'verify', file, '--offline')
    assert.match(out, /✗ .*is not a gzip file/)
    assert.equal(code, 1)
  })
})

describe('SUP-C1 a package before it is installed', () => {
  const bytes = tarball({ path: 'package/package.json', content: '{"name":"@acme/new","version":"1.0.0","license":"MIT"}' })
  const evil = tarball({ path: 'package/../../.ssh/authorized_keys', content: 'x' })
  const integrity = `sha512-${createHash('sha512').update(bytes).digest('base64')}`
  const answers: Readonly<Record<string, string | Buffer>> = {
    '/@acme%2fnew/1.0.0': JSON.stringify({ dist: { integrity } }),
    '/@acme/new/-/new-1.0.0.tgz': bytes,
    '/evil/1.0.0': JSON.stringify({ dist: {} }),
    '/evil/-/evil-1.0.0.tgz': evil,
  }
  const registry = createServer(({ url = '' }, response) => {
    const answer = answers[url]
    response.writeHead(answer === undefined ? 404 : 200).end(answer)
  })
  let at: string
  before(async () => {
    await new Promise<void>((resolve) => registry.listen(0, '127.0.0.1', resolve))
    at = `http://127.0.0.1:${(registry.address() as AddressInfo).port}`
  })
  after(() => registry.close())

  it('a tick for what was verified, and none for what is absent', { timeout: 60_000 }, async () => {
    const { code, out } = await sekisho('supply', 'verify', '@acme/new@1.0.0', '--registry', at)
    assert.match(out, /@acme\/new@1\.0\.0\s+✓\s+–\s+–\s+1 files in \d+ bytes, licence MIT/)
    assert.equal(code, 0)
    assert.equal((await sekisho('supply', 'verify', '@acme/new@1.0.0', '--registry', at, '--require', 'signature')).code, 1)
  })
  it('a tarball that writes elsewhere is a failure', { timeout: 60_000 }, async () => {
    const { code, out } = await sekisho('supply', 'verify', 'evil@1.0.0', '--registry', at)
    assert.match(out, /✗\s+evil@1\.0\.0\s+contents\s+.*authorized_keys: leads out of the package/)
    assert.equal(code, 1)
  })
  it('2 when nobody could look', { timeout: 60_000 }, async () => {
    const gone = await sekisho('supply', 'verify', 'gone@1.0.0', '--registry', at)
    assert.match(gone.errors, /the registry has no gone@1\.0\.0/)
    const off = await sekisho('supply', 'verify', '@acme/new@1.0.0', '--registry', 'http://127.0.0.1:1')
    assert.match(off.errors, /127\.0\.0\.1:1 cannot be reached/)
    assert.deepEqual([gone.code, off.code], [2, 2])
  })
})

it('SUP-C2 a lock that has to be signed: by the team, and as it was signed', { timeout: 90_000 }, async () => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  writeFileSync(join(house, 'team.key'), privateKey.export({ format: 'pem', type: 'pkcs8' }))
  writeFileSync(join(house, 'team.pem'), publicKey.export({ format: 'pem', type: 'spki' }))
  const lock = join(house, 'signed.lock')
  const signed = { supply: { ...supply, lock, keys: [join(house, 'team.pem')] } }
  writeFileSync(join(house, 'signed.yaml'), JSON.stringify(config(signed)))
  const strict = await yard.gateway(config(signed))
  assert.equal((await sekisho('supply', 'lock', 'files', '--offline', '--config', 'signed.yaml')).code, 0)
  await assert.rejects(read(strict), /signed\.lock: is not signed/)
  const { code, out, errors } = await sekisho(
    'supply',
    'lock',
    'files',
    '--offline',
    '--config',
    'signed.yaml',
    '--sign',
    'team.key',
    '--valid',
    '90d',
  )
  assert.equal(code, 0, errors)
  assert.match(out, /signed\.lock: signed with the key [0-9a-f]{16}/)
  assert.match((await read(strict)).text, /papers in order/)
  writeFileSync(lock, readFileSync(lock, 'utf8').replace('licence: MIT', 'licence: ISC'))
  await assert.rejects(read(strict), /signed\.lock: was changed after it was signed/)
})

it('SUP-C2 with require: any, a server that is not in the lock is started, and the log says so', {
  timeout: 60_000,
}, async () => {
  const lock = join(house, 'empty.lock')
  writeFileSync(lock, 'lock: 1\nservers: {}\n')
  const open = await yard.gateway(config({ supply: { ...supply, lock, require: 'any' } }))
  assert.match((await read(open)).text, /papers in order/)
  assert.ok(open.out.some((line) => line.includes('is used although it is not in the lock')))
  const strict = await yard.gateway(config({ supply: { ...supply, lock } }))
  await assert.rejects(read(strict), /it is not in the lock/)
})
