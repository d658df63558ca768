/** `sekisho discover`, `wrap` and `unwrap`, as transcripts. What they do to files is in admin/operations/wrap.test.ts. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { after } from 'node:test'
import { thisProgram } from './this-program.ts'

const main = new URL('./main.ts', import.meta.url).pathname
const home = mkdtempSync(join(tmpdir(), 'sekisho-cli-wrap-'))
after(() => rmSync(home, { recursive: true, force: true }))
mkdirSync(join(home, '.cursor'))
mkdirSync(join(home, '.codex'))
const token = `ghp_${'a'.repeat(36)}`
const cursor = join(home, '.cursor/mcp.json')
const config = `{
  "mcpServers": {
    "git\\u001b[2Jhub": { "command": "npx", "args": ["-y", "server", "--token", "${token}"], "env": { "GITHUB_TOKEN": "${token}" } },
    "crm": { "url": "https://crm.example/mcp?key=abcdefgh", "headers": { "Authorization": "Bearer s3cret" } }
  }
}
`
writeFileSync(cursor, config)
writeFileSync(join(home, '.codex/config.toml'), '[mcp_servers.x]\ncommand =\n')

interface Ran {
  readonly code: number | null
  readonly out: string
  readonly err: string
}
function run(...args: string[]): Promise<Ran> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', main, ...args, '--home', home], { cwd: home })
  let [out, err] = ['', '']
  child.stdout.on('data', (chunk) => (out += chunk))
  child.stderr.on('data', (chunk) => (err += chunk))
  const shown = (text: string): string =>
    text.replaceAll(process.execPath, 'NODE').replaceAll(main, 'MAIN').replaceAll(home, 'HOME').replace(/ +$/gm, '')
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, out: shown(out), err: shown(err) })))
}

test('wrap: which servers has to be said; a client that we do not know', async () => {
  assert.deepEqual(await run('wrap'), {
    code: 1,
    out: '',
    err: 'error say which servers: --all, --client NAME or --server NAME; which there are says: sekisho discover\n',
  })
  const { code, err } = await run('wrap', '--client', 'kursor', '--json')
  assert.equal(code, 1)
  assert.match(JSON.parse(err).error, /^"kursor" is no client that we know; known are claude-desktop, claude-code, cursor, /)
})

test('discover: a table, what is wrong, and no secret', async () => {
  const { code, out, err } = await run('discover')
  assert.deepEqual([code, err], [0, ''])
  assert.equal(
    out,
    `cursor  ~/.cursor/mcp.json
  github  stdio  npx -y server --token •••      GITHUB_TOKEN   shadow
  crm     http   https://crm.example/mcp?key=…  Authorization  shadow

codex  ~/.codex/config.toml
  problem  line 2: it is not TOML: invalid value

findings
  high    clients/plain-secret  cursor github  ~/.cursor/mcp.json:3  the variable GITHUB_TOKEN holds a secret, written out
  high    clients/plain-secret  cursor github  ~/.cursor/mcp.json:3  argument 4 holds a secret, written out
  high    clients/plain-secret  cursor crm     ~/.cursor/mcp.json:4  the header Authorization holds a secret, written out
  high    clients/plain-secret  cursor crm     ~/.cursor/mcp.json:4  the URL holds a secret, written out
  medium  clients/unpinned      cursor github  ~/.cursor/mcp.json:3  server is whatever is newest when it starts; write @ and a version

2 clients, 2 servers, 0 through Sekisho, 2 shadows; 5 findings
Put Sekisho before them: sekisho wrap --all
`,
  )
})

test('wrap and unwrap: before and after, what was left alone and why, and no secret', async () => {
  const dry = await run('wrap', '--all', '--dry-run')
  const [wrapped] = [await run('wrap', '--all')]
  const shown = `cursor  ~/.cursor/mcp.json
  wrapped     github
    - npx -y server --token •••
    + NODE --disable-warning=ExperimentalWarning MAIN run --id git-2jhub-2235d6 -- npx -y server --token •••
  left alone  crm: it has headers (Authorization), which "sekisho run" cannot send; put the server behind a gateway of its own: sekisho start
codex  ~/.codex/config.toml
  problem  line 2: it is not TOML: invalid value
`
  assert.deepEqual(dry, { code: 1, out: `${shown}1 server would be wrapped; nothing was changed\n`, err: '' })
  assert.deepEqual(wrapped, {
    code: 1,
    out: `${shown}1 server wrapped. Restart the clients. Undo with: sekisho unwrap\n`,
    err: '',
  })
  const { out } = await run('unwrap')
  assert.match(out, /the file is, byte for byte, what it was\n1 server unwrapped\. Restart the clients\n$/)
  assert.equal(readFileSync(cursor, 'utf8'), config)
  for (const text of [
    dry.out,
    wrapped.out,
    out,
    (await run('wrap', '--all', '--dry-run', '--json')).out,
    (await run('discover', '--json')).out,
  ]) {
    assert.ok(!text.includes(token) && !text.includes('s3cret') && !text.includes('\u001b'))
  }
  assert.deepEqual(await run('unwrap', '--json'), { code: 0, out: '[]\n', err: '' })
})

test('what starts this program again', () => {
  const at = {
    platform: 'linux',
    execPath: '/n/node',
    execArgv: ['--use-system-ca', '--inspect=1', '--test'],
    argv: ['/n/node', '/s/main.js', 'wrap'],
  } as const
  assert.deepEqual(thisProgram(at), ['/n/node', '--use-system-ca', '/s/main.js'])
  const cached = { ...at, argv: ['/n/node', '/home/me/.npm/_npx/0a1b/node_modules/.bin/sekisho'] }
  assert.match(thisProgram(cached).join(' '), /^npx -y sekisho@\d+\.\d+\.\d+$/)
  assert.throws(() => thisProgram({ ...cached, platform: 'win32' }), /install it: npm install -g sekisho$/)
})
