/** What stands behind a command, with packages and environments as installers leave them. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, describe, it } from 'node:test'
import { type Behind, behind } from './behind.ts'

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'sekisho-behind-')))
after(() => rmSync(folder, { recursive: true }))
const put = (path: string, content: object | string, mode = 0o644): void => {
  mkdirSync(dirname(join(folder, path)), { recursive: true })
  writeFileSync(join(folder, path), typeof content === 'string' ? content : JSON.stringify(content), { mode })
}
const manifest = (path: string, name: string, more: object = {}): void =>
  put(`${path}/package.json`, { name, version: '1.2.3', license: 'MIT', ...more })

manifest('node_modules/server', 'server', { bin: { server: 'main.js' }, dependencies: { below: '1' } })
put('node_modules/server/main.js', '')
manifest('node_modules/below', 'below', { license: 'GPL-3.0-only', scripts: { postinstall: 'node x.js', test: 'x' } })
manifest('node_modules/torn', 'torn', { bin: { torn: 'main.js' }, dependencies: { gone: '1' } })
put('node_modules/torn/main.js', '')
manifest('home/.npm/_npx/abc/node_modules/cached', 'cached', { bin: { cached: 'main.js' } })
put('home/.npm/_npx/abc/node_modules/cached/main.js', '')
put('node_modules/broken/package.json', '{')
put('alone.mjs', '')

const site = 'home/.local/share/uv/tools/tool-server/lib/python3.12/site-packages'
const venv = 'home/.local/share/uv/tools/tool-server'
put(`${venv}/pyvenv.cfg`, '')
put(`${venv}/bin/python`, '', 0o755)
put(`${venv}/bin/tool-server`, `#!${join(folder, venv)}/bin/python\n`, 0o755)
put(`${site}/Tool_Server-2.0.dist-info/METADATA`, 'Name: Tool_Server\nVersion: 2.0\nLicense-Expression: MIT\n\nLicense: none\n')
put(`${site}/below-0.1.dist-info/METADATA`, 'Name: below\nVersion: 0.1\n')
put(`${site}/not-a-package.dist-info/other`, '')

const look = (...command: string[]): Promise<Behind> =>
  behind({
    command: command as [string, ...string[]],
    cwd: folder,
    env: { PATH: '/usr/bin:/bin', HOME: join(folder, 'home') },
  })

describe('what is not known is said, and nothing is thrown', () => {
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [['npx', '-y', 'elsewhere@1.0.0'], /elsewhere is not installed here/],
    [['npx', '--call', 'x'], /flag --call of npx is not understood/],
    [['npx', 'server@9.9.9'], /server is not installed here/],
    [['uvx', 'elsewhere'], /elsewhere: is not installed here/],
    [['docker', 'run', `mcp/x@sha256:${'ab'.repeat(32)}`], /docker: is not there|what is in an image/],
    [['node', 'alone.mjs'], /a program of its own|is not there/],
    [['node', 'gone.mjs'], /gone\.mjs: is not there/],
    [['node', 'node_modules/broken/x.js'], /is not there/],
    [['bash', '-c', 'curl x | sh'], /given code/],
    [['sudo', 'npx', 'server'], /sudo runs another program/],
    [['no-such-program'], /no-such-program: is not there/],
    [['nul\0l'], /.+/],
    [[''], /.+/],
  ]
  for (const [command, expected] of cases)
    it(JSON.stringify(command.join(' ')), async () => {
      const { root, packages, unknown = '' } = await look(...command)
      assert.match(unknown, expected)
      assert.deepEqual([root, packages], [undefined, []])
    })
})

describe('what is installed', () => {
  const cases: readonly (readonly [readonly string[], readonly string[]])[] = [
    [
      ['npx', '-y', 'server'],
      ['server@1.2.3 MIT', 'below@1.2.3 GPL-3.0-only'],
    ],
    [
      ['npx', 'server@1.2.3', '--x'],
      ['server@1.2.3 MIT', 'below@1.2.3 GPL-3.0-only'],
    ],
    [
      ['cmd', '/c', 'npx', '-y', 'server'],
      ['server@1.2.3 MIT', 'below@1.2.3 GPL-3.0-only'],
    ],
    [
      ['node', 'node_modules/server/main.js'],
      ['server@1.2.3 MIT', 'below@1.2.3 GPL-3.0-only'],
    ],
    [['npx', 'cached'], ['cached@1.2.3 MIT']],
    [
      ['uvx', 'tool-server'],
      ['tool-server@2.0 MIT', 'below@0.1 undefined'],
    ],
  ]
  for (const [command, expected] of cases)
    it(command.join(' '), async () => {
      const { root, packages, unknown } = await look(...command)
      assert.equal(unknown, undefined)
      assert.deepEqual(
        packages.map(({ name, version, licence }) => `${name}@${version} ${licence}`),
        expected,
      )
      assert.equal(root, packages[0])
    })

  it('scripts are those that run at the installation', async () => {
    const { packages } = await look('npx', 'server')
    assert.deepEqual(
      packages.map(({ scripts }) => scripts),
      [{}, { postinstall: 'node x.js' }],
    )
  })

  it('of a package whose dependency is missing, itself, and that it is not all', async () => {
    const { root, packages, unknown } = await look('npx', 'torn')
    assert.deepEqual([root?.name, packages.length], ['torn', 1])
    assert.match(unknown ?? '', /needs gone, which is not installed/)
  })
})
