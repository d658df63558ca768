/** What people type and what they see, as transcripts: each `$` line is run, the rest is what it has to print. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'

const here = (file: string): string => JSON.stringify(new URL(file, import.meta.url).href)
/** Only the commands under test, so that no other room has to work for them. */
const program = `
import { Command } from 'commander'
import { checkCommand } from ${here('./check.ts')}
import { initCommand } from ${here('./init.ts')}
import { keysCommand } from ${here('./keys.ts')}
import { policyCommand } from ${here('./policy.ts')}
import { serversCommand } from ${here('./servers.ts')}
const commands = [checkCommand(), initCommand(), keysCommand(), policyCommand(), serversCommand()]
const program = new Command('sekisho')
for (const command of commands) program.addCommand(command)
await program.parseAsync(process.argv.slice(1), { from: 'user' })
`
const root = new URL('../..', import.meta.url).pathname
const folder = mkdtempSync(join(tmpdir(), 'sekisho-cli-'))
const file = join(folder, 'sekisho.yaml')
const write = (text: string): void => writeFileSync(file, text)

interface Ran {
  readonly code: number | null
  readonly out: string
  readonly err: string
}
function run(...args: string[]): Promise<Ran> {
  const flags = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', program, '--']
  const config = args[0] === 'keys' || args.includes('-c') ? [] : ['-c', file]
  const child = spawn(process.execPath, [...flags, ...args, ...config], { cwd: root })
  let [out, err] = ['', '']
  child.stdout.on('data', (chunk) => (out += chunk))
  child.stderr.on('data', (chunk) => (err += chunk))
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, out: shown(out), err: shown(err) })))
}
/** With what differs from machine to machine replaced. */
const shown = (text: string): string =>
  text
    .replaceAll(file, 'FILE')
    .replaceAll(folder, 'FOLDER')
    .replaceAll(`cli:${userInfo().username}`, 'cli:ME')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')

async function transcript(text: string): Promise<void> {
  for (const part of text.trim().split(/^\$ /m).filter(Boolean)) {
    const [line = '', ...expected] = part.split('\n')
    const args = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '')
    const { code, out, err } = await run(...args)
    assert.equal(`${out}${err}[${code}]`.trim(), expected.join('\n').trim(), `$ ${line}`)
  }
}

test('check: every mistake with its place, a caret and what to do', async () => {
  write('lisen: 127.0.0.1:1\nservers:\n  files: { command: "npx files" }\n')
  await transcript(`
$ check
FILE:1:1 lisen is not a key we know
  1 | lisen: 127.0.0.1:1
    | ^
  fix did you mean "listen"?

FILE:3:21 servers.files.command must be a list and is text
  3 |   files: { command: "npx files" }
    |                     ^
  fix write a list: [program, argument]; there is no shell

2 errors in FILE
[1]
`)
})

test('check: for machines; a missing secret; a missing file', async () => {
  write('servers: { files: { command: [x], env: { TOKEN: "env:SEKISHO_TEST_NOT_SET" } } }')
  await transcript(`
$ check --json
{"file":"FILE","valid":false,"problems":[{"path":"servers.files.env.TOKEN","line":1,"column":49,"message":"refers to the variable SEKISHO_TEST_NOT_SET, which is not set","fix":"set SEKISHO_TEST_NOT_SET before you start the gateway"}],"warnings":[]}
[1]
$ check --no-secrets
FILE:1:1 bindings names nobody, so nobody may do anything
  1 | servers: { files: { command: [x], env: { TOKEN: "env:SEKISHO_TEST_NOT_SET" } } }
    | ^
  fix write for example bindings: [{ role: ROLE, group: ID }], or anonymous: true where everyone may come in

1 warning in FILE
ok  FILE: 1 server
[0]
`)
  const { code, out } = await run('check', '-c', join(folder, 'none.yaml'))
  assert.equal(code, 1)
  assert.match(out, /none\.yaml:1:1 does not exist\n {2}fix make one with: sekisho init/)
})

