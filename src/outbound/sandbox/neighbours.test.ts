/** K-9: one sandbox, and what belongs to another one. */
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { test } from 'node:test'
import { Refusal } from '../../pipeline/refusal.ts'
import type { StdioServer } from '../schema.ts'
import { start } from '../stdio/spawn.ts'
import { findMachine } from './machine.ts'
import { Sandboxes } from './sandboxes.ts'
import type { SandboxConfig } from './schema.ts'

const machine = await findMachine()
const skip = 'why' in machine ? `no sandbox here: ${machine.why}` : false
const usual: SandboxConfig = {
  ...{ read: [], write: [], network: 'none', memoryMbMax: 512, cpuSecondsMax: undefined, processesMax: 64 },
  ...{ openFilesMax: 256, fileMbMax: 8, whenUnavailable: 'refuse' },
}
const sandboxes = new Sandboxes({
  ...{ withheld: () => [], publicUrl: undefined, ownPorts: () => [], remotes: () => [], written: () => [] },
  ...{ clock: { now: () => 0, monotonic: () => performance.now() }, unconfined: async () => undefined },
  egressRefused: () => undefined,
})
const launcher = (id: string, command: readonly string[], sandbox: Partial<SandboxConfig>) =>
  sandboxes.launcher(
    id,
    { kind: 'stdio', command, cwd: '/usr', sandbox: { ...usual, ...sandbox } } as unknown as StdioServer,
    { PATH: '/usr/bin:/bin', HOME: '/home/ana' },
    () => undefined,
  )

for (const key of ['read', 'write'] as const)
  test(`whoever may ${key} the folder for temporary files does not get out by another server's proxy`, { skip }, async () => {
    const target = createServer((_, response) => response.end('for the other one')).listen(0, '127.0.0.1')
    await new Promise((done) => target.once('listening', done))
    const host = `127.0.0.1:${(target.address() as AddressInfo).port}`
    const other = launcher('other', ['sleep', '1'], { network: { hosts: [host] } })
    await other.launch()
    const script = `
      const { connect } = require('node:net'), { globSync } = require('node:fs')
      for (const path of globSync('{${tmpdir()},/run,/run/user/*}/sekisho-egress-*/egress.sock'))
        connect(path).on('error', () => undefined).on('data', (data) => process.stdout.write(data))
          .write('GET http://${host}/ HTTP/1.1\\r\\nHost: ${host}\\r\\n\\r\\n')`
    const alone = launcher('alone', [process.execPath, '--eval', script], { [key]: [tmpdir()] })
    let out = ''
    try {
      const child = start(await alone.launch())
      child.stdout.on('data', (data: Buffer) => (out += data.toString('utf8')))
      await new Promise((done) => child.once('close', done))
    } catch (error) {
      assert.ok(error instanceof Refusal, String(error)) // not to grant it is an answer, too
    } finally {
      await alone.close()
      await other.close()
      target.close()
    }
    assert.doesNotMatch(out, /for the other one/)
  })
