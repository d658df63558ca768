/**
 * What is published, as somebody has it who typed `npx sekisho scan`: built, packed, unpacked beside its dependencies and nothing else,
 * and started by npx in a folder of their own. No registry is asked; the dependencies are links to ours, the development ones left out.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { delimiter, dirname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { noSandboxHere } from '../../src/admin/sandbox-here.ts'
import { ROOT } from '../conformance/launch.ts'
import { Yard } from './support/yard.ts'

interface Ran {
  readonly code: number
  readonly out: string
  readonly errors: string
}

const yard = new Yard()
const yes = (await noSandboxHere()) === undefined ? ['--yes'] : ['--yes', '--no-sandbox']
const app = yard.folder()
const home = yard.folder()
// The very Node of the tests, also for npx; a home of its own, also for npm.
const path = [dirname(process.execPath), process.env['PATH']].join(delimiter)
const env = {
  PATH: path,
  HOME: home,
  TMPDIR: process.env['TMPDIR'],
  NO_COLOR: '1',
  npm_config_offline: 'true',
  npm_config_audit: 'false',
}

const ran = (program: string, args: readonly string[], cwd: string): Promise<Ran> =>
  new Promise((resolve) => {
    execFile(program, [...args], { cwd, env, maxBuffer: 64_000_000 }, (error, out, errors) =>
      resolve({ code: error === null ? 0 : Number(error.code), out, errors }),
    )
  })
async function must(program: string, args: readonly string[], cwd: string): Promise<string> {
  const { code, out, errors } = await ran(program, args, cwd)
  assert.equal(code, 0, `${program} ${args.join(' ')}: ${out}${errors}`)
  return out
}

interface Manifest {
  readonly files: readonly string[]
  readonly dependencies: Readonly<Record<string, string>>
  readonly bin: Readonly<Record<string, string>>
}
const { files, dependencies, bin } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Manifest

before(async () => {
  const source = yard.folder()
  const compiler = join(ROOT, 'node_modules', '.bin', 'tsc')
  await must(compiler, ['-p', join(ROOT, 'tsconfig.build.json'), '--outDir', join(source, 'dist')], ROOT)
  for (const file of ['package.json', ...files])
    if (file !== 'dist' && existsSync(join(ROOT, file))) cpSync(join(ROOT, file), join(source, file))
  const [packed] = JSON.parse(await must('npm', ['pack', '--json', '--ignore-scripts'], source)) as { filename: string }[]
  const installed = join(app, 'node_modules', 'sekisho')
  mkdirSync(installed, { recursive: true })
  await must('tar', ['-xzf', join(source, packed?.filename ?? ''), '--strip-components=1', '-C', installed], source)
  for (const name of Object.keys(dependencies)) {
    mkdirSync(dirname(join(app, 'node_modules', name)), { recursive: true })
    symlinkSync(join(ROOT, 'node_modules', name), join(app, 'node_modules', name))
  }
  // As npm links it.
  const program = join(installed, bin['sekisho'] ?? '')
  chmodSync(program, 0o755)
  mkdirSync(join(app, 'node_modules', '.bin'))
  symlinkSync(program, join(app, 'node_modules', '.bin', 'sekisho'))
})
after(() => yard.close())

/** A folder of somebody who has installed it somewhere above. */
function folder(name: string): string {
  const made = join(app, name)
  mkdirSync(made)
  return made
}
const sekisho = (cwd: string, ...args: string[]): Promise<Ran> => ran('npx', ['--offline', 'sekisho', ...args], cwd)

const memory = createRequire(import.meta.url).resolve('@modelcontextprotocol/server-memory/package.json')
const server = { command: process.execPath, args: [join(dirname(memory), 'dist', 'index.js')] }

describe('npx sekisho scan, from the tarball', () => {
  it('in an empty folder, on a machine without clients, says what to name', async () => {
    const { code, out, errors } = await sekisho(folder('empty'), 'scan')
    assert.equal(code, 2, out + errors)
    assert.match(errors, /no client that we know has a server here; name a file, a URL or a command/)
  })

  it('with the configuration of a project there, lists the server of it, scans it and looks at its packages', async () => {
    const project = folder('project')
    writeFileSync(join(project, '.mcp.json'), JSON.stringify({ mcpServers: { memory: server } }))
    const { code, out, errors } = await sekisho(project, 'scan', ...yes, '--timeout', '60')
    assert.equal(code, 0, out + errors)
    assert.match(
      out,
      /\? memory .*\.mcp\.json:1\n +\d+ definitions, @modelcontextprotocol\/server-memory [\d.]+ with \d+ packages/,
    )
  })

  it('with a configuration of the gateway there, that is the policy of it', async () => {
    const project = folder('gateway')
    const servers = { memory: { command: [server.command, ...server.args] } }
    const supply = { licences: { allow: ['0BSD'] } }
    writeFileSync(join(project, 'sekisho.yaml'), `servers: ${JSON.stringify(servers)}\nsupply: ${JSON.stringify(supply)}\n`)
    const { code, out } = await sekisho(project, 'scan', 'sekisho.yaml', '--no-connect')
    assert.equal(code, 1, out)
    assert.match(out, /high .* is not among the licences that are allowed\. +supply\/licence/)
  })

  for (const [format, expected] of [
    ['html', /^<!doctype html>[\s\S]*<h1>Scan of 1 MCP server<\/h1>/],
    ['sarif', /"version": "2\.1\.0"/],
    ['json', /^\{"advisories":/],
  ] as const)
    it(`as ${format}`, async () => {
      const words = ['scan', '--no-connect', '--fail-on', 'never', '--format', format]
      const { out, errors } = await sekisho(folder(format), ...words, '--', server.command, ...server.args)
      assert.match(out, expected, errors)
    })
})
