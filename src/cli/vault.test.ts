/** `sekisho vault` as people see it: each `$` line is run, the rest is what it has to print. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, renameSync, writeFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { cellar } from '../vault/fixture.test.ts'

const main = new URL('./main.ts', import.meta.url).pathname
const token = 'ghp_a-token-that-nobody-shows'

async function house() {
  const folder = mkdtempSync(join(tmpdir(), 'sekisho-cli-vault-'))
  const file = join(folder, 'sekisho.yaml')
  writeFileSync(file, 'store: sqlite:./sekisho.db\nservers: { a: { command: [x], env: { T: "env:NOT_SET" } } }\n')
  const kept = await cellar({}, folder)
  const run = (line: string): Promise<string> => {
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', main, ...line.split(' '), '-c', file])
    let out = ''
    child.stdout.on('data', (chunk) => (out += chunk))
    child.stderr.on('data', (chunk) => (out += chunk))
    const shown = (text: string): string =>
      text
        .replaceAll(folder, 'FOLDER')
        .replaceAll(`cli:${userInfo().username}`, 'cli:ME')
        .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
        .replace(/\b[0-9a-f]{16}\b/g, 'RECORD')
    return new Promise((resolve) => child.on('close', (code) => resolve(`${shown(out)}[${code}]`)))
  }
  const transcript = async (text: string): Promise<void> => {
    for (const part of text.trim().split(/^\$ /m).filter(Boolean)) {
      const [line = '', ...expected] = part.split('\n')
      const out = await run(line)
      assert.equal(out, expected.join('\n').trim(), `$ ${line}`)
      assert.doesNotMatch(out, /ghp_/)
    }
  }
  return { ...kept, folder, run, transcript }
}

const alice = { owner: 'key:alice', server: 'crm', kind: 'access-token' }

test('vault: refusals say what to do, also for machines', async () => {
  const { vault, keyFile, transcript } = await house()
  await vault.put(alice, token)
  renameSync(keyFile, `${keyFile}.away`)
  await transcript(`
$ vault purge
error say what to purge: --owner, --server or --older-than
[1]
$ vault purge --older-than 3
error: option '--older-than <span>' argument '3' is invalid. It is a span such as 12h, 90d.
[1]
$ vault list
error the key file FOLDER/sekisho.key is not there, and what the vault keeps is sealed with it
  fix restore it from a copy; if it is lost, purge what cannot be opened any more: sekisho vault purge --older-than 0s
[1]
$ vault rotate --json
{"error":"the key file FOLDER/sekisho.key is not there, and what the vault keeps is sealed with it","fix":"restore it from a copy; if it is lost, purge what cannot be opened any more: sekisho vault purge --older-than 0s"}
[1]
$ vault verify
not intact  1 record
  closed  1 record  file:1  the key file FOLDER/sekisho.key is not there, and what the vault keeps is sealed with it; restore it from a copy; if it is lost, purge what cannot be opened any more: sekisho vault purge --older-than 0s
[1]
$ vault purge --server crm
removed  1 record
[0]
`)
})

test('vault: an empty one', async () => {
  const { transcript } = await house()
  await transcript(`
$ vault list
nothing is kept
[0]
$ vault verify
intact  0 records
[0]
$ vault rotate
nothing is kept, so there is no key to rotate
[0]
$ vault purge --owner key:alice --json
{"removed":0}
[0]
`)
})

test('vault: list, verify, rotate and purge, each of it for the record, and no value anywhere', async () => {
  const { vault, store, sql, transcript } = await house()
  await vault.put(alice, token)
  await vault.put({ ...alice, client: 'https://c.example/\u001b[2J' }, token)
  await vault.put({ ...alice, owner: 'key:bob', server: 'files' }, token)
  await transcript(
    `
$ vault list --server files
SERVER  OWNER    KIND          CLIENT  WRITTEN                   KEY     RECORD
files   key:bob  access-token          TIME  file:1  RECORD
[0]
$ vault list --owner key:alice --json
[{"record":"RECORD","owner":"key:alice","server":"crm","kind":"access-token","version":1,"key":"file:1","at":"TIME"},{"record":"RECORD","owner":"key:alice","client":"https://c.example/\\u001b[2J","server":"crm","kind":"access-token","version":1,"key":"file:1","at":"TIME"}]
[0]
$ vault verify
intact  3 records
[0]
$ vault rotate
rotated
  key      file:2
  moved    3 records
  retired  file:1
back up the new key file: without it nothing in the vault opens
[0]
`,
  )
  sql("UPDATE vault_records SET at = 5 WHERE server = 'files'")
  await transcript(`
$ vault verify
not intact  3 records
  changed  RECORD  files  access-token
[1]
$ vault verify --json
{"records":3,"broken":[{"record":"RECORD","server":"files","kind":"access-token"}],"closed":[]}
[1]
$ vault purge --owner key:alice --server crm
removed  2 records
[0]
$ vault purge --older-than 1d
removed  1 record
[0]
`)
  assert.deepEqual(
    (await store.unrecorded()).map(({ action, by, server, detail }) =>
      [action, by.replace(userInfo().username, 'ME'), server, detail].join(' | '),
    ),
    [
      'vault.key-added | gateway |  | file:1',
      'vault.key-added | cli:ME |  | file:2',
      'vault.rotated | cli:ME |  | 3 records to file:2',
      'vault.purged | cli:ME | crm | 2 records of key:alice',
      'vault.purged | cli:ME |  | 1 records older than 86400 s',
    ],
  )
  assert.deepEqual(await store.vault.keys(), [], 'an empty vault begins anew')
})
