import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, describe, it } from 'node:test'
import { Admission } from './admission.ts'
import { enquiry } from './enquiry.ts'
import type { PythonLock } from './lock.ts'
import { lockServer } from './lock-server.ts'
import { writeLock } from './lock-text.ts'
import { NotAdmitted } from './not-admitted.ts'
import type { LocalServer } from './started.ts'
import { removeCopy, Store } from './store.ts'

const folders: string[] = []
after(() => Promise.all(folders.map(removeCopy)))

const site = '.venv/lib/python3.11/site-packages'
const record = (path: string, content: string): string =>
  `${path},sha256=${createHash('sha256').update(content).digest('base64url')},${content.length}\n`
const inner = 'word = "hello"\n'

/** As `python -m venv` and pip lay it out; nothing of it is run here. */
function environment(changes: Readonly<Record<string, string>> = {}): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'sekisho-python-')))
  folders.push(folder)
  const files = {
    'python3.11': '\u007fELF',
    '.venv/pyvenv.cfg': 'version = 3.11.7\n',
    '.venv/bin/acme-server': `#!${folder}/.venv/bin/python3\nfrom acme.inner import word\n`,
    [`${site}/acme/__init__.py`]: '',
    [`${site}/acme/__main__.py`]: 'from acme.inner import word\n',
    [`${site}/acme/inner.py`]: inner,
    [`${site}/acme/__pycache__/inner.cpython-311.pyc`]: 'compiled',
    [`${site}/acme/fast.abi3.so`]: '\u007fELF',
    [`${site}/acme-1.0.dist-info/METADATA`]:
      'Metadata-Version: 2.1\nName: Acme_Server\nVersion: 1.0\nLicense: MIT\n\nLicense: none\n',
    [`${site}/acme-1.0.dist-info/RECORD`]:
      record('acme/inner.py', inner) +
      'acme/__init__.py,,\nacme/__main__.py,,\nacme/fast.abi3.so,,\n../../../bin/acme-server,,\n"odd, name.py",,\nacme-1.0.dist-info/RECORD,,\n',
    [`${site}/other-2.0.dist-info/METADATA`]: 'Name: other\nVersion: 2.0\nLicense-Expression: Apache-2.0 OR MIT\n',
    [`${site}/other-2.0.dist-info/RECORD`]: 'other.py,,\n',
    [`${site}/other.py`]: '',
    ...changes,
  }
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), content)
  }
  symlinkSync(join(folder, 'python3.11'), join(folder, '.venv/bin/python3'))
  symlinkSync('python3', join(folder, '.venv/bin/python'))
  for (const path of ['python3.11', '.venv/bin/acme-server']) chmodSync(join(folder, path), 0o755)
  return folder
}

async function locked(command: (folder: string) => string[], changes: Readonly<Record<string, string>> = {}) {
  const folder = environment(changes)
  const server: LocalServer = { command: command(folder) as [string, ...string[]], cwd: folder, env: { PATH: '', HOME: folder } }
  const entry = await lockServer({
    server,
    folder,
    store: new Store(join(folder, 'store')),
    enquire: enquiry({ registry: undefined, cache: undefined, trust: () => assert.fail('not asked') }),
    platform: 'here',
    aside: [join(folder, 'sekisho.lock')],
    versionOf: async () => '3.11.7',
  })
  writeFileSync(join(folder, 'sekisho.lock'), writeLock({ lock: 1, servers: { acme: entry } }))
  const admission = new Admission({
    lockFile: join(folder, 'sekisho.lock'),
    require: 'locked',
    keys: [],
    store: join(folder, 'store'),
    folder,
    ownNode: process.execPath,
    platform: 'here',
    aside: [],
    clock: { now: () => 0, monotonic: () => 0 },
  })
  return { folder, entry: entry as PythonLock, admit: () => admission.admit('acme', server) }
}
const script = (folder: string): string[] => [join(folder, '.venv/bin/acme-server'), '--port', '0']
const module = (folder: string): string[] => [join(folder, '.venv/bin/python'), '-u', '-m', 'acme', '--port', '0']
const says = (pattern: RegExp) => (error: unknown) => {
  assert.ok(error instanceof NotAdmitted, String(error))
  assert.match(error.message, pattern)
  return true
}

