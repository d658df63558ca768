/** Wrapping and unwrapping files: what is refused, what stays as it is, and what is left when we are ended in the middle. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import test, { after, describe } from 'node:test'
import { readTree } from '../../trust/clients/config-file.ts'
import { dialects } from '../../trust/clients/dialects.ts'
import type { Places } from '../../trust/clients/known.ts'
import { planWrap } from '../../trust/clients/plan.ts'
import type { Seam } from '../../trust/clients/replace-file.ts'
import { unwrap } from './unwrap.ts'
import { called, wrap } from './wrap.ts'

const top = mkdtempSync(join(tmpdir(), 'sekisho-wrap-'))
after(() => rmSync(top, { recursive: true, force: true }))
const launcher = ['/n/node', '/s/sekisho/dist/cli/main.js']

let count = 0
/** A home with one client, and its file. */
class Home {
  readonly folder = join(top, `home-${++count}`)
  readonly places: Places = { platform: 'linux', home: this.folder }
  readonly file: string
  constructor(text: string, path = '.cursor/mcp.json') {
    this.file = join(this.folder, path)
    mkdirSync(dirname(this.file), { recursive: true })
    writeFileSync(this.file, text, { mode: 0o640 })
  }
  get text(): string {
    return readFileSync(this.file, 'utf8')
  }
  put(text: string): void {
    writeFileSync(this.file, text)
  }
  get kept(): readonly string[] {
    const folder = join(this.folder, '.sekisho/wrapped')
    return existsSync(folder) ? readdirSync(folder) : []
  }
  /** What lies beside the file. */
  get litter(): readonly string[] {
    return readdirSync(dirname(this.file)).filter((name) => join(dirname(this.file), name) !== this.file)
  }
  wrap(more: object = {}) {
    return wrap({ places: this.places, projects: [], launcher, ...more })
  }
  unwrap(more: object = {}) {
    return unwrap({ places: this.places, projects: [], launcher, ...more })
  }
}
const config = `{\n  "mcpServers": { // mine\n    "a": { "command": "npx", "args": ["-y", "x@1.0.0"], "env": { "TOKEN": "s3cret" } },\n    "b": { "type": "http", "url": "https://mcp.example/mcp" },\n  },\n}\r\n`
const kinds = (changed: Awaited<ReturnType<typeof wrap>>) =>
  changed.flatMap(({ outcomes }) =>
    outcomes.map(({ server, kind, why }) => [server, kind, ...(why === undefined ? [] : [why])].join(' ')),
  )

