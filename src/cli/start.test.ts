/** What `sekisho start` says on a terminal when it is up. What it does then is in test/e2e/. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import test from 'node:test'

const main = new URL('./main.ts', import.meta.url).pathname
const listen = 'listen: 127.0.0.1:0\nadmin: { listen: 127.0.0.1:0 }\n'
const keys = `identity: { mode: api-keys, keys: [{ id: ci, sha256: ${'ab'.repeat(32)} }] }\n`

/** Everything it printed until `last`, and then until it was told to end. */
async function started(text: string, last: RegExp, file: string, ...args: string[]): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'sekisho-start-'))
  mkdirSync(dirname(join(folder, file)), { recursive: true })
  writeFileSync(join(folder, file), listen + text)
  const child = spawn(process.execPath, [main, 'start', '--config', file, ...args], { cwd: folder })
  let out = ''
  child.stdout.on('data', (chunk) => {
    out += chunk
    if (last.test(out)) child.kill('SIGTERM')
  })
  const code = await new Promise((resolve) => child.on('close', resolve))
  assert.equal(code, 0)
  return out.replace(/127\.0\.0\.1:\d+/g, 'HOST')
}

test('with API keys, what to paste into a client has a place for the key', async () => {
  const out = await started(keys, /Decisions/, 'sekisho.yaml')
  assert.match(out, /claude mcp add --transport http sekisho http:\/\/HOST\/mcp --header "Authorization: Bearer KEY"\n/)
  assert.match(out, /"Authorization": "Bearer \$\{input:sekisho\}"/)
  assert.match(out, /"Authorization": "Bearer KEY"/)
  assert.doesNotMatch(out, /--config/)
})

test('without, there is no header; and where it is not the usual file, it says how to ask about it', async () => {
  const out = await started('', /Decisions/, 'elsewhere/sekisho.yaml')
  assert.doesNotMatch(out, /Authorization/)
  assert.match(out, /other commands: \S+ \S*src\/cli\/main\.ts COMMAND --config elsewhere\/sekisho\.yaml\n/)
})

test('the command that it prints works where it was started', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sekisho start '))
  writeFileSync(join(folder, 'my sekisho.yaml'), listen)
  const child = spawn(process.execPath, [main, 'start', '--config', 'my sekisho.yaml'], { cwd: folder })
  let out = ''
  child.stdout.on('data', (chunk) => {
    out += chunk
    if (/Decisions/.test(out)) child.kill('SIGTERM')
  })
  await new Promise((resolve) => child.on('close', resolve))
  const [, command = ''] = /other commands: (.*)\n/.exec(out) ?? []
  const check = spawnSync('/bin/sh', ['-c', command.replace('COMMAND', 'check')], { cwd: folder, encoding: 'utf8' })
  assert.equal(check.stdout, 'ok  my sekisho.yaml: 0 servers\n')
})

test('--quiet: one line', async () => {
  assert.equal(await started('', /\n/, 'sekisho.yaml', '--quiet'), 'Sekisho is up at http://HOST\n')
})

test('a configuration that is refused: its problems, as JSON where JSON was asked for', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sekisho-start-'))
  writeFileSync(join(folder, 'sekisho.yaml'), 'lisen: 127.0.0.1:1\n')
  const start = (...args: string[]) => spawnSync(process.execPath, [main, 'start', ...args], { cwd: folder, encoding: 'utf8' })
  const { status, stdout, stderr } = start()
  assert.deepEqual([status, stdout], [1, ''])
  assert.match(stderr, /sekisho\.yaml:1:1 lisen is not a key we know\n {2}1 \| lisen: 127\.0\.0\.1:1\n/)
  const json = start('--json')
  assert.deepEqual([json.status, json.stdout], [1, ''])
  assert.equal(JSON.parse(json.stderr).problems[0].path, 'lisen')
})
