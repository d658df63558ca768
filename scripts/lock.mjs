/**
 * Makes package-lock.json anew, for every platform. `npm install` leaves out optional packages of other platforms that the
 * registry at hand does not carry, and `npm ci` then refuses the file; they are put back here, for npm to pass over.
 * Run after a change of dependencies: node scripts/lock.mjs
 */
import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const systems = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32']
const processors = ['arm', 'arm64', 'ia32', 'loong64', 'ppc64', 'riscv64', 's390x', 'wasm32', 'x64']

const folder = mkdtempSync(join(tmpdir(), 'lock-'))
cpSync('package.json', join(folder, 'package.json'))
cpSync('.npmrc', join(folder, '.npmrc'))
execFileSync('npm', ['install', '--package-lock-only', '--ignore-scripts', '--loglevel=error'], {
  cwd: folder,
  stdio: ['ignore', 2, 2],
})
const lock = JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8'))
rmSync(folder, { recursive: true })

for (const [path, { optionalDependencies = {}, dev }] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(optionalDependencies)) {
    if (Object.keys(lock.packages).some((other) => other.endsWith(`node_modules/${name}`))) continue
    const words = name.split(/[-/]/)
    const os = systems.find((system) => words.includes(system))
    const cpu = processors.find((processor) => words.includes(processor))
    if (os === undefined || cpu === undefined || !/^\d/.test(version))
      throw new Error(`${path} wants ${name}@${version}, which this registry lacks`)
    lock.packages[`node_modules/${name}`] = { version, cpu: [cpu], ...(dev && { dev }), optional: true, os: [os] }
    if (words.includes('musl')) lock.packages[`node_modules/${name}`].libc = ['musl']
    process.stderr.write(`put back ${name}@${version}\n`)
  }
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)))
for (const [path, entry] of Object.entries(lock.packages))
  if (path !== '' && (entry.resolved || !entry.version)) throw new Error(`${path} is not fit to be committed`)
writeFileSync('package-lock.json', `${JSON.stringify(lock, undefined, 2)}\n`)
