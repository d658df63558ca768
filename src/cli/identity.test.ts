/** `sekisho tokens`, `consents`, `sessions`, `keys rotate` and `idp` as people see them: each `$` line is run. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import test, { after } from 'node:test'
import { startOpenId } from '../../test/stand-ins/openid.ts'
import { Accounts } from '../identity/front/accounts.ts'
import { Consents } from '../identity/front/consents.ts'
import { Records } from '../identity/front/records.ts'
import { systemClock } from '../lib/clock.ts'
import { openStore } from '../storage/embedded.ts'
import { openKeyFile } from '../vault/key-file.ts'

const main = new URL('./main.ts', import.meta.url).pathname
const tenant = '11111111-aaaa-4aaa-8aaa-111111111111'
const folder = mkdtempSync(join(tmpdir(), 'sekisho-cli-identity-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const at = (name: string): string => join(folder, name)
const configured = (name: string, identity: string): void =>
  writeFileSync(
    at(name),
    `store: sqlite:./${name}.db
vault: { keyFile: ./sekisho.key }
identity: ${identity}
servers: { files: { command: [x], tools: { read: ["read_*"], write: ["write_*"] } } }
roles: { reader: [ { effect: allow, server: files, tools: ["*"], class: [read] } ] }
bindings: [ { role: reader, group: "5555" } ]
`,
  )
configured(
  'own.yaml',
  `{ mode: authorization-server, provider: { kind: entra, tenant: ${tenant}, clientId: x, clientSecret: "env:NOT_SET" } }`,
)

function run(line: string): Promise<string> {
  const words = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '')
  const flags = ['--disable-warning=ExperimentalWarning', main]
  const child = spawn(process.execPath, [...flags, ...words, ...(words.includes('-c') ? [] : ['-c', 'own.yaml'])], {
    cwd: folder,
  })
  let out = ''
  child.stdout.on('data', (chunk) => (out += chunk))
  child.stderr.on('data', (chunk) => (out += chunk))
  child.stdin.end()
  const shown = (text: string): string =>
    text
      .replaceAll(folder, 'FOLDER')
      .replaceAll(`cli:${userInfo().username}`, 'cli:ME')
      .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
  return new Promise((resolve) => child.on('close', (code) => resolve(`${shown(out)}[${code}]`)))
}

async function transcript(text: string): Promise<void> {
  for (const part of text.trim().split(/^\$ /m).filter(Boolean)) {
    const [line = '', ...expected] = part.split('\n')
    // How wide a column is depends on who runs this.
    const narrow = (said: string): string => said.replace(/ {2,}/g, '  ').trim()
    assert.equal(narrow(await run(line)), narrow(expected.join('\n')), `$ ${line}`)
  }
}

test('what cannot be done ends in a sentence, and says what to do', async () => {
  configured('keys.yaml', `{ mode: api-keys, keys: [ { id: ci, sha256: ${'ab'.repeat(32)} } ] }`)
  await transcript(`
$ tokens revoke
error say whose tokens: one of --user, --client and --token
[1]
$ tokens revoke --user key:ci
error "key:ci" is not the id of a user or an application
  fix an API key is revoked by taking it out of identity.keys
[1]
$ tokens revoke --user ada@example.com --json
{"error":"\\"ada@example.com\\" is not the id of a user or an application","fix":"write it as the audit log shows it, for example user:TENANT.OBJECT-ID; find it with: sekisho audit search --text login"}
[1]
$ consents list
error the key file FOLDER/sekisho.key is not there, and what the gateway remembers is sealed with it
  fix start the gateway once, which makes it; or restore it from a copy
[1]
$ keys rotate -c keys.yaml
error with identity mode "api-keys" the gateway issues no tokens of its own
[1]
$ sessions end --principal ada
error "ada" is not a principal
  fix write it as sekisho sessions list shows it: anonymous, key:ID, user:ID or application:ID
[1]
$ idp verify -c keys.yaml
error with identity mode "api-keys" there is no identity provider
  fix see what to register and to configure with: sekisho idp add
[2]
$ idp add entra
error there is no terminal to ask on; give --mode MODE --public-url URL --tenant GUID
[1]
$ idp add entra --mode authorization-server --public-url https://mcp.example.com --tenant common
error "common" is not a tenant id: copy the Directory (tenant) ID, a GUID; "common" would let everybody in
[1]
`)
})

test('tokens and sessions: taken back, and listed without the power to move a cursor', async () => {
  await transcript(`
$ tokens revocations
nothing has been revoked
[0]
$ tokens revoke --user user:${tenant}.ada --reason "lost \u001b[2Jlaptop"
revoked  what user:${tenant}.ada was given up to now
warning  nobody with this id is known here; ids of those who came: sekisho audit search --text login, or sekisho consents list
[0]
$ tokens revoke --token j1 --json
{"kind":"token","value":"j1"}
[0]
$ tokens revoke --token j1
revoked  the token j1
[0]
$ sessions end --principal key:ci
ended  the sessions of key:ci
[0]
$ sessions end --principal user:${tenant}.ada
ended  the sessions of user:${tenant}.ada
its tokens stay good; to take them back: sekisho tokens revoke --user user:${tenant}.ada
[0]
$ tokens revocations
KIND      VALUE                                          UP TO                     BY      REASON
user      user:11111111-aaaa-4aaa-8aaa-111111111111.ada  TIME  cli:ME  lost laptop
token     j1                                             TIME  cli:ME
sessions  key:ci                                         TIME  cli:ME
sessions  user:11111111-aaaa-4aaa-8aaa-111111111111.ada  TIME  cli:ME
[0]
`)
})

test('consents: listed, taken back, and gone; the signing key: rotated', async () => {
  const keys = await openKeyFile(at('sekisho.key'))
  const store = await openStore(`sqlite:${at('own.yaml.db')}`)
  const records = new Records(store, keys, systemClock)
  const consents = new Consents(records, systemClock, () => false)
  const proof = { contexts: [], authenticatedAt: 1, checkedAt: 1 }
  await new Accounts(records).keep({
    ...proof,
    id: `${tenant}.ada`,
    tenant,
    groups: [],
    roles: [],
    shownName: 'Ada \u001b[2JLovelace',
  })
  const wish = { redirectUri: 'http://127.0.0.1/cb', resources: ['https://g/mcp'], scopes: ['mcp:read'], clientDigest: 'd' }
  await consents.give(`${tenant}.ada`, { ...wish, clientId: 'editor', clientName: 'Ed\u001b[2Jitor' })
  await consents.give(`${tenant}.bob`, { ...wish, clientId: 'editor', clientName: 'Editor' })
  await store.close()
  await transcript(`
$ tokens revoke --user ${tenant}.ada
revoked  what user:${tenant}.ada was given up to now
a new login is good again; to keep somebody out, take away the role or the account
[0]
$ tokens revoke --user ${tenant}.eve
error "${tenant}.eve" is not the id of a user or an application
  fix write it as the audit log shows it, for example user:TENANT.OBJECT-ID; find it with: sekisho audit search --text login
[1]
$ tokens revoke --client editr
revoked  what the client editr was given up to now
warning  no client with this id is known here; those that people have agreed to: sekisho consents list
[0]
$ consents list --user user:${tenant}.ada
USER                                           PERSON        CLIENT  CALLS ITSELF  SCOPES    CODES GO TO          GIVEN
user:11111111-aaaa-4aaa-8aaa-111111111111.ada  Ada Lovelace  editor  Editor        mcp:read  http://127.0.0.1/cb  TIME
[0]
$ consents revoke --user user:${tenant}.ada --client editr
error user:${tenant}.ada has not agreed to the client "editr"; did you mean "editor"?
[1]
$ consents revoke --user user:${tenant}.ada --client editor
revoked  editor may no longer act for user:${tenant}.ada, and has to ask again
[0]
$ consents list --json
[{"user":"user:${tenant}.bob","client":"editor","name":"Editor","scopes":["mcp:read"],"resources":["https://g/mcp"],"redirectUri":"http://127.0.0.1/cb","givenAt":"TIME"}]
[0]
$ consents list --user user:${tenant}.ada
nobody has agreed to anything
[0]
$ tokens revoke --client editor --json
{"kind":"client","value":"editor","known":true}
[0]
$ consents list
nobody has agreed to anything
[0]
$ keys rotate
rotated
  signs     key 2, in a running gateway within a second
  believed  key 1 as well, for about an hour: until what it signed has expired
[0]
$ keys rotate --json
{"key":3,"believed":[2,1]}
[0]
$ keys rotate
rotated
  signs     key 4, in a running gateway within a second
  believed  keys 3, 2 and 1 as well, for about an hour: until what they signed has expired
[0]
`)
})

test('policy why: a token holder, what the token says, and the scope it lacks', async () => {
  await transcript(`
$ policy why -p user:${tenant}.ada --group 5555 --scope mcp:read --server files --tool write_a
denied  No rule of reader allows the tool "write_a" of server "files" for user:${tenant}.ada.  (class write)
the token needs the scope mcp:write besides

  roles.reader[0]  allow  -  "class" does not have its class

next
  add a rule under "roles.reader", for everybody who has that role:  - { effect: allow, server: files, tools: ["write_a"] }
  sekisho check --config own.yaml
[0]
$ policy why -p user:${tenant}.ada --app-role Reader --scope mcp:write --server files --tool read_a
denied  user:${tenant}.ada has no role, so nothing is allowed.  (class read)

  no rules to consider

next
  bind the role that allows it, under "bindings":  - { role: reader, user: "user:${tenant}.ada" }  or, for everybody who has it:  - { role: reader, appRole: "Reader" }
  sekisho check --config own.yaml
[0]
`)
})

test('idp verify: exit codes 0, 1 and 2, by what was found', async () => {
  const provider = await startOpenId('https://mcp.example.com/oauth/callback')
  const written = (name: string, issuer: string, clientId: string): void => {
    const identity = `{ mode: authorization-server, provider: { kind: oidc, issuer: "${issuer}", clientId: ${clientId} } }`
    configured(name, identity)
    writeFileSync(at(name), 'publicUrl: https://mcp.example.com\n', { flag: 'a' })
  }
  written('good.yaml', provider.issuer, provider.clientId)
  written('bad.yaml', provider.issuer, 'nobody')
  written('away.yaml', 'http://127.0.0.1:1', provider.clientId)
  const [good, bad, away] = await Promise.all(['good', 'bad', 'away'].map((name) => run(`idp verify -c ${name}.yaml`)))
  await provider.close()
  assert.match(good ?? '', /^http:\/\/127\.0\.0\.1:\d+\n(?: {2}pass {2}\S.*\n){6}\[0\]$/)
  assert.match(bad ?? '', / {2}fail {2}client +the provider does not know the client id[^\n]*\n +fix [^\n]+\n\[1\]$/)
  assert.match(away ?? '', / {2}unverifiable {2}metadata {2}[^\n]+\n +fix [^\n]+\n\[2\]$/)
})
