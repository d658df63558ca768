import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import test, { after, describe, it } from 'node:test'
import { Admission, type AdmissionOptions } from './admission.ts'
import { enquiry } from './enquiry.ts'
import type { Lock } from './lock.ts'
import { lockServer } from './lock-server.ts'
import { signLock } from './lock-signature.ts'
import { readLock, writeLock } from './lock-text.ts'
import { NotAdmitted } from './not-admitted.ts'
import type { LocalServer } from './started.ts'
import { removeCopy, Store } from './store.ts'
import { onlyWithin } from './within.ts'

const folders: string[] = []
after(() => Promise.all(folders.map(removeCopy)))

const day = 86_400_000
const clock = { now: () => 10 * day, monotonic: () => 0 }
const team = generateKeyPairSync('ed25519')
const stranger = generateKeyPairSync('ed25519')

/** Files by path; a value that begins with `->` is a link. */
function write(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    if (content.startsWith('->')) symlinkSync(content.slice(2), join(folder, path))
    else writeFileSync(join(folder, path), content)
  }
}

const json = (value: object): string => JSON.stringify(value)
const main = '#!/usr/bin/env node\nimport "left"\n'
const project = {
  'node_modules/@acme/server/package.json': json({
    name: '@acme/server',
    version: '1.2.3',
    license: 'MIT',
    bin: { 'acme-server': 'dist/main.js' },
    dependencies: { left: '^1.0.0' },
    optionalDependencies: { absent: '*' },
    scripts: { postinstall: 'node dist/setup.js', test: 'x' },
  }),
  'node_modules/@acme/server/dist/main.js': main,
  'node_modules/@acme/server/dist/setup.js': '',
  'node_modules/left/package.json': json({ name: 'left', version: '1.0.1', license: 'ISC', dependencies: { right: '1' } }),
  'node_modules/left/index.js': 'export {}\n',
  'node_modules/left/node_modules/right/package.json': json({ name: 'right', version: '1.0.0' }),
  'node_modules/left/node_modules/right/build/right.node': '\u007fELF',
  'node_modules/unrelated/package.json': json({ name: 'unrelated', version: '9.0.0' }),
  'node_modules/.bin/acme-server': '->../@acme/server/dist/main.js',
  'node_modules/.package-lock.json': json({
    packages: {
      'node_modules/@acme/server': {
        version: '1.2.3',
        integrity: `sha512-${'A'.repeat(86)}==`,
        resolved: 'https://me:pw@npm.example/s.tgz?t=1',
      },
      'node_modules/left': { version: '0.9.0', integrity: `sha512-${'B'.repeat(86)}==` },
    },
  }),
}

interface House {
  readonly folder: string
  readonly server: LocalServer
  readonly lock: Lock
  admission(changes?: Partial<AdmissionOptions>): Admission
}

async function house(
  command: (folder: string) => readonly string[] = bin,
  files: Record<string, string> = project,
): Promise<House> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'sekisho-lock-')))
  folders.push(folder)
  write(folder, files)
  const program = join(folder, 'node_modules/@acme/server/dist/main.js')
  if (existsSync(program)) chmodSync(program, 0o755)
  const path = process.env['PATH'] ?? ''
  const server: LocalServer = {
    command: command(folder) as [string, ...string[]],
    cwd: folder,
    env: { PATH: path, HOME: folder },
  }
  const store = join(folder, '.sekisho/store')
  const entry = await lockServer({
    server,
    folder,
    store: new Store(store),
    enquire: enquiry({ registry: undefined, cache: undefined, trust: () => assert.fail('nothing is verified here') }),
    platform: 'here',
    aside: [join(folder, 'sekisho.lock')],
    versionOf: async () => '1.0',
  })
  const lock: Lock = { lock: 1, servers: { acme: entry } }
  writeFileSync(join(folder, 'sekisho.lock'), writeLock(lock))
  const admission = (changes: Partial<AdmissionOptions> = {}): Admission =>
    new Admission({
      lockFile: join(folder, 'sekisho.lock'),
      require: 'locked',
      keys: [],
      store,
      folder,
      ownNode: process.execPath,
      platform: 'here',
      aside: [join(folder, 'sekisho.lock')],
      clock,
      ...changes,
    })
  return { folder, server, lock, admission }
}