describe('refused, with the file as it was', () => {
  test('a client or a server that there is not', async () => {
    const home = new Home(config)
    await assert.rejects(home.wrap({ clients: ['kursor'] }), /"kursor" is no client that we know; known are claude-desktop, /)
    await assert.rejects(home.wrap({ servers: ['c'] }), /no client that was looked at has a server "c"/)
    await assert.rejects(home.unwrap({ servers: ['c'] }), /has a server "c"/)
    assert.equal(home.text, config)
  })

  const meanwhile: readonly (readonly [string, (home: Home) => void])[] = [
    ['edited', (home) => home.put(`${config}\n`)],
    ['replaced by the same', (home) => (writeFileSync(`${home.file}2`, config), renameSync(`${home.file}2`, home.file))],
  ]
  for (const [says, change] of meanwhile)
    test(`a file that another program has ${says} meanwhile`, async () => {
      const home = new Home(config)
      const seam: Seam = (point) => (point === 'written' ? change(home) : undefined)
      const [changed] = await home.wrap({ seam })
      assert.match(changed?.refused ?? '', /another program has changed it meanwhile/)
      assert.deepEqual([changed?.changed, changed?.outcomes, home.litter], [false, [], []])
      assert.ok(home.text.startsWith(config))
      assert.deepEqual(kinds(await home.wrap()), ['a wrapped', 'b wrapped'])
    })

  test('a file with a second name, which would keep the old content', async () => {
    const home = new Home(config)
    linkSync(home.file, join(home.folder, 'other.json'))
    const [changed] = await home.wrap()
    assert.match(changed?.refused ?? '', /a hard link/)
    assert.equal(home.text, config)
  })

  test('a folder of a project that there is not', async () => {
    const home = new Home(config)
    await assert.rejects(home.wrap({ projects: [join(home.folder, 'gone')] }), /there is no folder .*gone$/)
    await assert.rejects(home.unwrap({ projects: [home.file] }), /there is no folder /)
  })

  test('a file that is write-protected, even for those who could write it', async () => {
    const home = new Home(config)
    chmodSync(home.file, 0o444)
    assert.match((await home.wrap())[0]?.refused ?? '', /write-protected; chmod u\+w/)
    assert.deepEqual([home.text, home.litter], [config, []])
  })

  test('a file that is broken; and a folder where nothing may be written', async () => {
    const home = new Home('{ "mcpServers": {')
    const [changed] = await home.wrap()
    assert.deepEqual([changed?.changed, changed?.outcomes], [false, []])
    assert.match(changed?.problems[0]?.message ?? '', /it is not JSON/)
    const failing: Seam = (point) => {
      if (point === 'half-written') throw Object.assign(new Error('no space'), { code: 'ENOSPC' })
    }
    const full = new Home(config)
    assert.match((await full.wrap({ seam: failing }))[0]?.refused ?? '', /cannot be replaced \(ENOSPC\)/)
    assert.deepEqual([full.text, full.litter], [config, []])
  })

  test('what it was cannot be kept', async () => {
    const home = new Home(config)
    mkdirSync(join(home.folder, '.sekisho'))
    writeFileSync(join(home.folder, '.sekisho/wrapped'), '')
    await assert.rejects(home.wrap(), /nothing can be kept in .*wrapped \(ENOTDIR\), so nothing is changed/)
    const other = new Home(config)
    await other.wrap()
    const name = other.kept.find((one) => one.endsWith('.json')) ?? ''
    await other.unwrap()
    mkdirSync(join(other.folder, '.sekisho/wrapped', name))
    assert.match((await other.wrap())[0]?.refused ?? '', /what it was cannot be kept in .*wrapped \(\w+\), so it stays as it is/)
    assert.equal(other.text, config)
  })

  test('while another process is at it; not when that process is gone', async () => {
    const home = new Home(config)
    const folder = join(home.folder, '.sekisho/wrapped')
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'lock'), String(process.ppid))
    await assert.rejects(home.wrap(), /another sekisho is changing configurations right now/)
    writeFileSync(join(folder, 'lock'), String(spawnSync('true').pid))
    assert.deepEqual(kinds(await home.wrap()), ['a wrapped', 'b wrapped'])
    assert.ok(!existsSync(join(folder, 'lock')))
  })

  const left: readonly (readonly [says: string, entry: object, why: RegExp])[] = [
    ['headers', { url: 'https://x/', headers: { A: 'b' } }, /has headers \(A\), which "sekisho run" cannot send/],
    ['a secret in the URL', { url: 'https://x/?token=abcdefghijkl' }, /has a secret in its URL/],
    ['a password in the URL', { url: 'https://u:p@x/' }, /has a secret in its URL/],
    ['a placeholder in the URL', { url: `https://\${HOST}/mcp` }, /a place that only the client fills in/],
    ['no TLS', { url: 'http://mcp.example/' }, /is called without TLS/],
    ['no http', { url: 'ws://127.0.0.1/' }, /has no URL that can be called/],
    ['OAuth of the client', { url: 'https://x/', oauth: {} }, /has "oauth"/],
    ['the gateway', { command: 'npx', args: ['-y', 'sekisho', 'start'] }, /is Sekisho itself/],
    ['a whole command line', { command: 'npx -y server' }, /has program and arguments in one text/],
    ['a home that the client follows', { command: '~/bin/server' }, /begins with "~"/],
  ]
  for (const [says, entry, why] of left)
    test(`an entry with ${says} is left alone, and why is said`, async () => {
      const text = JSON.stringify({ mcpServers: { a: entry } })
      const home = new Home(text)
      const [changed] = await home.wrap()
      assert.match(changed?.outcomes[0]?.why ?? '', why)
      assert.deepEqual([changed?.outcomes[0]?.kind, changed?.changed, home.text, home.kept], ['left', false, text, []])
    })

  test('a gateway of ours by its name', async () => {
    const home = new Home('{"mcpServers":{"sekisho":{"url":"http://127.0.0.1:4180/mcp"}}}')
    assert.deepEqual(kinds(await home.wrap()), ['sekisho left is Sekisho itself'])
  })
})

