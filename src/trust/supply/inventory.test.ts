import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import test from 'node:test'
import { takeInventory } from './inventory.ts'
import { refOf } from './inventory-component.ts'
import { readPackageLock } from './inventory-npm.ts'
import { readPythonLock, readRequirements } from './inventory-python.ts'
import { componentsSchema } from './inventory-schema.ts'

const ownLock = readFileSync(resolve(import.meta.dirname, '../../../package-lock.json'), 'utf8')
const lockOf = (lock: object) => readPackageLock(JSON.stringify(lock))
const commit = 'c'.repeat(40)
const sha = 'd'.repeat(64)

for (const [what, text, fault] of [
  ['merge conflict', '<<<<<<< HEAD\n{}', /merge conflict/],
  ['no JSON', '{', /JSON|Expected/],
  ['one key twice', '{"packages":{},"packages":{}}', /same key twice/],
  ['no object', 'null', /not an object/],
] as const)
  test(`a package lock with ${what} is refused`, () => assert.throws(() => readPackageLock(text), fault))

test('versions 1 and 3 of a package lock say the same', () => {
  const integrity = 'sha512-AAAA'
  const one = {
    lockfileVersion: 1,
    dependencies: {
      a: {
        ...{ version: '1.0.0', resolved: 'https://registry.npmjs.org/a/-/a-1.0.0.tgz', integrity, requires: { b: '2' } },
        dependencies: { b: { version: '2.0.0', resolved: 'https://registry.npmjs.org/b/-/b-2.0.0.tgz', integrity } },
      },
      b: { version: '1.0.0', resolved: 'https://registry.npmjs.org/b/-/b-1.0.0.tgz', integrity },
    },
  }
  const { dependencies } = one
  const { requires, dependencies: nested, ...a } = dependencies.a
  const three = {
    lockfileVersion: 3,
    packages: {
      '': { dependencies: { a: '1', b: '1' } },
      'node_modules/a': { ...a, dependencies: requires },
      'node_modules/a/node_modules/b': nested.b,
      'node_modules/b': dependencies.b,
    },
  }
  const told = (lock: object) => lockOf(lock).map(({ purl, dependsOn, gaps }) => ({ purl, dependsOn, gaps }))
  const byPurl = (rows: ReturnType<typeof told>) => [...rows].sort((x, y) => String(x.purl).localeCompare(String(y.purl)))
  assert.deepEqual(byPurl(told(one)), byPurl(told(three)))
  assert.deepEqual(told(three)[0]?.dependsOn, ['package:pkg:npm/b@2.0.0'])
})

const odd: readonly [entry: object, gap: RegExp][] = [
  [{ version: '1.0.0', resolved: 'https://npm.example.com/a.tgz', integrity: 'sha512-AAAA' }, /^a private registry$/],
  [{ version: '1.0.0', resolved: 'git+ssh://git@github.com/a/a.git#main' }, /without a whole commit/],
  [{ version: '1.0.0', resolved: `git+ssh://git@github.com/a/a.git#${commit}` }, /^a git repository$/],
  [{ version: '1.0.0', resolved: 'file:../a' }, /^a local path$/],
  [{ version: '1.0.0', resolved: 'https://registry.npmjs.org/a/-/a-1.0.0.tgz' }, /^no integrity$/],
  [{ integrity: 'sha512-AAAA' }, /^no version$/],
]
for (const [entry, gap] of odd)
  test(`a locked package says: ${gap.source}`, () => {
    const [component] = lockOf({ packages: { '': {}, 'node_modules/a': entry } })
    assert.match(component?.gaps.join('; ') ?? '', gap)
  })

test('a workspace is a local path that others may need', () => {
  const components = lockOf({
    packages: {
      '': { dependencies: { app: '*' } },
      'packages/app': { name: 'app', version: '1.0.0', dependencies: { shared: '*' } },
      'packages/shared': { name: 'shared', version: '1.0.0' },
      'node_modules/app': { resolved: 'packages/app', link: true },
      'node_modules/shared': { resolved: 'packages/shared', link: true },
    },
  })
  assert.deepEqual(
    components.map(({ name, gaps, dependsOn }) => [name, gaps, dependsOn]),
    [
      ['app', ['a local path'], ['package:shared@1.0.0']],
      ['shared', ['a local path'], []],
    ],
  )
})

test('our own lock file is read whole', () => {
  const packages = readPackageLock(ownLock)
  assert.ok(packages.length > 500)
  const zod = packages.find(({ name, direct }) => name === 'zod' && direct === true)
  assert.match(zod?.hash ?? '', /^sha512:[0-9a-f]{128}$/)
  assert.equal(zod?.licence, 'MIT')
  const broken = packages.filter(({ purl, gaps }) => purl === undefined && !gaps.includes('a local path'))
  assert.deepEqual(broken, [])
})

