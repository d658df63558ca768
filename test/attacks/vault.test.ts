/**
 * Who steals the store, or may write to it (AUTH-R2, TOK-C3, TOK-C5). A store of tokens as many gateways have it gives every token
 * to whoever reads the file, and one user's token to another whose row it is copied over. The vault gives neither, and neither
 * does what is left of it in memory, in the log of the database, or in what the gateway says.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, describe, it } from 'node:test'
import { systemClock } from '../../src/lib/clock.ts'
import { Secret } from '../../src/lib/secret.ts'
import { openStore } from '../../src/storage/embedded.ts'
import { openKeyFile } from '../../src/vault/key-file.ts'
import { openVault } from '../../src/vault/open-vault.ts'
import { rotate } from '../../src/vault/rotation.ts'
import { cli } from '../e2e/support/yard.ts'
import { open, recordOf, startIn, until, yard } from './support/house.ts'

const house = yard()
after(() => house.close())

const here = (file: string): string => JSON.stringify(new URL(file, import.meta.url).href)
const newFolder = (): string => mkdtempSync(join(tmpdir(), 'sekisho-thief-'))
const tokens = Array.from(
  { length: 1000 },
  (_, at) => `${at % 2 ? 'eyJhbGciOiJSUzI1NiJ9.' : 'ghp_'}${randomBytes(32).toString('base64url')}`,
)
const ownerOf = (at: number): string => `user-${at % 100}@example.com`
const keyOf = (at: number) => ({ owner: ownerOf(at), server: 'crm', kind: 'access-token', client: `client-${at}` })

const needleBytes = 16
/** The beginning and the end of each text as it may lie in a file: plain, UTF-16, hexadecimal, base64 at every alignment. */
function needles(texts: readonly (string | Buffer)[]): Set<string> {
  const found = new Set<string>()
  for (const text of texts) {
    const bytes = Buffer.from(text as string)
    const shifted = [0, 1, 2].map((by) =>
      Buffer.concat([Buffer.alloc(by), bytes])
        .toString('base64')
        .slice(4),
    )
    const spellings = [
      bytes.toString('latin1'),
      bytes.toString('hex'),
      bytes.toString('hex').toUpperCase(),
      Buffer.from(bytes.toString('latin1'), 'utf16le').toString('latin1'),
    ]
    for (const spelling of [...spellings, ...shifted, ...shifted.map((one) => one.replaceAll('+', '-').replaceAll('/', '_'))]) {
      // Past what all tokens of a kind begin with, and short of the padding.
      found.add(spelling.slice(-needleBytes - 4, -4))
      if (spelling.length > 160) found.add(spelling.slice(120, 120 + needleBytes))
    }
  }
  return found
}

/** How many of them lie in the files of these folders. */
function hits(sought: ReadonlySet<string>, ...folders: string[]): string[] {
  const files = folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .map((file) => join(folder, file))
      .filter((file) => statSync(file).isFile()),
  )
  return files.flatMap((file) => {
    const text = readFileSync(file).toString('latin1')
    const seen = new Set<string>()
    for (let at = 0; at + needleBytes <= text.length; at++) {
      const window = text.slice(at, at + needleBytes)
      if (sought.has(window)) seen.add(window)
    }
    return seen.size === 0 ? [] : [`${file}: ${seen.size}`]
  })
}

describe('the exploit: a store that keeps tokens as they are', () => {
  const folder = newFolder()
  const database = new DatabaseSync(join(folder, 'tokens.db'))
  database.exec('PRAGMA journal_mode = WAL; CREATE TABLE tokens (owner TEXT, token TEXT)')
  const insert = database.prepare('INSERT INTO tokens VALUES (?, ?)')
  for (const [at, token] of tokens.entries()) insert.run(ownerOf(at), token)
  after(() => database.close())

  it('gives all thousand to whoever reads its files', () => assert.notDeepEqual(hits(needles(tokens), folder), []))

  it('gives one user the token of another, whose row was copied', () => {
    database.exec(`UPDATE tokens SET token = (SELECT token FROM tokens WHERE owner = 'user-1@example.com' LIMIT 1)
                   WHERE owner = 'user-2@example.com'`)
    const got = database.prepare("SELECT token FROM tokens WHERE owner = 'user-2@example.com'").get()
    assert.equal(got?.['token'], tokens[1])
  })
})