const bin = (folder: string): string[] => [join(folder, 'node_modules/.bin/acme-server'), '--root', join(folder, 'work')]
const refused = (expected: RegExp) => (error: unknown) => {
  assert.ok(error instanceof NotAdmitted, String(error))
  assert.match(error.message, expected)
  assert.ok(error.fix.length > 10)
  return true
}
/** In the copy everything is read-only, for root as for others only by name. */
const inCopy = (folder: string, lock: Lock): string => {
  const [entry] = Object.values(lock.servers)
  return join(folder, '.sekisho/store', entry && 'tree' in entry ? entry.tree.slice(7) : '')
}
const force = (path: string, content: string): void => {
  chmodSync(path, 0o600)
  appendFileSync(path, content)
  chmodSync(path, 0o444)
}

const tamperings: readonly (readonly [name: string, tamper: (folder: string, lock: Lock) => void, says: RegExp])[] = [
  [
    'one byte of the server',
    (at) => appendFileSync(join(at, 'node_modules/@acme/server/dist/main.js'), ' '),
    /@acme\/server@1\.2\.3: dist\/main\.js: has changed/,
  ],
  [
    'one byte of a dependency',
    (at) => appendFileSync(join(at, 'node_modules/left/index.js'), ' '),
    /left@1\.0\.1: index\.js: has changed/,
  ],
  [
    'one byte of machine code',
    (at) => appendFileSync(join(at, 'node_modules/left/node_modules/right/build/right.node'), ' '),
    /right@1\.0\.0: build\/right\.node: has changed/,
  ],
  ['a file more', (at) => writeFileSync(join(at, 'node_modules/left/more.js'), ''), /left@1\.0\.1: more\.js: was added/],
  ['a file less', (at) => unlinkSync(join(at, 'node_modules/@acme/server/dist/setup.js')), /dist\/setup\.js: is gone/],
  [
    'a file that became a program',
    (at) => chmodSync(join(at, 'node_modules/left/index.js'), 0o755),
    /index\.js: became a program/,
  ],
  [
    'the command is no program any more',
    (at) => chmodSync(join(at, 'node_modules/@acme/server/dist/main.js'), 0o644),
    /acme-server: is not there, or is not a program/,
  ],
  [
    'a file became a link to the same bytes',
    (at) => {
      const path = join(at, 'node_modules/left/index.js')
      renameSync(path, join(at, 'same.js'))
      symlinkSync(join(at, 'same.js'), path)
    },
    /index\.js: is a symbolic link/,
  ],
  [
    'the link in .bin leads elsewhere',
    (at) => {
      const path = join(at, 'node_modules/.bin/acme-server')
      unlinkSync(path)
      symlinkSync('../@acme/server/dist/setup.js', path)
      chmodSync(join(at, 'node_modules/@acme/server/dist/setup.js'), 0o755)
    },
    /(setup\.js: would be started where node_modules\/@acme\/server\/dist\/main\.js is locked|started as files)/,
  ],
  [
    'bin of package.json redirected',
    (at) => {
      const path = join(at, 'node_modules/@acme/server/package.json')
      writeFileSync(path, readFileSync(path, 'utf8').replace('dist/main.js', 'dist/setup.js'))
    },
    /@acme\/server@1\.2\.3: package\.json: has changed/,
  ],
  [
    'a nearer package of the same name: dependency confusion on disk',
    (at) => write(at, { 'node_modules/@acme/server/node_modules/left/package.json': json({ name: 'left', version: '99.0.0' }) }),
    /left@99\.0\.0: node_modules\/@acme\/server\/node_modules\/left: is installed and not locked|is locked and not installed/,
  ],
  [
    'another version in its place',
    (at) =>
      write(at, { 'node_modules/left/package.json': json({ name: 'left', version: '1.0.2', dependencies: { right: '1' } }) }),
    /left@1\.0\.2: node_modules\/left: is installed where left@1\.0\.1 is locked/,
  ],
  [
    'a dependency is missing',
    (at) => rmSync(join(at, 'node_modules/left'), { recursive: true }),
    /@acme\/server@1\.2\.3: needs left, which is not installed/,
  ],
  [
    'the folder of a dependency became a link',
    (at) => {
      renameSync(join(at, 'node_modules/left'), join(at, 'elsewhere'))
      symlinkSync(join(at, 'elsewhere'), join(at, 'node_modules/left'))
    },
    /is locked and not installed|is installed and not locked|linked in another way/,
  ],
  [
    'one byte of our own copy',
    (at, lock) => force(join(inCopy(at, lock), 'node_modules/left/index.js'), ' '),
    /our own copy of left@1\.0\.1: index\.js: has changed/,
  ],
  [
    'a package that was slipped into our own copy',
    (at, lock) => {
      chmodSync(join(inCopy(at, lock), 'node_modules/left/node_modules'), 0o700)
      write(inCopy(at, lock), { 'node_modules/left/node_modules/evil/index.js': '' })
    },
    /our own copy.*evil\/index\.js: was added/,
  ],
  [
    'a package beside ours in our own copy',
    (at, lock) => {
      chmodSync(join(inCopy(at, lock), 'node_modules'), 0o700)
      write(inCopy(at, lock), { 'node_modules/evil/index.js': '' })
    },
    /our own copy: node_modules\/evil\/index\.js: was added/,
  ],
  [
    'a link in our own copy',
    (at, lock) => {
      chmodSync(join(inCopy(at, lock), 'node_modules'), 0o700)
      symlinkSync('/tmp', join(inCopy(at, lock), 'node_modules/evil'))
    },
    /node_modules\/evil: is a link that was added/,
  ],
  ['no lock', (at) => unlinkSync(join(at, 'sekisho.lock')), /sekisho\.lock: is not there/],
  [
    'a lock with a merge conflict',
    (at) => appendFileSync(join(at, 'sekisho.lock'), '\n<<<<<<< HEAD\n'),
    /unresolved merge conflict in line \d+/,
  ],
  [
    'a lock with a key twice',
    (at) => appendFileSync(join(at, 'sekisho.lock'), '\nlock: 1\n'),
    /is not YAML that can be read in one way/,
  ],
  ['a lock with an unknown key', (at) => appendFileSync(join(at, 'sekisho.lock'), '\nallow: all\n'), /is not a lock: .*allow/],
  [
    'a lock that leads out of its folder',
    (at) => replaceIn(join(at, 'sekisho.lock'), 'node_modules/left:', '../../left:'),
    /is not a lock: .*leads out/,
  ],
  [
    'a lock of another version',
    (at) => replaceIn(join(at, 'sekisho.lock'), 'lock: 1', 'lock: 2'),
    /is not a lock: lock is not 1/,
  ],
  ['a lock without the server', (at) => replaceIn(join(at, 'sekisho.lock'), '  acme:', '  other:'), /it is not in the lock/],
  [
    'another digest in the lock',
    (at) => replaceIn(join(at, 'sekisho.lock'), /files: sha256:..../g, 'files: sha256:0000'),
    /is not what was locked/,
  ],
]