describe('SUP-C2 a server in a virtual environment is not started', () => {
  const tamperings: readonly (readonly [string, (folder: string) => void, RegExp])[] = [
    [
      'one byte of a package',
      (at) => appendFileSync(join(at, site, 'acme/inner.py'), ' '),
      /site-packages: acme\/inner\.py: has changed/,
    ],
    ['a module more', (at) => writeFileSync(join(at, site, 'sitecustomize.py'), ''), /sitecustomize\.py: was added/],
    ['a .pth file, which Python runs', (at) => writeFileSync(join(at, site, 'evil.pth'), 'import os'), /evil\.pth: was added/],
    [
      'one byte of the command',
      (at) => appendFileSync(join(at, '.venv/bin/acme-server'), '#'),
      /the command: acme-server: has changed/,
    ],
    ['another interpreter', (at) => appendFileSync(join(at, 'python3.11'), ' '), /python3\.11: has changed/],
    [
      'one byte of machine code',
      (at) => appendFileSync(join(at, site, 'acme/fast.abi3.so'), ' '),
      /acme\/fast\.abi3\.so: has changed/,
    ],
  ]
  for (const [name, tamper, pattern] of tamperings)
    it(name, async () => {
      const { folder, admit } = await locked(script)
      tamper(folder)
      await assert.rejects(admit(), says(pattern))
    })
})

describe('SUP-C2 what cannot be locked', () => {
  const refusals: readonly (readonly [string, (folder: string) => string[], RegExp, Readonly<Record<string, string>>?])[] = [
    [
      'a file that is not what its installer recorded',
      script,
      /acme-server@1\.0: acme\/inner\.py: is not what its installer recorded/,
      { [`${site}/acme/inner.py`]: 'evil\n' },
    ],
    ['a Python outside of a virtual environment', (at) => [join(at, 'python3.11'), '-m', 'acme'], /is in no virtual environment/],
    ['code on the command line', (at) => [join(at, '.venv/bin/python'), '-c', 'evil()'], /neither a module nor a file/],
    [
      'a script beside the environment',
      (at) => [join(at, '.venv/bin/python'), 'server.py'],
      /what it imports is covered by no lock/,
      { 'server.py': '' },
    ],
    ['a module of no package', (at) => [join(at, '.venv/bin/python'), '-m', 'stray'], /belongs to no package/],
    ['a tool that is not installed', () => ['uvx', 'mcp-server-time'], /mcp-server-time: is not installed here/],
  ]
  for (const [name, command, pattern, changes] of refusals)
    it(name, () => assert.rejects(locked(command, changes), says(pattern)))
})

describe('SUP-C2 a server in a virtual environment runs from the copy', () => {
  it('its command, with that Python and nothing else on its path', async () => {
    const { folder, entry, admit } = await locked(script)
    const copy = join(folder, 'store', entry.tree.slice(7))
    const launch = await admit()
    assert.deepEqual(launch?.command, [join(folder, 'python3.11'), '-S', join(copy, 'bin/acme-server'), '--port', '0'])
    assert.deepEqual(launch.env, {
      PYTHONPATH: join(copy, 'site-packages'),
      PYTHONSAFEPATH: '1',
      PYTHONNOUSERSITE: '1',
      PYTHONDONTWRITEBYTECODE: '1',
      PYTHONPYCACHEPREFIX: '',
    })
    assert.equal(readFileSync(join(copy, 'site-packages/acme/inner.py'), 'utf8'), inner)
    await assert.rejects(async () => readFileSync(join(copy, 'site-packages/acme/__pycache__/inner.cpython-311.pyc')), {
      code: 'ENOENT',
    })
    await launch.confirm()
  })
  it('its module', async () => {
    const { admit } = await locked(module)
    assert.deepEqual((await admit())?.command.slice(1), ['-S', '-m', 'acme', '--port', '0'])
  })
  it('what uvx names, from where uv keeps it', async () => {
    const { admit } = await locked(() => ['uvx', '--from', 'acme-server==1.0', 'acme-server', '--port', '0'])
    assert.deepEqual((await admit())?.command.slice(-2), ['--port', '0'])
  })
  it('and the lock says what is in it', async () => {
    const { entry } = await locked(script)
    assert.equal(entry.package, 'pkg:pypi/acme-server@1.0')
    assert.equal(entry.interpreter.version, '3.11.7')
    assert.deepEqual(
      Object.entries(entry.packages).map(([name, { package: purl, licence, native }]) => [name, purl, licence, native]),
      [
        ['acme-server', 'pkg:pypi/acme-server@1.0', 'MIT', true],
        ['other', 'pkg:pypi/other@2.0', 'Apache-2.0 OR MIT', undefined],
      ],
    )
  })
})
