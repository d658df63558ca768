/** `sekisho supply` as people see it: each `$` line is run, the rest is what it has to print, and its exit code. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import test, { after } from 'node:test'
import { startGithub } from '../../test/stand-ins/github.ts'

const main = new URL('./main.ts', import.meta.url).pathname
const folder = mkdtempSync(join(tmpdir(), 'sekisho-cli-supply-'))
const github = await startGithub([{ name: 'acme/gateway', token: 'writer' }])
after(async () => {
  await github.close()
  rmSync(folder, { recursive: true })
})

const put = (file: string, value: string | object): void =>
  writeFileSync(join(folder, file), typeof value === 'string' ? value : JSON.stringify(value))
mkdirSync(join(folder, 'advisories'))
put(
  'sekisho.yaml',
  `store: sqlite:./sekisho.db
servers: { files: { command: [npx, server@1.0.0] } }
components:
  - kind: model
    name: embedder
    version: "1"
    file: ./model.pkl
    licence: MIT
    owner: Search
    usedBy: [files]
    attestations: [{ by: Ann, owner: Search, statement: tested, expires: "2999-01-01", signature: ./embedder.jws }]
supply:
  licences: { allow: [MIT] }
  attestationKeys: [./team.pem]
  advisories: { path: ./advisories, ageDaysMax: 3650, quarantine: high }
`,
)
const { publicKey, privateKey } = generateKeyPairSync('ed25519')
put('team.pem', publicKey.export({ type: 'spki', format: 'pem' }) as string)
put('private.pem', privateKey.export({ type: 'pkcs8', format: 'pem' }) as string)
put('model.pkl', 'cos\nsystem\n(S"id"\ntR.')
put('advisories/a.json', {
  ...{ id: 'GHSA-1', modified: new Date(Date.now() - 3_600_000).toISOString(), summary: 'It runs what it is told' },
  affected: [
    {
      package: { ecosystem: 'npm', name: 'server' },
      ranges: [{ type: 'SEMVER', events: [{ introduced: '0' }, { fixed: '1.0.1' }] }],
    },
  ],
  database_specific: { severity: 'CRITICAL' },
})
put('found.sarif', {
  version: '2.1.0',
  runs: [{ tool: { driver: { name: 'CodeQL' } }, results: [{ ruleId: 'js/x', level: 'error', message: { text: 'bad' } }] }],
})
put('alerts.json', [
  [
    {
      ...{
        number: 1,
        state: 'open',
        secret_type: 'github_pat',
        secret: `gh${'p_'}x1Y2z3A4b5C6d7E8f9G0h1J2k3L4m5N6o7P8`,
        validity: 'active',
      },
      ...{ secret_type_display_name: 'GitHub Token', first_location_detected: { path: 'a.env', start_line: 3 } },
    },
  ],
  [
    {
      ...{ number: 2, state: 'fixed', security_advisory: { ghsa_id: 'GHSA-2', severity: 'high', summary: 'It is slow' } },
      dependency: { package: { ecosystem: 'npm', name: 'server' } },
    },
  ],
])
put('no-alerts.json', { message: 'Not Found' })
put('none.sarif', { version: '2.1.0', runs: [{ tool: { driver: { name: 'CodeQL' } }, results: [] }] })
const token = `gh${'p_'}x1Y2z3A4b5C6d7E8f9G0h1J2k3L4m5N6o7P8`
put('app.env', `TOKEN=${token}\n`)
put('server.py', 'import os\n\n@mcp.tool()\ndef a(x):\n    os.system(x)\n')

function run(line: string): Promise<string> {
  const environment = { ...process.env, NO_COLOR: '1', GITHUB_TOKEN: 'writer', SOURCE_DATE_EPOCH: '0' }
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', main, ...line.split(' ')], {
    cwd: folder,
    env: environment,
  })
  let out = ''
  child.stdout.on('data', (chunk) => (out += chunk))
  child.stderr.on('data', (chunk) => (out += chunk))
  const shown = (text: string): string =>
    text
      .replaceAll(folder, 'FOLDER')
      .replaceAll(`cli:${userInfo().username}`, 'cli:ME')
      .replace(/\b[0-9a-f]{64}\b/g, 'DIGEST')
  return new Promise((resolve) => child.on('close', (code) => resolve(`${shown(out)}[${code}]`)))
}

async function transcript(text: string): Promise<void> {
  for (const part of text.trim().split(/^\$ /m).filter(Boolean)) {
    const [line = '', ...expected] = part.split('\n')
    const out = await run(line)
    assert.equal(out.trim(), expected.join('\n').trim(), `$ ${line}`)
    assert.doesNotMatch(out, /ghp_|writer/)
  }
}

test('refusals say what to do', () =>
  transcript(`
$ supply sbom -l yarn.lock
error yarn.lock is no lock file that can be read
  fix name a package-lock.json, uv.lock, poetry.lock or requirements.txt
[1]
$ supply sbom --serial 7
error: option '--serial <urn>' argument '7' is invalid. It is urn:uuid: and a UUID in small letters.
[1]
$ supply sbom --home .
error --home is where to look for clients; ask for them with --clients
[1]
$ supply check --traffic
error there is no log at FOLDER/data/audit.db
  fix look at traffic after the gateway has run, or leave --traffic out
[2]
$ supply sbom --format spdx --spec-version 1.6
error --spec-version is of CycloneDX; SPDX is 2.3
[1]
$ supply check --alerts no-alerts.json
error no-alerts.json cannot be read as alerts: it is not a list of alerts, as the API of GitHub answers
  fix write what the API lists: gh api --paginate --slurp repos/OWNER/NAME/dependabot/alerts
[2]
$ supply attest nobody --key private.pem
error no component is called "nobody"
  fix write it under "components"
[1]
$ supply submit --repository acme/gateway --sha 1 --ref refs/heads/main --token writ
error: option '--token <reference>' argument 'writ' is invalid. It is env:NAME or file:PATH, never the token itself.
[1]
$ supply sarif nowhere.sarif
not-checked  nowhere.sarif: it cannot be read: ENOENT
[2]
`))

test('alerts of GitHub fail as long as they are open, and name no secret', async () => {
  const out = await run('supply check --alerts alerts.json --all')
  assert.match(out, /✗ +secret-scanning +a\.env:3 +critical +github_pat: GitHub Token, which still works\n/)
  assert.match(out, /✓ +dependabot +npm server +high +GHSA-2: It is slow \(closed\) +files\n/)
  assert.match(out, /\[1\]$/)
  assert.doesNotMatch(out, /ghp_/)
})

test('the bill of materials in SPDX', async () => {
  const text = await run('supply sbom --format spdx')
  const { spdxVersion, creationInfo, packages } = JSON.parse(text.slice(0, text.lastIndexOf('['))) as {
    spdxVersion: string
    creationInfo: { created: string }
    packages: { name: string }[]
  }
  assert.deepEqual([spdxVersion, creationInfo.created], ['SPDX-2.3', '1970-01-01T00:00:00Z'])
  assert.deepEqual(packages.map(({ name }) => name).sort(), ['embedder', 'files', 'mcp-gateway', 'server'])
})

test('check, attest, check again, watch', () =>
  transcript(`
$ supply attest embedder --key private.pem
signed  model:embedder@1  tested  FOLDER/embedder.jws
[0]
$ supply check
   KIND      NAME          CHECK                                                    USED BY
–  model     embedder      hash      no hash is written down for its file           files
✗  model     embedder      format    pickle; loading it runs os.system (at byte 0)  files
–  package   server        licence   no licence is stated                           files
✗  advisory  server 1.0.0  critical  GHSA-1: It runs what it is told                files
advisories: 1 record, the newest 0 days old
not as it should be  3 components
[1]
$ supply watch --once
new   GHSA-1 (critical) in server 1.0.0: It runs what it is told; mended in 1.0.1; used by files
new   format of model embedder: pickle; loading it runs os.system (at byte 0); used by files
disabled  files; undo with: sekisho servers enable files
advisories: 1 record, the newest 0 days old
[1]
$ supply watch --once
advisories: 1 record, the newest 0 days old
[1]
`))

test('secrets, code and SARIF have exit codes like grep', () =>
  transcript(`
$ supply secrets app.env
app.env:1:7  GitHub token  certain  secret/github-token  DIGEST
rotate  GitHub token  GitHub: Settings, Developer settings, Personal access tokens (or the app that it is of)
1 secret  1 file
[1]
$ supply secrets none.sarif
no secrets  1 file
[0]
$ supply secrets nowhere
not read  nowhere  is not there
no secrets  0 files
[2]
$ supply code server.py
server.py:5:8  critical  arguments of a tool go into a shell (os.system)  code/command-of-arguments
1 finding  1 file
[1]
$ supply sarif found.sarif none.sarif
high  js/x    bad
failed  found.sarif: 1 of severity high or worse
passed  none.sarif: 0 findings, none of severity high or worse that is not dismissed
[1]
$ supply sarif --refuse critical found.sarif
high  js/x    bad
passed  found.sarif: 1 finding, none of severity critical or worse that is not dismissed
[0]
`))

test('packages go to GitHub, and the bill of materials is the same each time', async () => {
  const sha = 'a'.repeat(40)
  const sent = await run(`supply submit --repository acme/gateway --sha ${sha} --ref refs/heads/main --api ${github.url}`)
  assert.equal(sent, 'sent  1 packages of sekisho.yaml to acme/gateway\n[0]')
  const [one, two] = [await run('supply sbom'), await run('supply sbom')]
  assert.equal(one, two)
  assert.doesNotMatch(one, /FOLDER/)
  assert.match(one, /"bomFormat": "CycloneDX"[\s\S]*1970-01-01T00:00:00\.000Z[\s\S]*machine-learning-model/)
})