function replaceIn(path: string, what: string | RegExp, by: string): void {
  const text = readFileSync(path, 'utf8')
  const changed = text.replaceAll(what instanceof RegExp ? what : new RegExp(what.replaceAll('.', '\\.'), 'g'), by)
  assert.notEqual(changed, text)
  writeFileSync(path, changed)
}

describe('SUP-C2 what is not as it was locked is not started', () => {
  for (const [name, tamper, says] of tamperings)
    it(name, async () => {
      const { folder, server, lock, admission } = await house()
      tamper(folder, lock)
      await assert.rejects(admission().admit('acme', server), refused(says))
    })
})

const changes: readonly (readonly [name: string, change: (server: LocalServer) => LocalServer, says: RegExp])[] = [
  ['another argument', (server) => ({ ...server, command: [server.command[0], '--root', '/'] }), /its command has changed/],
  [
    'NODE_OPTIONS',
    (server) => ({ ...server, env: { ...server.env, NODE_OPTIONS: '--import=data:x' } }),
    /the variable NODE_OPTIONS/,
  ],
  ['LD_PRELOAD', (server) => ({ ...server, env: { ...server.env, LD_PRELOAD: '/tmp/x.so' } }), /the variable LD_PRELOAD/],
]
describe('SUP-C2 a start that differs from the locked one is refused', () => {
  for (const [name, change, says] of changes)
    it(name, async () => {
      const { server, admission } = await house()
      await assert.rejects(admission().admit('acme', change(server)), refused(says))
    })
  it('on another platform, because it has machine code', async () => {
    const { server, admission } = await house()
    await assert.rejects(admission({ platform: 'there' }).admit('acme', server), refused(/was locked on here, and this is there/))
  })
})