const token = `ghp_${'a'.repeat(36)}`
for (const [says, text] of [
  ['a token in env', `servers: { a: { command: [x], env: { TOKEN: ${token} } } }`],
  ['a password in a URL', `servers: { a: { url: "https://u:${token}@h.example/" } }`],
  ['a key where its digest should be', `identity: { mode: api-keys, keys: [{ id: ci, sha256: ${token} }] }`],
  ['a number', `servers: { a: { command: [x], env: { PASSWORD: 31337 } } }`],
  ['a token for a key', `${token}: 1`],
  ['a token for a role', `bindings: [{ role: ${token}, anonymous: true }]`],
  ['a token in what cannot be read', `servers: *${token}`],
] as const)
  test(`check: ${says} is refused and not repeated`, async () => {
    write(text)
    for (const flags of [[], ['--json']]) {
      const { code, out, err } = await run('check', ...flags)
      assert.equal(code, 1)
      assert.doesNotMatch(out + err, /ghp_|31337/)
    }
  })

test('check: what a revoked key leaves behind is a warning', async () => {
  write('roles: { r: [{ effect: allow, server: "*", tools: ["*"] }] }\nbindings:\n  - { role: r, apiKey: ci }\n')
  await transcript(`
$ check
FILE:3:24 bindings[0].apiKey names the key "ci", which does not exist, so it grants nothing
  3 |   - { role: r, apiKey: ci }
    |                        ^
  fix set identity: { mode: api-keys, keys: [...] }

1 warning in FILE
ok  FILE: 0 servers
[0]
`)
})

test('init: writes a configuration that is good, and never over one', async () => {
  const path = join(folder, 'new.yaml')
  assert.match((await run('init', '--yes', '-c', path)).out, /new\.yaml is written\. Next: sekisho check/)
  const { code, out } = await run('check', '-c', path)
  assert.equal(code, 0)
  assert.match(out, /mcp-server-filesystem, which is not there\n[\s\S]*1 warning in [\s\S]*\nok /)
  const written = readFileSync(path, 'utf8')
  for (const [flag, said] of [
    ['--yes', 'error FOLDER/new.yaml exists, and is left as it is\n'],
    ['--json', '{"error":"FOLDER/new.yaml exists, and is left as it is"}\n'],
  ] as const) {
    const { code, err } = await run('init', flag, '-c', path)
    assert.deepEqual([code, err], [1, said])
  }
  assert.equal(readFileSync(path, 'utf8'), written)
})

test('init: without a terminal, and without a folder, it ends in a sentence', async () => {
  assert.deepEqual(await run('init', '-c', join(folder, 'asked.yaml')), {
    code: 1,
    out: '',
    err: 'error there is no terminal to ask on; this asks nothing: sekisho init --yes\n',
  })
  assert.deepEqual(await run('init', '--yes', '-c', join(folder, 'new', 'x.yaml')), {
    code: 1,
    out: '',
    err: 'error there is no folder FOLDER/new; make it first\n',
  })
})

const good = `
servers:
  files: { command: [./files], tools: { read: ["read_*"] } }
roles:
  reader:
    - { effect: allow, server: files, tools: ["*"], class: [read] }
    - { effect: deny, server: files, tools: [read_secret] }
bindings:
  - { role: reader, anonymous: true }
`

