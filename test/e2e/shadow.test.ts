/** Shadow servers (K-35, OWASP MCP09): found beside a running gateway, by what clients have written down and by what answers. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type Echo, echo } from '../attacks/support/echo.ts'
import { httpServer, keyed, open, yard } from '../attacks/support/house.ts'
import { freePort } from './support/free-port.ts'

const cli = join(import.meta.dirname, '../../src/cli/main.ts')
const house = yard()
let [known, legacy, modern]: Echo[] = []
let port = 0
let folder = ''
before(async () => {
  ;[known, legacy, modern] = await Promise.all([echo({ era: 'modern' }), echo({ era: 'legacy' }), echo({ era: 'modern' })])
  port = await freePort()
  const { identity, bindings } = keyed(['ci'])
  const config = open({ known: httpServer(known as Echo) }, { listen: `127.0.0.1:${port}`, identity, bindings })
  const gateway = await house.gateway(config)
  folder = gateway.folder
  mkdirSync(join(folder, '.cursor'))
})
after(async () => {
  await house.close()
  await Promise.all([known, legacy, modern].map((one) => one?.close()))
})

const clients = (servers: object): void =>
  writeFileSync(join(folder, '.cursor/mcp.json'), JSON.stringify({ mcpServers: servers }))

function discover(...flags: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, [cli, 'discover', '--home', folder, ...flags], { cwd: folder })
  let [out, err] = ['', '']
  child.stdout.on('data', (chunk) => (out += chunk))
  child.stderr.on('data', (chunk) => (err += chunk))
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, out, err })))
}

test('through the gateway nothing is a shadow; a server of it that is called past it is one', async () => {
  clients({ all: { url: `http://localhost:${port}/mcp` } })
  const clean = await discover('--fail-on-shadow', '--ports', `${port},${known?.port}`)
  assert.deepEqual([clean.code, /shadow/.test(clean.out)], [0, false], clean.out + clean.err)
  clients({ all: { url: `http://localhost:${port}/mcp` }, crm: { url: known?.url } })
  const past = await discover('--fail-on-shadow')
  assert.equal(past.code, 1)
  assert.match(past.out, /crm +http +\S+ +shadow/)
  assert.match(past.out, /2 servers, 1 through Sekisho, 1 shadow;/)
})

test('by what answers: both eras are found; the gateway and its own server are known', async () => {
  clients({})
  const ports = [port, known?.port, legacy?.port, modern?.port].join()
  const { code, out } = await discover('--fail-on-shadow', '--json', '--ports', ports)
  const { listening } = JSON.parse(out) as { listening: { listeners: { url: string; standing: string; server?: string }[] } }
  assert.equal(code, 1)
  const standing = (at: number | undefined) => listening.listeners.find(({ url }) => new URL(url).port === String(at))
  assert.equal(standing(port)?.standing, 'gateway')
  assert.deepEqual([standing(known?.port)?.standing, standing(known?.port)?.server], ['configured', 'known'])
  assert.deepEqual([standing(legacy?.port)?.standing, standing(modern?.port)?.standing], ['shadow', 'shadow'])
})

test('what could not be looked at is not well; refusals', async () => {
  writeFileSync(join(folder, '.cursor/mcp.json'), '{ torn')
  assert.equal((await discover('--fail-on-shadow')).code, 2)
  clients({})
  const host = await discover('--host', '10.0.0.1')
  assert.deepEqual([host.code, host.out], [1, ''])
  assert.match(host.err, /--host is where to ask at ports/)
  assert.match((await discover('--ports', '0')).err, /names no ports[\s\S]*fix/)
})

test('without a list it finds them by what listens', { skip: process.platform !== 'linux' }, async () => {
  const { out } = await discover('--json', '--ports')
  const { listening } = JSON.parse(out) as { listening: { listeners: { url: string }[] } }
  const ports = listening.listeners.map(({ url }) => Number(new URL(url).port))
  assert.deepEqual(
    [port, legacy?.port, modern?.port].filter((one) => !ports.includes(one as number)),
    [],
  )
})