describe('the vault', () => {
  const folder = newFolder()
  const keyFile = join(newFolder(), 'sekisho.key')
  const path = join(folder, 'sekisho.db')
  const config = { keyFile, keyProvider: { kind: 'file' }, previousKeyProviders: [] } as const

  it('written, read, written over, removed and rotated: not one token or owner in the database, its log or a temporary file', async () => {
    await openKeyFile(keyFile)
    const store = await openStore(`sqlite:${path}`)
    const { vault, keys } = openVault({ config, records: store.vault, clock: systemClock })
    const began = Date.now()
    for (const [at, token] of tokens.entries()) await vault.put(keyOf(at), token)
    for (const [at, token] of tokens.entries()) assert.equal(await vault.get(keyOf(at)), token)
    for (let at = 0; at < 50; at++) await vault.put(keyOf(at), `${tokens[at]}, renewed`)
    await vault.deleteOwner(ownerOf(7))
    const sought = needles(tokens)
    const owners = new Set(Array.from({ length: 100 }, (_, at) => `${ownerOf(at)}       `.slice(0, needleBytes)))
    const look = (): string[] => [...hits(sought, folder), ...hits(owners, folder)]
    assert.ok(statSync(`${path}-wal`).size > 100_000, 'there is a log to look through')
    assert.deepEqual(look(), [])
    await rotate({ records: store.vault, keys, clock: systemClock, by: 'cli:me' })
    assert.deepEqual(look(), [])
    await store.close()
    assert.deepEqual(look(), [])
    const temporary = readdirSync(tmpdir()).filter(
      (name) => /sqlite|etilqs/i.test(name) && statSync(join(tmpdir(), name)).mtimeMs >= began,
    )
    assert.deepEqual(temporary, [])
  })

  it('rows copied over each other by whoever can write to the file open for nobody', async () => {
    const database = new DatabaseSync(path)
    const names = database.prepare('SELECT name FROM vault_records ORDER BY name').all() as { name: Uint8Array }[]
    const copy = database.prepare(`UPDATE vault_records SET (label, owner, version, at, key, wrapped, sealed) =
      (SELECT label, owner, version, at, key, wrapped, sealed FROM vault_records WHERE name = ?) WHERE name = ?`)
    const first = names[0]?.name as Uint8Array
    for (const { name } of names.slice(1)) copy.run(first, name)
    database.close()
    const store = await openStore(`sqlite:${path}`)
    const { vault } = openVault({ config, records: store.vault, clock: systemClock })
    const outcomes = { own: 0, refused: 0 }
    for (const [at] of tokens.entries()) {
      if (at % 100 === 7) continue
      const got = await vault.get(keyOf(at)).catch((error: Error) => {
        assert.equal(error.name, 'VaultRecordBroken')
        return undefined
      })
      if (got === undefined) outcomes.refused++
      else assert.ok(got.startsWith(tokens[at] as string), 'the one row that was copied from is its owner’s')
      if (got !== undefined) outcomes.own++
    }
    assert.deepEqual(outcomes, { own: 1, refused: 989 })
    await store.close()
  })

  it('a heap snapshot taken after use holds no token, and no key', () => {
    const place = newFolder()
    const some = tokens.slice(0, 100)
    writeFileSync(join(place, 'tokens'), some.join('\n'))
    const script = `
      import { createHash } from 'node:crypto'
      import { readFileSync } from 'node:fs'
      import { writeHeapSnapshot } from 'node:v8'
      import { openStore } from ${here('../../src/storage/embedded.ts')}
      import { openKeyFile } from ${here('../../src/vault/key-file.ts')}
      import { openVault } from ${here('../../src/vault/open-vault.ts')}
      import { systemClock as clock } from ${here('../../src/lib/clock.ts')}
      const place = ${JSON.stringify(place)}
      const keyFile = place + '/sekisho.key'
      const store = await openStore('sqlite:' + place + '/sekisho.db')
      await openKeyFile(keyFile)
      const config = { keyFile, keyProvider: { kind: 'file' }, previousKeyProviders: [] }
      const { vault } = openVault({ config, records: store.vault, clock })
      async function use() {
        const digest = createHash('sha256')
        for (const [at, token] of readFileSync(place + '/tokens', 'utf8').split('\\n').entries()) {
          await vault.put({ owner: 'u' + at, server: 'crm', kind: 'k' }, token)
          digest.update(await vault.get({ owner: 'u' + at, server: 'crm', kind: 'k' }))
        }
        return digest.digest('hex')
      }
      globalThis.control = Buffer.from('74686520636f6e74726f6c20746f206265207365656e', 'hex').toString()
      const digest = await use()
      await new Promise(setImmediate)
      writeHeapSnapshot(place + '/heap/snapshot')
      process.stdout.write(digest)
      await store.close()`
    spawnSync('mkdir', [join(place, 'heap')])
    const ran = spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', script], {
      encoding: 'utf8',
    })
    assert.equal(ran.stdout, createHash('sha256').update(some.join('')).digest('hex'), ran.stderr)
    assert.ok(statSync(join(place, 'heap/snapshot')).size > 1_000_000)
    assert.notDeepEqual(hits(needles(['the control to be seen']), join(place, 'heap')), [])
    const key = readFileSync(join(place, 'sekisho.key'))
    assert.deepEqual(hits(needles([...some, key]), join(place, 'heap')), [])
  })
})

