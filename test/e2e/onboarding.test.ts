/**
 * INJ-C9, K-29: `sekisho servers add` beside a gateway that runs. A good server is usable after one command, and not a moment
 * before; one that means harm is never callable, and a server that nobody agreed to leaves no trace.
 */
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { findMachine } from '../../src/outbound/sandbox/machine.ts'
import { Legacy } from '../attacks/support/client.ts'
import { type Echo, echo, type Json, tool } from '../attacks/support/echo.ts'
import { codeOf, httpServer, passed, startIn } from '../attacks/support/house.ts'
import { until } from './support/until.ts'
import { cli, configFor, node, Yard } from './support/yard.ts'

const machine = await findMachine()
const skip = 'why' in machine ? `no sandbox here: ${machine.why}` : false
const yard = new Yard()
let directory: Echo
before(async () => {
  directory = await echo({ era: 'legacy', tools: [tool('lookup', { description: 'Looks a person up.' })] })
})
after(async () => {
  await yard.close()
  await directory.close()
})

type Started = Awaited<ReturnType<typeof startIn>>
/** Away from our own package, which would be its package otherwise. */
const newcomer = join(yard.folder(), 'newcomer.ts')
writeFileSync(newcomer, readFileSync(join(import.meta.dirname, 'support/newcomer.ts')))
const reader = { effect: 'allow', server: '*', tools: ['*'], class: ['read'], prompts: ['*'], resources: ['*'] }
const start = (changes: Json = {}): Promise<Started> =>
  startIn(
    yard,
    configFor(
      { directory: httpServer(directory, 'legacy', { tools: { read: ['lookup'] } }) },
      { roles: { all: [reader] }, ...changes },
    ),
  )

interface Ran {
  readonly code: number
  readonly out: string
  readonly errors: string
}
const sekisho = (folder: string, ...args: string[]): Promise<Ran> =>
  new Promise((resolve) => {
    const options = { cwd: folder, env: { ...process.env, NO_COLOR: '1' } }
    execFile(process.execPath, ['--disable-warning=ExperimentalWarning', cli, ...args], options, (error, out, errors) =>
      resolve({ code: error === null ? 0 : Number(error.code), out, errors }),
    )
  })
const add = ({ folder }: Pick<Started, 'folder'>, id: string, kind: string, ...flags: string[]): Promise<Ran> =>
  sekisho(folder, 'servers', 'add', id, '--offline', '--env', `NEWCOMER=${kind}`, ...flags, '--', ...node(newcomer))
const configOf = ({ folder }: Started): string => readFileSync(join(folder, 'sekisho.yaml'), 'utf8')
const call = async (gateway: Started, id: string, name = 'read_note') =>
  (await Legacy.open(`${gateway.url}/${id}/mcp`)).call('tools/call', { name, arguments: { id: '1' } })
/** As soon as the gateway has taken the server over. */
const opened = (gateway: Started, id: string): Promise<Legacy> =>
  until('it is served', async () => {
    const who = await Legacy.open(`${gateway.url}/${id}/mcp`)
    return who.session !== '' && who
  })
const answers = async (gateway: Started, id: string): Promise<boolean> =>
  call(gateway, id).then(
    ({ json }) => json?.['result'] !== undefined,
    () => false,
  )