describe('SUP-C2 a lock that has to be signed', () => {
  const keys = [team.publicKey]
  const cases: readonly (readonly [string, (lock: Lock) => Lock, RegExp])[] = [
    ['and is not', (lock) => lock, /is not signed/],
    ['by a stranger', (lock) => signLock(lock, stranger.privateKey, clock), /which is not in "supply\.keys"/],
    [
      'by a stranger under the name of a key of the team',
      (lock) => {
        const { signature: ours } = signLock(lock, team.privateKey, clock)
        const theirs = signLock(lock, stranger.privateKey, clock)
        return { ...theirs, signature: { ...theirs.signature!, key: ours!.key } }
      },
      /was changed after it was signed/,
    ],
    [
      'for a time that is over',
      (lock) => signLock(lock, team.privateKey, { ...clock, now: () => 0 }, 10 * day),
      /was signed until 1970-01-11/,
    ],
    [
      'and was prolonged by hand',
      (lock) => {
        const signed = signLock(lock, team.privateKey, { ...clock, now: () => 0 }, day)
        return { ...signed, signature: { ...signed.signature!, expires: '2099-01-01T00:00:00.000Z' } }
      },
      /was changed after it was signed/,
    ],
    [
      'and was edited after that',
      (lock) => ({
        ...signLock(lock, team.privateKey, clock),
        servers: { ...lock.servers, more: { kind: 'remote', url: 'https://x.example' } },
      }),
      /was changed after it was signed/,
    ],
  ]
  for (const [name, change, says] of cases)
    it(name, async () => {
      const { folder, server, lock, admission } = await house()
      writeFileSync(join(folder, 'sekisho.lock'), writeLock(change(lock)))
      await assert.rejects(admission({ keys }).admit('acme', server), refused(says))
    })
  it('and is older than one that was used here, until it is signed anew or the newer one is forgotten', async () => {
    const { folder, server, lock, admission } = await house()
    const file = join(folder, 'sekisho.lock')
    const at = (now: number): string => writeLock(signLock(lock, team.privateKey, { ...clock, now: () => now }))
    const admits = async (text: string): Promise<void> => {
      writeFileSync(file, text)
      assert.ok(await admission({ keys }).admit('acme', server))
    }
    const older = refused(
      /sekisho\.lock: was signed at 1970-01-02T.*, and one that was signed at 1970-01-03T.* has been used here/,
    )
    await admits(at(day))
    await admits(at(2 * day))
    await assert.rejects(admits(at(day)), older)
    await admits(at(2 * day))
    await admits(at(3 * day))
    const newest = join(folder, '.sekisho/store/newest-lock')
    writeFileSync(newest, 'long ago')
    await assert.rejects(admits(at(3 * day)), refused(/newest-lock: does not say when/))
    unlinkSync(newest)
    await admits(at(day))
    writeFileSync(file, writeLock(lock))
    assert.ok(await admission().admit('acme', server), 'nothing is asked where nobody has to sign')
  })
  it('and is, by one of several keys, until it expires', async () => {
    const { folder, server, lock, admission } = await house()
    writeFileSync(join(folder, 'sekisho.lock'), writeLock(signLock(lock, team.privateKey, clock, day)))
    const both = [stranger.publicKey, team.publicKey]
    const running = admission({ keys: both, clock: { ...clock, now: () => 11 * day - 1 } })
    assert.ok(await running.admit('acme', server))
    await assert.rejects(
      admission({ keys: both, clock: { ...clock, now: () => 11 * day } }).admit('acme', server),
      refused(/signed until/),
    )
  })
})