test('on Windows, what needs a shell is left alone, and what brings one is not', () => {
  const wrapping = { launcher, platform: 'win32', called, isSecret: () => false } as const
  const cases: readonly (readonly [entry: object, kind: string])[] = [
    [{ command: 'npx', args: ['x'] }, 'left'],
    [{ command: 'C:\\node\\npm.cmd', args: ['exec', 'x'] }, 'left'],
    [{ command: 'cmd', args: ['/c', 'npx', 'x'] }, 'wrapped'],
    [{ command: 'C:\\Program Files\\x\\server.exe' }, 'wrapped'],
  ]
  for (const [entry, kind] of cases) {
    const tree = readTree('json', JSON.stringify({ mcpServers: { a: entry } }))
    assert.equal(planWrap(tree, dialects.usual, () => true, wrapping).outcomes[0]?.kind, kind, JSON.stringify(entry))
  }
})

test('wrapped, wrapped again, unwrapped, unwrapped again', async () => {
  const home = new Home(config)
  assert.deepEqual(kinds(await home.wrap({ dryRun: true })), ['a wrapped', 'b wrapped'])
  assert.deepEqual([home.text, home.kept], [config, []])

  const [wrapped] = await home.wrap()
  assert.deepEqual(
    wrapped?.outcomes.map(({ after }) => after),
    [
      [...launcher, 'run', '--id', 'a-62f7ac', '--', 'npx', '-y', 'x@1.0.0'],
      [...launcher, 'run', '--id', 'b-2d4448', '--', 'https://mcp.example/mcp'],
    ],
  )
  const now = home.text
  assert.notEqual(now, config)
  assert.equal(statSync(home.file).mode & 0o777, 0o640)
  assert.deepEqual(home.litter, [])
  for (const name of home.kept) assert.equal(statSync(join(home.folder, '.sekisho/wrapped', name)).mode & 0o777, 0o600)
  assert.equal(statSync(join(home.folder, '.sekisho/wrapped')).mode & 0o777, 0o700)

  assert.deepEqual(kinds(await home.wrap()), ['a already', 'b already'])
  assert.equal(home.text, now)

  assert.deepEqual(
    (await home.unwrap({ dryRun: true })).map(({ changed, exact }) => [changed, exact]),
    [[true, true]],
  )
  assert.equal(home.text, now)
  const [unwrapped] = await home.unwrap()
  assert.deepEqual([unwrapped?.changed, unwrapped?.exact], [true, true])
  assert.deepEqual([home.text, home.kept, home.litter], [config, [], []])
  assert.deepEqual(await home.unwrap(), [])
})

test('one server at a time, in any order', async () => {
  for (const order of [
    ['a', 'b'],
    ['b', 'a'],
  ]) {
    const home = new Home(config)
    for (const server of order) assert.deepEqual(kinds(await home.wrap({ servers: [server] })), [`${server} wrapped`])
    for (const server of order) assert.deepEqual(kinds(await home.unwrap({ servers: [server] })), [`${server} unwrapped`])
    assert.deepEqual([home.text, home.kept], [config, []])
  }
})

test('another copy of Sekisho is left where it is, and named; this one undoes it all the same', async () => {
  const home = new Home(config)
  await home.wrap()
  const moved = { launcher: ['/n/node', '/new/sekisho/dist/cli/main.js'] }
  const why = 'goes through another copy of Sekisho; for this one: sekisho unwrap, then sekisho wrap'
  assert.deepEqual(kinds(await home.wrap(moved)), [`a already ${why}`, `b already ${why}`])
  await home.unwrap(moved)
  assert.equal(home.text, config)
})

test('what people wrote themselves, without wrap, is not undone', async () => {
  const text = JSON.stringify({ mcpServers: { a: { command: 'sekisho', args: ['run', '--verbose', '--', 'npx', 'x'] } } })
  const home = new Home(text)
  assert.deepEqual(kinds(await home.wrap()), [
    'a already goes through another copy of Sekisho; for this one: sekisho unwrap, then sekisho wrap',
  ])
  assert.deepEqual(await home.unwrap(), [])
  assert.equal(home.text, text)
})

test('an entry that was copied under another name is undone as well', async () => {
  const home = new Home('{"mcpServers":{"a":{"type":"http","url":"https://x/"}}}')
  await home.wrap()
  const { a } = JSON.parse(home.text).mcpServers as { a: object }
  home.put(JSON.stringify({ mcpServers: { a, copy: a } }))
  await home.unwrap()
  const entry = { type: 'http', url: 'https://x/' }
  assert.deepEqual(JSON.parse(home.text), { mcpServers: { a: entry, copy: entry } })
})