describe('a server that means no harm', { skip }, () => {
  let gateway: Started
  before(async () => {
    gateway = await start()
  })

  it('is not there before', async () => assert.equal(await answers(gateway, 'notes'), false))

  it('is looked at without a trace', async () => {
    const before = configOf(gateway)
    const { code, out } = await add(gateway, 'notes', 'honest', '--dry-run', '--yes')
    assert.equal(code, 0)
    assert.match(out, /trial +started in its sandbox; it offers 2 tools/)
    assert.match(out, /only looked at; nothing is changed/)
    assert.equal(configOf(gateway), before)
    assert.match((await sekisho(gateway.folder, 'pins', 'list', 'notes').catch(() => ({ out: '' }))).out, /^(nothing|$)/)
    assert.deepEqual(leftovers(gateway), [])
  })

  it('is let in by one command, and the gateway that runs serves it', async () => {
    const { code, out } = await add(gateway, 'notes', 'honest', '--yes')
    assert.equal(code, 0, out)
    for (const step of ['identity', 'provenance', 'trial', 'scan', 'permissions', 'approval']) assert.match(out, new RegExp(step))
    assert.match(out, /read: read_note/)
    assert.match(out, /destructive: delete_note/)
    await until('it answers', () => answers(gateway, 'notes'))
    assert.equal(codeOf(await call(gateway, 'notes', 'delete_note')), 'POLICY_DENIED')
    passed(await call(gateway, 'directory', 'lookup'))
    assert.deepEqual(leftovers(gateway), [])
    assert.match(readFileSync(join(gateway.folder, 'sekisho.yaml'), 'utf8'), /"network":"none"/)
  })

  it('its approval has the name of whoever gave it', async () => {
    const { out } = await sekisho(gateway.folder, 'pins', 'history', 'notes')
    assert.match(out, /approved +tool +read_note .*cli:\S+ +onboarding/)
    assert.doesNotMatch(out, / gateway +first use/)
  })

  it('its id is taken', async () => {
    const before = configOf(gateway)
    const { code, out } = await add(gateway, 'notes', 'honest', '--yes')
    assert.equal(code, 1)
    assert.match(out, /there is a server "notes" already/)
    assert.equal(configOf(gateway), before)
  })
})

describe('a server that means harm', { skip }, () => {
  let gateway: Started
  before(async () => {
    gateway = await start()
  })

  it('is not let in, and nothing is written', async () => {
    const before = configOf(gateway)
    const { code, out } = await add(gateway, 'evil', 'poisoned', '--yes')
    assert.equal(code, 1)
    assert.match(out, /scan +\d high/)
    assert.match(out, /trust\/takes-private-file/)
    assert.match(out, /not added +evil/)
    assert.equal(configOf(gateway), before)
    assert.equal(await answers(gateway, 'evil'), false)
  })

  it('let in with --hold, it is there, and none of it can be called or read', async () => {
    const { code, out } = await add(gateway, 'evil', 'poisoned', '--yes', '--hold')
    assert.equal(code, 0, out)
    assert.match(out, /0 definitions approved; 3 wait for a decision/)
    const who = await opened(gateway, 'evil')
    const got = await who.call('tools/call', { name: 'read_note', arguments: {} })
    assert.equal(codeOf(got), 'NOT_APPROVED')
    assert.deepEqual((passed(await who.call('tools/list'))['tools'] as Json[]).length, 0)
  })

  it('a name of the tool of another server is noticed beside it', async () => {
    passed(await (await Legacy.open(`${gateway.url}/directory/mcp`)).call('tools/list'))
    const { out } = await add(gateway, 'twin', 'shadow', '--dry-run', '--yes')
    assert.match(out, /trust\/same-name|"lookup"/)
    assert.match(out, /! +scan|✗ +scan/)
  })

  it('what it reaches for is refused and said: another host, metadata, the gateway itself', async () => {
    const ready = gateway.out.find((line) => line.startsWith('{"event":"ready"')) ?? ''
    const adminPort = /:(\d+)/.exec((JSON.parse(ready) as { admin: string }).admin.replace('://', ''))?.[1]
    const { out } = await add(gateway, 'out', 'reaching', '--dry-run', '--yes', '--env', `ADMIN_PORT=${adminPort}`)
    assert.match(out, /it reached for exfil\.example\.com:443, and did not get there/)
    assert.match(out, /it reached for 169\.254\.169\.254:80/)
    assert.match(out, new RegExp(`it reached for 127\\.0\\.0\\.1:${adminPort}`))
  })
})