test('SUP-C2 what is started is our copy, under the Node that runs us, read-only', async () => {
  const { folder, server, lock, admission } = await house()
  const launch = await admission().admit('acme', server)
  const entry = join(inCopy(folder, lock), 'node_modules/@acme/server/dist/main.js')
  assert.deepEqual(launch?.command, [process.execPath, onlyWithin(inCopy(folder, lock)), entry, '--root', join(folder, 'work')])
  assert.equal(readFileSync(entry, 'utf8'), main)
  assert.ok(!existsSync(join(inCopy(folder, lock), 'node_modules/unrelated')), 'what nobody asked for is not there to be loaded')
  await launch.confirm()
})

test('SUP-C2 a clone without a store makes the copy from what is installed, if that is as locked', async () => {
  const { folder, server, lock, admission } = await house()
  await removeCopy(join(folder, '.sekisho'))
  assert.ok(await admission().admit('acme', server))
  assert.ok(existsSync(inCopy(folder, lock)))
})

test('SUP-C2 the fault is named by package where the manifests are not at hand', async () => {
  const { folder, server, admission } = await house()
  await removeCopy(join(folder, '.sekisho'))
  appendFileSync(join(folder, 'node_modules/left/index.js'), ' ')
  await assert.rejects(admission().admit('acme', server), refused(/^left@1\.0\.1: is not what was locked$/))
  assert.ok(!existsSync(join(folder, '.sekisho')), 'nothing is copied of it')
})

describe('SUP-C2 what is touched between the check and the first word is not confirmed', () => {
  const touches: readonly (readonly [string, (copy: string) => void, RegExp])[] = [
    ['one byte', (copy) => force(join(copy, 'node_modules/left/index.js'), ' '), /index\.js: was touched/],
    [
      'one byte that was put back, with its time',
      (copy) => {
        const path = join(copy, 'node_modules/left/index.js')
        const content = readFileSync(path, 'utf8')
        chmodSync(path, 0o600)
        writeFileSync(path, 'evil()')
        writeFileSync(path, content)
        chmodSync(path, 0o444)
        utimesSync(path, 1, 1)
      },
      /index\.js: was touched/,
    ],
    [
      'a file that was added and removed',
      (copy) => {
        chmodSync(join(copy, 'node_modules'), 0o700)
        write(copy, { 'node_modules/evil.js': '' })
        unlinkSync(join(copy, 'node_modules/evil.js'))
        chmodSync(join(copy, 'node_modules'), 0o555)
      },
      /node_modules: was touched/,
    ],
    [
      'the copy replaced as a whole',
      (copy) => {
        renameSync(copy, `${copy}.old`)
        mkdirSync(copy)
      },
      /was touched/,
    ],
  ]
  for (const [name, touch, says] of touches)
    it(name, async () => {
      const { folder, server, lock, admission } = await house()
      const launch = await admission().admit('acme', server)
      touch(inCopy(folder, lock))
      await assert.rejects(launch!.confirm(), refused(says))
    })
})

describe('npx stands for what is locked, and asks no registry', () => {
  const npx = (): string[] => ['npx', '-y', '@acme/server@1.2.3', '--root', '.']
  it('from the copy, also when nothing is installed any more', async () => {
    const { folder, server, lock, admission } = await house(npx)
    const copy = inCopy(folder, lock)
    const entry = join(copy, 'node_modules/@acme/server/dist/main.js')
    const expected = [process.execPath, onlyWithin(copy), entry, '--root', '.']
    assert.deepEqual((await admission().admit('acme', server))?.command, expected)
    rmSync(join(folder, 'node_modules'), { recursive: true })
    assert.deepEqual((await admission().admit('acme', server))?.command, expected)
    await removeCopy(join(folder, '.sekisho'))
    await assert.rejects(admission().admit('acme', server), refused(/neither installed nor in the store/))
  })
  it('not for a version that is not here', async () => {
    await assert.rejects(
      house(() => ['npx', '-y', '@acme/server@2.0.0']),
      refused(/@acme\/server: is not installed here, and nothing is fetched/),
    )
  })
})

