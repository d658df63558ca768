/** What happens where there is no sandbox to be had, and what is asked of the machine. That a sandbox holds is for test/attacks/sandbox.test.ts. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { Refusal } from '../../pipeline/refusal.ts'
import type { StdioServer } from '../schema.ts'
import { inheritedDescriptors } from './inherited.ts'
import { findMachine, type Machine, type NoMachine } from './machine.ts'
import { planOf } from './plan.ts'
import { Sandboxes } from './sandboxes.ts'
import type { SandboxConfig } from './schema.ts'

const root = realpathSync(mkdtempSync(join(tmpdir(), 'sekisho-sandboxes-')))
after(() => rmSync(root, { recursive: true, force: true }))
mkdirSync(join(root, 'work'))
writeFileSync(join(root, 'key'), '')

const usual: SandboxConfig = {
  read: [],
  write: [],
  network: 'none',
  memoryMbMax: 512,
  cpuSecondsMax: undefined,
  processesMax: 64,
  openFilesMax: 256,
  fileMbMax: 8,
  whenUnavailable: 'refuse',
}
const here: Machine = { bubblewrap: '/usr/bin/bwrap', prlimit: '/usr/bin/prlimit', groups: undefined, inherited: [9] }
const nowhere: NoMachine = { why: 'bubblewrap is not installed', fix: 'install bubblewrap' }

function launcherFor(sandbox: SandboxConfig | 'off', machine: Machine | NoMachine = here) {
  const said: string[] = []
  const sandboxes = new Sandboxes({
    withheld: () => [join(root, 'key')],
    publicUrl: 'https://gate.example/',
    clock: { now: () => 0, monotonic: () => 0 },
    ownPorts: () => [],
    remotes: () => [],
    written: () => [],
    machine: async () => machine,
    unconfined: async (server, why) => void said.push(`recorded: ${server} ${why}`),
    egressRefused: () => assert.fail('nothing was asked for'),
  })
  const config = { kind: 'stdio', command: ['ls', '-l'], cwd: root, sandbox } as unknown as StdioServer
  const env = { PATH: '/usr/bin:/bin', HOME: '/home/ana', TOKEN: 'a secret' }
  return { said, ...sandboxes.launcher('files', config, env, (line) => void said.push(line)), env }
}

const refused: readonly (readonly [what: string, sandbox: Partial<SandboxConfig>, machine: Machine | NoMachine, says: RegExp])[] =
  [
    ['a machine without', {}, nowhere, /^is not started, for its sandbox: bubblewrap is not installed; install bubblewrap$/],
    ['a folder that is not there', { read: [join(root, 'gone')] }, here, /"read" names .*gone, which is not there/],
    ['a folder with our files', { read: [root] }, here, /holds .*key, a file of the gateway/],
    [
      'a control group that cannot be made',
      {},
      {
        ...here,
        groups: () => {
          throw Object.assign(new Error('no'), { code: 'ENOSPC' })
        },
      },
      /it cannot be made \(ENOSPC\)/,
    ],
  ]
for (const [what, sandbox, machine, says] of refused)
  test(`refused, and said in the log: ${what}`, async () => {
    const { launch, said, close } = launcherFor({ ...usual, ...sandbox }, machine)
    await assert.rejects(launch(), (error) => error instanceof Refusal && error.code === 'UPSTREAM_UNAVAILABLE')
    assert.equal(said.length, 1)
    assert.match(said[0] as string, says)
    await close()
  })

test('without a sandbox where that is allowed: recorded first, then said, every time', async () => {
  const { launch, said, env } = launcherFor({ ...usual, whenUnavailable: 'run-unconfined' }, nowhere)
  assert.deepEqual(await launch(), { command: ['ls', '-l'], cwd: root, env })
  await launch()
  const once = [
    'recorded: files bubblewrap is not installed',
    'runs without its sandbox, as sandbox.whenUnavailable allows: bubblewrap is not installed',
  ]
  assert.deepEqual(said, [...once, ...once])
})

test('a refused start is no start without a sandbox: only the machine can be a reason for that', async () => {
  const { launch, said } = launcherFor({ ...usual, read: [join(root, 'gone')], whenUnavailable: 'run-unconfined' })
  await assert.rejects(launch(), Refusal)
  assert.match(said.join(), /is not started/)
})

test('off: as the configuration has it', async () => {
  const { launch, env } = launcherFor('off', nowhere)
  assert.deepEqual(await launch(), { command: ['ls', '-l'], cwd: root, env })
})

test('what is started: bubblewrap, whose options and words cannot be read from outside, and no secret in them', async () => {
  const { launch, said } = launcherFor({ ...usual, write: [join(root, 'work')] })
  const { command, cwd, env, confinement } = await launch()
  assert.deepEqual(command.slice(0, 5), ['/usr/bin/bwrap', '--args', '3', '--', '/usr/bin/prlimit'])
  assert.deepEqual(command.slice(-2), ['ls', '-l'])
  assert.equal(cwd, '/')
  assert.deepEqual(env, { PATH: '/usr/bin:/bin', HOME: '/home/ana', TOKEN: 'a secret', TMPDIR: '/tmp' })
  const options = String(confinement?.inputs[0]).split('\0')
  assert.deepEqual(options.slice(options.indexOf('--bind'), options.indexOf('--bind') + 3), [
    '--bind',
    join(root, 'work'),
    join(root, 'work'),
  ])
  assert.ok(![...command, ...options].some((word) => word.includes('a secret')))
  assert.deepEqual(confinement?.kept, [9])
  await launch()
  assert.deepEqual(said, ['no control group can be made here, so its memory is limited for each process alone'])
})

test('with hosts: a proxy outside, a program of ours in front of the server, and variables that lead there', async () => {
  const { launch, close } = launcherFor({ ...usual, network: { hosts: ['api.example:443'] } })
  const { command, env, confinement } = await launch()
  assert.ok(command.includes('/run/sekisho/egress.sock'))
  assert.deepEqual(command.slice(-2), ['ls', '-l'])
  assert.deepEqual(
    [env['HTTPS_PROXY'], env['https_proxy'], env['NODE_USE_ENV_PROXY']],
    ['http://127.0.0.1:3128', 'http://127.0.0.1:3128', '1'],
  )
  assert.match(String(confinement?.inputs[0]), /--ro-bind\0[^\0]*egress\.sock\0\/run\/sekisho\/egress\.sock/)
  await close()
})

test('closed: no way out is opened any more, nor left open', async () => {
  const { launch, said, close } = launcherFor({ ...usual, network: { hosts: ['api.example:443'] } })
  const { confinement } = await launch()
  const socket = /--ro-bind\0([^\0]*egress\.sock)\0/.exec(String(confinement?.inputs[0]))?.[1] as string
  assert.ok(existsSync(socket))
  await close()
  assert.ok(!existsSync(dirname(socket)))
  await assert.rejects(launch(), Refusal)
  assert.match(said.at(-1) as string, /the server is being stopped/)
})

test('planned without what is secret, and never with a file of ours', () => {
  const planned = (config: SandboxConfig) =>
    planOf(
      {
        command: ['ls', '-l'],
        cwd: root,
        env: { PATH: '/usr/bin:/bin', TOKEN: 'a secret' },
        withheld: () => [join(root, 'key')],
        written: () => [],
        config,
      },
      '/usr/bin/prlimit',
      undefined,
    )
  assert.ok(!JSON.stringify(planned({ ...usual, read: [join(root, 'work')] })).includes('a secret'))
  assert.throws(() => planned({ ...usual, read: [root] }), /a file of the gateway/)
})

test('a machine that is not Linux, or has no filter, has no sandbox', async () => {
  assert.deepEqual(await findMachine('darwin'), {
    why: 'there is no sandbox on darwin',
    fix: 'use Linux, or set sandbox.whenUnavailable',
  })
  const other = await findMachine('linux', 'riscv64')
  assert.ok('why' in other && /no filter of system calls for riscv64/.test(other.why))
})

test('descriptors that children would inherit are known by their flags', () => {
  const folder = join(root, 'fdinfo')
  mkdirSync(folder)
  for (const [name, flags] of Object.entries({ 0: '0100000', 2: '0100000', 7: '02100000', 9: '0100001', 251: '01' }))
    writeFileSync(join(folder, name), `pos:\t0\nflags:\t${flags}\nmnt_id:\t15\n`)
  assert.deepEqual(inheritedDescriptors(folder), [9, 251])
})
