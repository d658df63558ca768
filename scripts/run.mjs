/**
 * Runs a TypeScript entry point on the project's own Node, installing dependencies first where they are missing or
 * out of date. Written for any Node from 14 on, because it is the only file that the machine's Node ever executes.
 */
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const stamp = join(root, 'node_modules', '.sekisho-setup')
// Half of what a process of ours costs to start is reading our own sources; the tests start hundreds.
const compiled = join(root, 'node_modules', '.cache', 'compiled')
const ownNode = join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node')

function setUp() {
  const wanted = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted && existsSync(ownNode)) return
  process.stderr.write('sekisho: installing dependencies, once (about a minute)\n')
  const npm = process.env.npm_execpath ? [process.execPath, process.env.npm_execpath] : ['npm']
  const [command, ...rest] = [...npm, 'ci', '--no-audit', '--no-fund', '--loglevel=error']
  const done = spawnSync(command, rest, {
    cwd: root,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32' && npm.length === 1,
  })
  if (done.status !== 0) {
    process.stderr.write('sekisho: "npm ci" failed; mend what it says above, then run the same command again\n')
    process.exit(done.status || 1)
  }
  if (!existsSync(ownNode)) {
    process.stderr.write(
      'sekisho: the npm package "node" brought no binary for this platform; run with Node 24 or later on the path\n',
    )
    process.exit(1)
  }
  writeFileSync(stamp, wanted)
}

/** `npm start -- --sso` is a program of its own: the identity provider that it brings along is not in the package. */
const args = process.argv.slice(2)
const sso = args.indexOf('--sso')
const program = sso === -1 ? args : ['scripts/sso.ts', ...args.slice(sso + 1)]

setUp()
const child = spawn(ownNode, ['--disable-warning=ExperimentalWarning', ...program], {
  cwd: root,
  stdio: 'inherit',
  env: {
    ...process.env,
    NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE || compiled,
    PATH: dirname(ownNode) + (process.platform === 'win32' ? ';' : ':') + process.env.PATH,
  },
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
child.on('exit', (code, signal) => process.exit(signal ? 1 : code))