test('supply.require any: what the lock does not name is started as it is, and what it names is compared', async () => {
  const { folder, server, admission } = await house()
  assert.equal(await admission({ require: 'any' }).admit('unknown', server), undefined)
  appendFileSync(join(folder, 'node_modules/left/index.js'), ' ')
  await assert.rejects(admission({ require: 'any' }).admit('acme', server), refused(/left@1\.0\.1/))
})

test('a server of files: each of them by its digest, in place', async () => {
  const { folder, server, admission } = await house(() => ['bash', './run.sh', '-v'], { 'run.sh': 'echo hello\n' })
  const launch = await admission().admit('acme', server)
  assert.deepEqual(launch?.command.slice(1), ['./run.sh', '-v'])
  assert.match(launch.command[0], /^\/.*bash$/)
  await launch.confirm()
  appendFileSync(join(folder, 'run.sh'), 'rm -rf /\n')
  await assert.rejects(launch.confirm(), refused(/run\.sh: was touched/))
  await assert.rejects(admission().admit('acme', server), refused(/\.\/run\.sh: has changed since it was locked/))
})

test('the lock says what a reviewer wants to know, and is read back as it was', async () => {
  const { lock } = await house()
  const { acme } = lock.servers
  assert.ok(acme?.kind === 'npm')
  assert.equal(acme.package, 'pkg:npm/%40acme/server@1.2.3')
  assert.equal(acme.platform, 'here')
  assert.deepEqual(acme.command, ['./node_modules/.bin/acme-server', '--root', './work'])
  assert.deepEqual(Object.keys(acme.packages), [
    'node_modules/@acme/server',
    'node_modules/left',
    'node_modules/left/node_modules/right',
  ])
  const { files: _, ...server } = acme.packages['node_modules/@acme/server']!
  assert.deepEqual(server, {
    package: 'pkg:npm/%40acme/server@1.2.3',
    integrity: `sha512-${'A'.repeat(86)}==`,
    resolved: 'https://npm.example/s.tgz',
    licence: 'MIT',
    contents: 'not compared',
    signature: { status: 'not checked', why: 'nobody was asked' },
    provenance: { status: 'not checked', why: 'nobody was asked' },
    installScripts: { postinstall: 'node dist/setup.js' },
  })
  assert.equal(acme.packages['node_modules/left']?.integrity, undefined, 'the record is of another version')
  assert.equal(acme.packages['node_modules/left/node_modules/right']?.native, true)
  assert.deepEqual(readLock(writeLock(lock), 'sekisho.lock'), lock)
})

test('a second start reads what runs anew, and of what is installed only what has changed', async () => {
  const { folder, server, lock, admission } = await house()
  const running = admission({ clock: { now: () => Date.now() + day, monotonic: () => 0 } })
  await running.admit('acme', server)
  await running.admit('acme', server)
  const path = join(folder, 'node_modules/left/index.js')
  const content = readFileSync(path, 'utf8')
  writeFileSync(path, content.replace('export', 'exporx'))
  utimesSync(path, 1, 1)
  await assert.rejects(running.admit('acme', server), refused(/left@1\.0\.1: index\.js: has changed/))
  writeFileSync(path, content)
  await running.admit('acme', server)
  force(join(inCopy(folder, lock), 'node_modules/left/index.js'), ' ')
  await assert.rejects(running.admit('acme', server), refused(/our own copy of left@1\.0\.1: index\.js: has changed/))
})