describe('a gateway with a vault', () => {
  it('refuses to start without the key file that records are sealed with, and makes no new one', async () => {
    const started = await startIn(house, open({}))
    const keyFile = join(started.folder, 'data/sekisho.key')
    const store = await openStore(`sqlite:${join(started.folder, 'data/sekisho.db')}`)
    const config = { keyFile, keyProvider: { kind: 'file' }, previousKeyProviders: [] } as const
    const { vault } = openVault({ config, records: store.vault, clock: systemClock })
    await vault.put(keyOf(1), tokens[1] as string)
    await store.close()
    started.child.kill('SIGTERM')
    await until('its end', () => started.child.exitCode !== null)
    rmSync(keyFile)
    const refused = spawnSync(process.execPath, [cli, 'start', '-c', join(started.folder, 'sekisho.yaml')], { encoding: 'utf8' })
    assert.equal(refused.status, 1)
    assert.match(refused.stderr, /the key file .*sekisho\.key is not there, and what the vault keeps is sealed with it/)
    assert.ok(!existsSync(keyFile))
  })

  const key = randomBytes(32).toString('base64url')
  const next = randomBytes(32).toString('base64url')
  const env = { KEK: key, KEK_NEXT: next }
  const provider = { kind: 'environment', secret: 'env:KEK' }

  it('refuses to start with another key than the one that records are sealed with, and makes no new one', async () => {
    const started = await startIn(house, open({}, { vault: { keyProvider: provider } }), env)
    const path = join(started.folder, 'data/sekisho.db')
    const store = await openStore(`sqlite:${path}`)
    const secret = new Secret('env:KEK', key)
    const config = {
      keyFile: join(started.folder, 'data/sekisho.key'),
      keyProvider: { kind: 'environment', secret },
      previousKeyProviders: [],
    } as const
    const { vault } = openVault({ config, records: store.vault, clock: systemClock })
    await vault.put(keyOf(1), tokens[1] as string)

    const file = join(started.folder, 'sekisho.yaml')
    writeFileSync(
      join(started.folder, 'next.yaml'),
      JSON.stringify(
        open({}, { vault: { keyProvider: { ...provider, secret: 'env:KEK_NEXT' }, previousKeyProviders: [provider] } }),
      ),
    )
    const run = (...args: string[]) =>
      spawnSync(process.execPath, [cli, ...args], { encoding: 'utf8', env: { ...process.env, ...env } })
    const rotated = run('vault', 'rotate', '--json', '-c', join(started.folder, 'next.yaml'))
    assert.equal(rotated.status, 0, rotated.stderr)
    assert.equal((JSON.parse(rotated.stdout) as { rewrapped: number }).rewrapped, 1)
    const actions = (): unknown[] => recordOf(started).flatMap((one) => (one['kind'] === 'operator' ? [one['action']] : []))
    await until('the record of the rotation', () => actions().includes('vault.rotated'))

    started.child.kill('SIGTERM')
    await until('its end', () => started.child.exitCode !== null)
    const refused = run('start', '-c', file)
    assert.equal(refused.status, 1)
    assert.match(
      refused.stderr,
      /the vault has records under the key environment:[0-9a-f]{16}, and the configuration names no provider/,
    )
    assert.match(refused.stderr, /fix name the provider that had it under "vault.previousKeyProviders"/)
    assert.equal((await store.vault.keys()).length, 1)
    await store.close()
    const everything = [started.out, started.errors, refused.stderr, rotated.stdout, JSON.stringify(recordOf(started))].join('\n')
    for (const secret of [key, next, tokens[1] as string]) assert.ok(!everything.includes(secret))
    assert.deepEqual(hits(needles([key, next, tokens[1] as string]), join(started.folder, 'data')), [])
  })
})