describe('a file that was edited since', () => {
  const edits: readonly (readonly [says: string, edit: (text: string) => string, expected: string])[] = [
    [
      'beside our entries: what others did stays',
      (text) => text.replace('// mine', '// theirs'),
      config.replace('// mine', '// theirs'),
    ],
    ['in an entry of ours', (text) => text.replace('s3cret', 'other'), config.replace('s3cret', 'other')],
    ['by taking an entry out', (text) => text.replace(/ *"a": .*\n/, ''), config.replace(/ *"a": .*\n/, '')],
    [
      'by undoing one by hand',
      (text) => text.replace(/"a": .*\n/, '"a": { "command": "y" },\n'),
      config.replace(/"a": .*\n/, '"a": { "command": "y" },\n'),
    ],
  ]
  for (const [says, edit, expected] of edits)
    test(says, async () => {
      const home = new Home(config)
      await home.wrap()
      home.put(edit(home.text))
      const [unwrapped] = await home.unwrap()
      assert.deepEqual([unwrapped?.changed, unwrapped?.exact], [true, false])
      assert.deepEqual([home.text, home.kept], [expected, []])
    })

  test('and is unwrapped one by one: what was edited is not lost with the last of them', async () => {
    const home = new Home(config)
    await home.wrap()
    home.put(home.text.replace('// mine', '// theirs'))
    await home.unwrap({ servers: ['a'] })
    await home.unwrap({ servers: ['b'] })
    assert.deepEqual([home.text, home.kept], [config.replace('// mine', '// theirs'), []])
  })

  test('and is wrapped anew: unwrapping gives back what it was then', async () => {
    const home = new Home(config)
    await home.wrap({ servers: ['a'] })
    home.put(home.text.replace('// mine', '// theirs'))
    await home.wrap()
    assert.deepEqual(
      (await home.unwrap()).map(({ exact }) => exact),
      [true],
    )
    assert.equal(home.text, config.replace('// mine', '// theirs'))
  })

  test('written anew by its client, comments and all: every entry says again what it said', async () => {
    const plain = {
      theme: 1,
      mcpServers: { a: { command: 'npx', args: ['x'] }, b: { type: 'sse', url: 'https://x/sse' }, c: { command: 'y' } },
    }
    const home = new Home(JSON.stringify(plain), '.claude.json')
    await home.wrap()
    home.put(JSON.stringify({ ...JSON.parse(home.text), theme: 2 }, undefined, 2))
    await home.unwrap()
    assert.deepEqual(JSON.parse(home.text), { ...plain, theme: 2 })
  })

  test('without our record, or with another backup than we wrote, local servers are undone all the same', async () => {
    for (const lose of ['.json', '.before']) {
      const home = new Home(config)
      await home.wrap({ servers: ['a'] })
      const folder = join(home.folder, '.sekisho/wrapped')
      for (const name of home.kept.filter((one) => one.endsWith(lose))) writeFileSync(join(folder, name), 'lost')
      assert.deepEqual(kinds(await home.unwrap()), ['a unwrapped'])
      assert.equal(home.text, config)
    }
  })
})