test('requirements: hashes, editable folders, git and markers', () => {
  const components = readRequirements(`
# comment
requests[socks]==2.32.0 ; python_version > "3" \\
    --hash=sha256:${sha}
Flask>=2
-e ./local
tool @ git+https://github.com/acme/tool@${commit}
-r other.txt
`)
  assert.deepEqual(
    components.map(({ name, version, hash, commit: at, gaps }) => [name, version, hash, at, gaps]),
    [
      ['requests', '2.32.0', `sha256:${sha}`, undefined, []],
      ['flask', undefined, undefined, undefined, ['">=2" is a range or a tag that moves']],
      ['./local', undefined, undefined, undefined, ['a local path']],
      ['tool', undefined, undefined, commit, ['a git repository']],
    ],
  )
})

test('uv.lock: what the project itself wants is direct', () => {
  const components = readPythonLock(`
version = 1
[[package]]
name = "app"
version = "0.1.0"
source = { virtual = "." }
dependencies = [{ name = "Requests" }]
[[package]]
name = "requests"
version = "2.32.0"
source = { registry = "https://pypi.org/simple" }
dependencies = [{ name = "idna" }]
sdist = { url = "https://files.example/requests.tar.gz", hash = "sha256:${sha}" }
[[package]]
name = "idna"
version = "3.7"
source = { registry = "https://pypi.example.com/simple" }
`)
  assert.deepEqual(
    components.map(({ name, direct, dependsOn, gaps }) => [name, direct, dependsOn, gaps]),
    [
      ['app', false, ['package:pkg:pypi/requests@2.32.0'], ['a local path']],
      ['requests', true, ['package:pkg:pypi/idna@3.7'], []],
      ['idna', false, [], ['a private registry']],
    ],
  )
})

test('a server is named by what it depends on, however far away', () => {
  const packages = lockOf({
    packages: {
      '': { dependencies: { server: '1' } },
      'node_modules/server': { version: '1.0.0', integrity: 'sha512-AAAA', bin: { serve: 'x.js' }, dependencies: { deep: '1' } },
      'node_modules/deep': { version: '1.0.0', integrity: 'sha512-AAAA' },
      'node_modules/other': { version: '1.0.0', integrity: 'sha512-AAAA' },
    },
  })
  const inventory = takeInventory({
    servers: {
      files: { kind: 'stdio', command: ['/work/node_modules/.bin/serve'] },
      crm: { kind: 'http', url: 'https://crm.example.com/mcp?key=hidden' },
    },
    packages,
  })
  const of = (name: string) => inventory.find((one) => one.name === name)
  assert.deepEqual(of('deep')?.usedBy, ['files'])
  assert.deepEqual(of('other')?.usedBy, [])
  assert.equal(of('files')?.version, '1.0.0')
  assert.equal(of('crm')?.url, 'https://crm.example.com/mcp')
  assert.deepEqual(of('crm')?.gaps, ['a service: what runs there may change at any time'])
})

test('what is declared goes before what was seen, and is there once', () => {
  const declared = componentsSchema.parse([
    { kind: 'package', name: 'server', version: '1.0.0', purl: 'pkg:npm/server@1.0.0', owner: 'Acme', licence: 'MIT' },
    { kind: 'model', name: 'embedder', usedBy: ['files'] },
  ])
  const inventory = takeInventory({
    servers: { files: { kind: 'stdio', command: ['npx', 'server@1.0.0'] } },
    clients: [{ client: 'cursor', name: 'other', reached: { kind: 'stdio', command: ['npx', 'server@1.0.0'] } }],
    declared,
  })
  const servers = inventory.filter(({ name }) => name === 'server')
  assert.equal(servers.length, 1)
  assert.deepEqual(
    [servers[0]?.owner, servers[0]?.seen, servers[0]?.usedBy],
    ['Acme', ['configuration', 'client', 'declared'], ['files']],
  )
  const model = inventory.find(({ kind }) => kind === 'model')
  assert.deepEqual([model?.usedBy, model?.gaps], [['files'], ['no version, hash or commit']])
})

test('the order of the sources does not matter', () => {
  const packages = readPackageLock(ownLock).slice(0, 50)
  const refs = (list: typeof packages) => takeInventory({ servers: {}, packages: list }).map(refOf)
  assert.deepEqual(refs(packages), refs([...packages].reverse()))
})

const wrong: readonly [component: object, path: string][] = [
  [{ kind: 'gadget', name: 'x' }, 'kind'],
  [{ kind: 'model', name: 'x', hash: 'sha256:abc' }, 'hash'],
  [{ kind: 'model', name: 'x', commit: 'abc' }, 'commit'],
  [{ kind: 'api', name: 'x', url: 'ftp://x' }, 'url'],
  [{ kind: 'api', name: 'x', tlsKey: 'sha256/x' }, 'tlsKey'],
  [{ kind: 'model', name: 'x', colour: 'red' }, ''],
  [{ kind: 'model', name: 'x', attestations: [{ by: 'a', owner: 'b', statement: 'c', expires: '2027-13-40' }] }, 'expires'],
]
for (const [component, path] of wrong)
  test(`a declared component is refused: ${path || 'an unknown key'}`, () => {
    const read = componentsSchema.safeParse([component])
    assert.equal(String(read.error?.issues[0]?.path.at(-1) ?? ''), path === '' ? '0' : path)
  })