describe('what ends early leaves nothing', { skip }, () => {
  it('killed in the middle of the trial', async () => {
    const gateway = await start()
    const before = configOf(gateway)
    const args = ['servers', 'add', 'mute', '--offline', '--yes', '--env', 'NEWCOMER=mute', '--', ...node(newcomer)]
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', cli, ...args], {
      cwd: gateway.folder,
      env: { ...process.env, NO_COLOR: '1' },
    })
    let out = ''
    child.stdout.on('data', (some: Buffer) => (out += some))
    await until('it is tried out', () => out.includes('provenance'))
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await gone
    assert.equal(configOf(gateway), before)
    assert.equal(await answers(gateway, 'mute'), false)
    const { code } = await add(gateway, 'mute', 'honest', '--yes')
    assert.equal(code, 0, 'and it may be tried again')
    await until('it answers', () => answers(gateway, 'mute'))
  })

  it('flags that cannot be: said with the key they would have been', async () => {
    const gateway = await start()
    const before = configOf(gateway)
    for (const [flags, says] of [
      [['--allow-host', 'no port'], /servers\.odd\.sandbox\.network/],
      [['--env', 'novalue'], /"novalue" is no variable; write NAME=VALUE/],
      [['--env', 'TOKEN=ghp_0123456789012345678901234567890123AB'], /looks like a secret written out/],
    ] as const) {
      const { code, out, errors } = await add(gateway, 'odd', 'honest', '--yes', ...flags)
      assert.equal(code, 1)
      assert.match(out + errors, says)
    }
    assert.equal(configOf(gateway), before)
  })

  it('without a terminal nobody is asked, and nothing happens', async () => {
    const gateway = await start()
    const { code, errors } = await add(gateway, 'notes', 'honest')
    assert.equal(code, 1)
    assert.match(errors, /there is no terminal to ask on; say --yes/)
    const looked = await add(gateway, 'notes', 'honest', '--dry-run')
    assert.equal(looked.code, 1, 'nor is it started to be looked at')
    assert.match(looked.errors, /say --yes/)
  })
})

describe('with what a team asks for', { skip }, () => {
  it('two people: the first proposes, and it can be called when the second has approved', async () => {
    const gateway = await start({ pins: { twoPeople: true } })
    const { out } = await add(gateway, 'notes', 'honest', '--yes')
    assert.match(out, /0 definitions approved; 3 wait for a decision/)
    const who = await opened(gateway, 'notes')
    assert.equal(codeOf(await who.call('tools/call', { name: 'read_note', arguments: {} })), 'NOT_APPROVED')
    const { code, errors } = await sekisho(gateway.folder, 'pins', 'approve', 'notes', '--all')
    assert.equal(code, 1, 'the same person is not another one')
    assert.match(errors, /somebody else has to approve it/)
  })

  it('a lock: the server is written into it, and what is changed on disk afterwards is not started', async () => {
    const gateway = await start({ supply: { lock: './sekisho.lock', require: 'any' } })
    writeFileSync(join(gateway.folder, 'sekisho.lock'), 'lock: 1\nservers: {}\n')
    const copy = join(gateway.folder, 'newcomer.ts')
    writeFileSync(copy, readFileSync(newcomer))
    const args = ['--offline', '--yes', '--env', 'NEWCOMER=honest', '--', ...node('./newcomer.ts')]
    const { code, out } = await sekisho(gateway.folder, 'servers', 'add', 'notes', ...args)
    assert.equal(code, 0, out)
    assert.match(readFileSync(join(gateway.folder, 'sekisho.lock'), 'utf8'), /notes:\n {4}kind: files/)
    await until('it answers', () => answers(gateway, 'notes'))
    writeFileSync(copy, `${readFileSync(copy, 'utf8')} `)
    assert.equal(await answers(gateway, 'notes'), false)
    const told = () => gateway.out.find((line) => line.includes('not admitted'))
    assert.match(await until('it is said why', told), /newcomer\.ts: has changed since it was locked/)
  })

  it('another server under an old id: what was approved of the first is revoked', async () => {
    const gateway = await start()
    assert.equal((await add(gateway, 'notes', 'honest', '--yes')).code, 0)
    await until('it answers', () => answers(gateway, 'notes'))
    const { servers, ...rest } = JSON.parse(configOf(gateway)) as { servers: Json }
    const { notes: _, ...others } = servers
    writeFileSync(join(gateway.folder, 'sekisho.yaml'), JSON.stringify({ ...rest, servers: others }))
    await until('it is gone', async () => !(await answers(gateway, 'notes')))
    const { code, out } = await sekisho(gateway.folder, 'servers', 'add', 'notes', '--yes', '--offline', directory.url)
    assert.equal(code, 0, out)
    assert.match(out, /another server had this id: .*; what was approved of it is revoked/)
    const { out: history } = await sekisho(gateway.folder, 'pins', 'history', 'notes')
    assert.match(history, /revoked +tool +read_note/)
    assert.match(history, /approved +tool +lookup/)
  })
})

/** What would lie about after an onboarding that cleans up after itself badly. */
const leftovers = ({ folder }: Started): string[] => readdirSync(folder).filter((name) => name.startsWith('.sekisho-'))
