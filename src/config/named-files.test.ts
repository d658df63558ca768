import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { checkConfig } from './load.ts'

const folder = mkdtempSync(join(tmpdir(), 'sekisho-named-'))
for (const name of ['cert.pem', 'key.pem', 'plain']) writeFileSync(join(folder, name), '')
writeFileSync(join(folder, 'program'), '#!/bin/sh\n', { mode: 0o700 })
mkdirSync(join(folder, 'there'))

async function said(text: string, secrets: 'fetch' | 'leave' = 'fetch') {
  const file = join(folder, 'sekisho.yaml')
  writeFileSync(file, text)
  const { problems, warnings } = await checkConfig(file, { PATH: folder }, { secrets })
  const lines = (from: typeof problems) => from.map(({ path, message }) => `${path} ${message}`.replaceAll(folder, '.'))
  return { problems: lines(problems), warnings: lines(warnings) }
}
const bound = 'roles: { r: [] }\nbindings: [{ role: r, anonymous: true }]'
const remote = (tls: string): string => `servers: { crm: { url: "https://crm.example.com/mcp", tls: ${tls} } }\n${bound}`
const local = (rest: string): string => `servers: { files: { ${rest} } }\n${bound}`

const refused: readonly (readonly [text: string, problems: readonly string[]])[] = [
  [
    'tls: { cert: ./no.pem, key: key.pem, clientCa: there }',
    ['tls.cert names ./no.pem, which cannot be read (ENOENT)', 'tls.clientCa names ./there, which cannot be read (not a file)'],
  ],
  [remote('{ ca: no.pem }'), ['servers.crm.tls.ca names ./no.pem, which cannot be read (ENOENT)']],
  [remote('{ cert: cert.pem, key: plain/no }'), ['servers.crm.tls.key names ./plain/no, which cannot be read (ENOTDIR)']],
  [
    'audit: { sinks: [{ kind: syslog, host: siem.example.com, port: 6514, tls: { ca: no.pem } }] }',
    ['audit.sinks[0].tls.ca names ./no.pem, which cannot be read (ENOENT)'],
  ],
  ['supply: { keys: [cert.pem, no.pem] }', ['supply.keys[1] names ./no.pem, which cannot be read (ENOENT)']],
  [
    'servers: { a: { url: "https://a.example/" } }\npins: { manifests: { a: { file: no.json, keys: [cert.pem, no.pub] } } }\n' +
      'roles: { r: [] }\nbindings: [{ role: r, anonymous: true }]',
    ['pins.manifests.a.keys[1] names ./no.pub, which cannot be read (ENOENT)'],
  ],
  ['store: sqlite:./plain/data/x.db', ['store cannot be written in ./plain (not a folder)']],
  ['audit: { path: plain/a.db }', ['audit.path cannot be written in ./plain (not a folder)']],
  ['audit: { anchor: plain/a/anchor }', ['audit.anchor cannot be written in ./plain (not a folder)']],
  ['vault: { keyFile: plain/key }', ['vault.keyFile cannot be written in ./plain (not a folder)']],
]
for (const [text, problems] of refused)
  test(`refuses ${text.split('\n')[0]}`, async () => {
    assert.deepEqual(await said(text), { problems, warnings: [] })
    assert.deepEqual(await said(text, 'leave'), { problems: [], warnings: [] }, 'where no file is looked for')
  })

test('a folder that cannot be written refuses what would be made in it', { skip: process.getuid?.() === 0 }, async () => {
  mkdirSync(join(folder, 'closed'))
  chmodSync(join(folder, 'closed'), 0o500)
  assert.deepEqual((await said('store: sqlite:closed/x/y.db')).problems, ['store cannot be written in ./closed (EACCES)'])
})

const warned: readonly (readonly [rest: string, warnings: readonly string[]])[] = [
  ['command: [./no-such]', ['servers.files.command[0] names the program ./no-such, which is not there']],
  ['command: [no-such]', ['servers.files.command[0] names the program no-such, which is not there']],
  ['command: [./plain]', ['servers.files.command[0] names the program ./plain, which is not there']],
  ['command: [program], cwd: no', ['servers.files.cwd names ./no, which is not a folder']],
  ['command: [program], cwd: plain', ['servers.files.cwd names ./plain, which is not a folder']],
  ['command: [program], cwd: there', []],
  ['command: [./program]', []],
]
for (const [rest, warnings] of warned)
  test(`${warnings.length === 0 ? 'takes' : 'warns of'} ${rest}`, { skip: process.platform === 'win32' }, async () => {
    assert.deepEqual(await said(local(rest)), { problems: [], warnings })
  })

test('warns of a lock that is not there', async () => {
  const warning = 'supply.lock names ./no.lock, which is not there, so no server is started'
  assert.deepEqual(await said('supply: { lock: no.lock }'), { problems: [], warnings: [] })
  assert.deepEqual(await said(`supply: { lock: no.lock }\n${local('command: [program]')}`), { problems: [], warnings: [warning] })
  assert.deepEqual(await said(`supply: { lock: plain }\n${local('command: [program]')}`), { problems: [], warnings: [] })
})

test('what is there is enough', async () => {
  const text = `tls: { cert: cert.pem, key: key.pem }\nstore: sqlite:./new/folder/x.db\n${remote('{ ca: cert.pem }')}`
  assert.deepEqual(await said(text), { problems: [], warnings: [] })
})
