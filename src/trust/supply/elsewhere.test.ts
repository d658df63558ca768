/** SUP-C3: a server that was locked whole loads nothing from where nobody looked. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import test, { after, describe } from 'node:test'
import { Admission } from './admission.ts'
import { lockServer } from './lock-server.ts'
import { writeLock } from './lock-text.ts'
import { NotAdmitted } from './not-admitted.ts'
import { removeCopy, Store } from './store.ts'

const folders: string[] = []
after(() => Promise.all(folders.map(removeCopy)))

function write(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), content, { mode: content.startsWith('#!') ? 0o755 : 0o644 })
  }
}
const json = (value: object): string => JSON.stringify(value)
const evil = 'process.stdout.write("not what was locked")\n'

/** A package that asks for another one that need not be there, as many do (`bufferutil`, `supports-color`). */
async function locked(
  command: [string, ...string[]] = ['npx', 'acme'],
  files: Readonly<Record<string, string>> = {
    'node_modules/acme/package.json': json({ name: 'acme', version: '1.0.0', bin: 'main.js' }),
    'node_modules/acme/main.js': 'try { require("fast-extra") } catch {}\n',
  },
) {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'sekisho-elsewhere-')))
  folders.push(folder)
  write(folder, files)
  const store = join(folder, '.sekisho/store')
  const home = join(folder, 'home')
  mkdirSync(home)
  const server = {
    command,
    cwd: folder,
    env: { PATH: process.env['PATH'] ?? '', HOME: home },
  }
  const common = { folder, platform: 'here', aside: [join(folder, 'sekisho.lock')] }
  const entry = await lockServer({
    ...{ server, store: new Store(store), versionOf: async () => '1.0', ...common },
    enquire: async () => ({
      ...{ integrity: undefined, contents: 'not compared' as const },
      ...{ signature: { status: 'absent' as const }, provenance: { status: 'absent' as const } },
    }),
  })
  writeFileSync(join(folder, 'sekisho.lock'), writeLock({ lock: 1, servers: { acme: entry } }))
  const admission = new Admission({
    ...{ lockFile: join(folder, 'sekisho.lock'), require: 'locked', keys: [], store, ...common },
    ...{ ownNode: process.execPath, clock: { now: () => 0, monotonic: () => 0 } },
  })
  return { folder, home, server, admission }
}

describe('the copy, and what lies around it', () => {
  for (const [what, path] of [
    ['beside the store', 'node_modules/fast-extra/index.js'],
    ['in the store', '.sekisho/store/node_modules/fast-extra/index.js'],
    ['in the home', 'home/.node_modules/fast-extra/index.js'],
  ] as const)
    test(`a package that nobody locked, ${what}, is not loaded`, async () => {
      const { folder, server, admission } = await locked()
      const run = async (): Promise<string> => {
        const launch = await admission.admit('acme', server)
        assert.ok(launch)
        const [program, ...args] = launch.command
        const { stdout } = spawnSync(program, args, { cwd: folder, env: { ...server.env, ...launch.env }, encoding: 'utf8' })
        await launch.confirm()
        return stdout
      }
      assert.equal(await run(), '')
      write(folder, { [path]: evil })
      const out = await run().catch((error: unknown) => {
        assert.ok(error instanceof NotAdmitted, String(error))
        return ''
      })
      assert.equal(out, '')
    })
})

test('the script behind the value of a flag cannot be changed after it was locked', async () => {
  const { folder, server, admission } = await locked(['bash', '--rcfile', './rc.sh', './server.sh'], {
    'rc.sh': '',
    'server.sh': 'echo locked\n',
  })
  const run = async (): Promise<string> => {
    const launch = await admission.admit('acme', server)
    assert.ok(launch)
    const [program, ...args] = launch.command
    return spawnSync(program, args, { cwd: folder, env: { ...server.env, ...launch.env }, encoding: 'utf8' }).stdout
  }
  assert.equal(await run(), 'locked\n')
  write(folder, { 'server.sh': 'echo other\n' })
  await assert.rejects(run, NotAdmitted)
})

test('what env would find is started by the path that was locked, whatever lies before it in PATH later', async () => {
  const { folder, server, admission } = await locked(['./tool'], { tool: '#!/usr/bin/env bash\necho locked "$0"\n' })
  const launch = await admission.admit('acme', server)
  assert.ok(launch)
  const [program, ...args] = launch.command
  write(folder, { 'early/bash': '#!/bin/sh\necho other\n' })
  const env = { ...server.env, PATH: `${join(folder, 'early')}:${server.env.PATH}` }
  assert.equal(spawnSync(program, args, { cwd: folder, env, encoding: 'utf8' }).stdout, `locked ${join(folder, 'tool')}\n`)
  await assert.rejects(admission.admit('acme', { ...server, env }), NotAdmitted)
})