test('a link stays a link, and the file behind it changes; where it was, it is remembered', async () => {
  const home = new Home(config, 'dotfiles/mcp.json')
  mkdirSync(join(home.folder, '.cursor'))
  const link = join(home.folder, '.cursor/mcp.json')
  symlinkSync(home.file, link)
  await home.wrap()
  assert.ok(lstatSync(link).isSymbolicLink())
  assert.match(home.text, /"run", "--id", "a-/)
  rmSync(link)
  assert.deepEqual(kinds(await home.unwrap()), ['a unwrapped', 'b unwrapped'])
  assert.equal(home.text, config)
})

test('a file of a project is changed when its folder is named, and given back without', async () => {
  const home = new Home('{}')
  const project = join(home.folder, 'work')
  mkdirSync(project)
  writeFileSync(join(project, '.mcp.json'), config)
  assert.deepEqual(kinds(await home.wrap()), [])
  assert.deepEqual(kinds(await home.wrap({ projects: [project] })), ['a wrapped', 'b wrapped'])
  assert.deepEqual(kinds(await home.unwrap()), ['a unwrapped', 'b unwrapped'])
  assert.equal(readFileSync(join(project, '.mcp.json'), 'utf8'), config)
})

test('a file that is gone: its backup is kept, and said where', async () => {
  const home = new Home(config)
  await home.wrap()
  rmSync(home.file)
  const [gone] = await home.unwrap()
  const backup = /kept in (.*)$/.exec(gone?.refused ?? '')?.[1] ?? ''
  assert.equal(readFileSync(backup, 'utf8'), config)
})

test('a mark of byte order, and owners and modes, stay', async () => {
  const home = new Home(`\uFEFF${config}`)
  chmodSync(home.file, 0o604)
  await home.wrap()
  assert.deepEqual([home.text[0], statSync(home.file).mode & 0o777], ['\uFEFF', 0o604])
  await home.unwrap()
  assert.equal(home.text, `\uFEFF${config}`)
})

describe('ended in the middle, by kill -9', () => {
  const points = ['kept', 'half-written', 'written', 'replaced'] as const
  const script = (operation: string, home: Home, point: string): string => `
    import { ${operation} } from ${JSON.stringify(new URL(`./${operation}.ts`, import.meta.url).href)}
    await ${operation}({
      places: ${JSON.stringify(home.places)}, projects: [], launcher: ${JSON.stringify(launcher)},
      seam: (point) => { if (point === ${JSON.stringify(point)}) process.kill(process.pid, 'SIGKILL') },
    })`
  const end = (operation: 'wrap' | 'unwrap', home: Home, point: string): void => {
    const flags = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', script(operation, home, point)]
    const { signal, stderr } = spawnSync(process.execPath, flags, { encoding: 'utf8' })
    assert.equal(signal, 'SIGKILL', stderr)
  }
  for (const point of points) {
    test(`wrap, ${point}: the file is the old or the new one, and both ways lead on`, async () => {
      const other = new Home(config)
      await other.wrap()
      for (const next of ['wrap', 'unwrap'] as const) {
        const home = new Home(config)
        end('wrap', home, point)
        assert.equal(home.text, point === 'replaced' ? other.text : config)
        if (next === 'wrap') await home.wrap()
        if (next === 'wrap') assert.equal(home.text, other.text)
        await home.unwrap()
        assert.deepEqual([home.text, home.litter, home.kept], [config, [], []])
      }
    })

    test(`unwrap, ${point}: the file is the old or the new one, and both ways lead on`, async () => {
      for (const next of ['wrap', 'unwrap'] as const) {
        const home = new Home(config)
        await home.wrap()
        const wrapped = home.text
        end('unwrap', home, point)
        assert.equal(home.text, point === 'replaced' ? config : wrapped)
        if (next === 'wrap') await home.wrap()
        if (next === 'wrap') assert.equal(home.text, wrapped)
        await home.unwrap()
        assert.deepEqual([home.text, home.litter, home.kept], [config, [], []])
      }
    })
  }

  test('between two wrappings, one by one', async () => {
    const home = new Home(config)
    await home.wrap({ servers: ['a'] })
    end('wrap', home, 'kept')
    await home.unwrap()
    assert.deepEqual([home.text, home.kept], [config, []])
  })
})

describe('what is approved of one server is not of another', () => {
  test('of one name, with other words', () => {
    const [one, two] = ['/one', '/two'].map((folder) => called('files', ['npx', '-y', 'files@1.0.0', folder]))
    assert.match(one?.join(' ') ?? '', /^--id files-[0-9a-f]{6}$/)
    assert.notDeepEqual(one, two)
    assert.deepEqual(one, called('files', ['npx', '-y', 'files@1.0.0', '/one']))
  })

  test('with the same words, where the folder says which it is: then the guard makes the id', async () => {
    for (const words of [
      ['node', 'server.js'],
      ['npm', 'start'],
      ['npx', 'files@1.0.0', `\${workspaceFolder}/x`],
    ])
      assert.deepEqual(called('My Files', words), ['--name', 'my-files'])
    const text = '{"mcpServers":{"files":{"command":"node","args":["server.js"]}}}'
    const home = new Home(text)
    await home.wrap()
    assert.match(home.text, /"run", "--name", "files", "--", "node",\s*"server.js"/)
    assert.deepEqual(kinds(await home.wrap()), ['files already'])
    for (const name of home.kept) rmSync(join(home.folder, '.sekisho/wrapped', name))
    await home.unwrap()
    assert.equal(home.text, text)
  })
})

test('a file that was wrapped when ids had no mark is given back all the same', async () => {
  const home = new Home(config)
  await home.wrap()
  home.put(home.text.replace(/"a-[0-9a-f]{6}"/, '"a"'))
  await home.unwrap()
  assert.equal(home.text, config)
})