describe('SUP-C2 a remote server', () => {
  const url = 'https://mcp.example.com/mcp'
  const locked = async (changes: object = {}) => {
    const { folder, admission } = await house()
    writeFileSync(join(folder, 'sekisho.lock'), writeLock({ lock: 1, servers: { crm: { kind: 'remote', url, ...changes } } }))
    return admission
  }
  it('is refused at another URL, or when the lock does not name it', async () => {
    const admission = await locked()
    await assert.rejects(admission().admitRemote('crm', 'https://mcp.example.com/other'), refused(/its URL has changed/))
    await assert.rejects(admission().admitRemote('other', url), refused(/it is not in the lock/))
    await assert.rejects(admission().admit('crm', { command: ['x'], cwd: '/', env: {} }), refused(/it is not in the lock/))
    assert.equal(await admission({ require: 'any' }).admitRemote('other', url), undefined)
  })
  it('is admitted at its own, with the key that was locked', async () => {
    assert.deepEqual(await (await locked())().admitRemote('crm', url), { spki: undefined })
    const spki = `sha256:${'ab'.repeat(32)}`
    assert.deepEqual(await (await locked({ spki }))().admitRemote('crm', url), { spki })
  })
})

test('a server whose folder is also that of the lock and the store', async () => {
  const files = { 'package.json': json({ name: 'own', version: '1.0.0' }), 'main.js': 'import "./more.js"\n', 'more.js': '' }
  const { folder, server, lock, admission } = await house(() => ['node', 'main.js'], files)
  const launch = await admission().admit('acme', server)
  assert.deepEqual(launch?.command, [process.execPath, onlyWithin(inCopy(folder, lock)), join(inCopy(folder, lock), 'main.js')])
  assert.ok(!existsSync(join(inCopy(folder, lock), 'sekisho.lock')))
  appendFileSync(join(folder, 'more.js'), ' ')
  await assert.rejects(admission().admit('acme', server), refused(/own@1\.0\.0: more\.js: has changed/))
})

describe('SUP-C2 packages that are linked to each other, as pnpm does it', () => {
  const at = 'node_modules/.pnpm/@acme+server@1.2.3/node_modules'
  const pnpm = {
    [`${at}/@acme/server/package.json`]: json({
      name: '@acme/server',
      version: '1.2.3',
      type: 'module',
      dependencies: { left: '1' },
    }),
    [`${at}/@acme/server/main.js`]: 'import { word } from "left"\nprocess.stdout.write(word)\n',
    [`${at}/left`]: '->../../left@1.0.1/node_modules/left',
    'node_modules/.pnpm/left@1.0.1/node_modules/left/package.json': json({
      name: 'left',
      version: '1.0.1',
      type: 'module',
      main: 'index.js',
    }),
    'node_modules/.pnpm/left@1.0.1/node_modules/left/index.js': 'export const word = "papers in order"\n',
    'node_modules/@acme/server': '->../.pnpm/@acme+server@1.2.3/node_modules/@acme/server',
  }
  const command = (): string[] => ['node', 'node_modules/@acme/server/main.js']

  it('run from the copy, links and all', async () => {
    const { folder, server, lock, admission } = await house(command, pnpm)
    const launch = await admission().admit('acme', server)
    assert.ok(launch?.command[2]?.startsWith(inCopy(folder, lock)))
    rmSync(join(folder, 'node_modules'), { recursive: true })
    const [program, ...args] = launch!.command
    assert.equal(spawnSync(program, args, { encoding: 'utf8' }).stdout, 'papers in order')
    await launch!.confirm()
  })
  it('are refused when a link leads elsewhere, in what is installed and in the copy', async () => {
    const { folder, server, lock, admission } = await house(command, pnpm)
    write(folder, {
      'node_modules/.pnpm/left@1.0.1-evil/node_modules/left/package.json': json({ name: 'left', version: '1.0.1' }),
    })
    const relink = (within: string): void => {
      chmodSync(join(within, at), 0o700)
      unlinkSync(join(within, at, 'left'))
      symlinkSync('../../left@1.0.1-evil/node_modules/left', join(within, at, 'left'))
    }
    relink(inCopy(folder, lock))
    await assert.rejects(admission().admit('acme', server), refused(/our own copy: .*left: leads elsewhere now/))
    relink(folder)
    await assert.rejects(
      admission().admit('acme', server),
      refused(/left@1\.0\.1: .*is (locked and not installed|installed and not locked)|linked in another way/),
    )
  })
})