test('policy why: allowed, denied, and what cannot be asked', async () => {
  write(good)
  await transcript(`
$ policy why --principal anonymous --server files --tool read_secret
denied  roles.reader[1] denies the tool "read_secret" of server "files" for anonymous.  (class read)

  roles.reader[0]  allow  matches  matches, but a deny rule decides
  roles.reader[1]  deny   matches  decides

next
  narrow or remove the deny rule roles.reader[1]
  sekisho check --config FILE
[0]
$ policy why --principal anonymous --server files --tool write_a
denied  No rule of reader allows the tool "write_a" of server "files" for anonymous.  (class destructive)

  roles.reader[0]  allow  -  "class" does not have its class
  roles.reader[1]  deny   -  "tools" does not name it

next
  add a rule under "roles.reader":  - { effect: allow, server: files, tools: ["write_a"] }
  sekisho check --config FILE
[0]
$ policy why --principal alice --server files
error "alice" is not a principal: write anonymous, key:ID, user:ID or application:ID, as the audit log shows it
[1]
$ policy why --principal anonymous --server fils
error there is no server "fils"; did you mean "files"?
[1]
`)
  const { code, out } = await run('policy', 'why', '-p', 'anonymous', '-s', 'files', '--tool', 'read_a', '--json')
  assert.equal(code, 0)
  assert.equal(JSON.parse(out).allowed, true)
  assert.match(
    (await run('policy', 'why', '-p', 'anonymous', '-s', 'files', '--tool', 'a', '--prompt', 'b')).err,
    /cannot be used with/,
  )
})

test('policy why: a name as /mcp shows it, a guard that does not enforce, a word that is no question', async () => {
  write(`${good}guards: [{ guard: policy, mode: monitor, legs: [call] }]\n`)
  await transcript(`
$ policy why --principal anonymous --server files --tool files__write_a
denied  No rule of reader allows the tool "write_a" of server "files" for anonymous.  (class destructive)
policy is in monitor mode here; this passes

  roles.reader[0]  allow  -  "class" does not have its class
  roles.reader[1]  deny   -  "tools" does not name it

next
  add a rule under "roles.reader":  - { effect: allow, server: files, tools: ["write_a"] }
  sekisho check --config FILE
[0]
$ policy why --principal anonymous --server files --ask roots
denied  No rule of reader allows the question "roots" of server "files" for anonymous.

  roles.reader[0]  allow  -  "asks" does not name it
  roles.reader[1]  deny   -  "asks" does not name it

next
  add a rule under "roles.reader":  - { effect: allow, server: files, asks: ["roots"] }
  sekisho check --config FILE
[0]
$ policy why --principal anonymous --server files --ask bogus
error: option '--ask <name>' argument 'bogus' is invalid. Allowed choices are sampling, elicitation, roots.
[1]
`)
})

test('servers: list, disable, enable', async () => {
  write(good)
  await transcript(`
$ servers list
ID     STATE    KIND   TRUST      TARGET
files  enabled  stdio  untrusted  FOLDER/files
[0]
`)
  const disabled = await run('servers', 'disable', 'files', '--reason', 'leaks\u001b[2J\nmore')
  assert.deepEqual(disabled, { code: 0, out: 'disabled  files; undo with: sekisho servers enable files\n', err: '' })
  await transcript(`
$ servers list
ID     STATE     KIND   TRUST      TARGET
files  disabled  stdio  untrusted  FOLDER/files  by cli:ME at TIME: leaks more
[0]
$ servers enable files
enabled  files
[0]
$ servers enable files
enabled  files (it was not disabled)
[0]
$ servers enable file
error there is no server "file"; did you mean "files"?
[1]
`)
})

test('keys new: a key, once, and the lines to paste', async () => {
  const { code, out } = await run('keys', 'new', 'ci')
  assert.equal(code, 0)
  assert.match(out, /^sk_ci_[A-Za-z0-9_-]{43}\nShown this once/)
  assert.match(out, /- \{ id: ci, sha256: "[0-9a-f]{64}" \}\n {2}- \{ role: ROLE, apiKey: ci \}/)
  assert.deepEqual(Object.keys(JSON.parse((await run('keys', 'new', 'ci', '--json')).out)), ['id', 'key', 'sha256', 'yaml'])
  assert.deepEqual(await run('keys', 'new', 'C_I'), {
    code: 1,
    out: '',
    err: 'error "C_I" is not an id for a key: 1 to 32 of a-z, 0-9 and "-", beginning with a letter\n',
  })
  assert.ok(readFileSync(file, 'utf8') === good, 'no command but init writes the configuration')
})
