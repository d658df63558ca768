import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, describe, it } from 'node:test'
import { NotAdmitted } from './not-admitted.ts'
import { mustBeRecent, onlyWithin } from './within.ts'

const place = realpathSync(mkdtempSync(join(tmpdir(), 'sekisho-within-')))
after(() => rmSync(place, { recursive: true }))
const copy = join(place, "co'py %20#1")
const files: Readonly<Record<string, string>> = {
  'node_modules/extra/package.json': '{"name":"extra","main":"index.js","exports":{".":"./index.js"}}',
  'node_modules/extra/index.js': 'module.exports = "outside"',
  'home/.node_modules/legacy/index.js': 'module.exports = "outside"',
  'path/global/index.js': 'module.exports = "outside"',
  'settings.json': '{"from":"settings"}',
  "co'py %20#1/node_modules/own/index.js": 'module.exports = "own"',
  "co'py %20#1/store/linked/index.js": 'module.exports = "linked"',
}
for (const [path, content] of Object.entries(files)) {
  mkdirSync(dirname(join(place, path)), { recursive: true })
  writeFileSync(join(place, path), content)
}
symlinkSync('../store/linked', join(copy, 'node_modules/linked'))
symlinkSync(join(place, 'node_modules/extra'), join(copy, 'node_modules/leading-out'))

/** What a script in the copy prints. */
function run(name: string, script: string): string {
  writeFileSync(join(copy, name), script)
  const env = { HOME: join(place, 'home'), NODE_PATH: join(place, 'path') }
  const { stdout, stderr } = spawnSync(process.execPath, [onlyWithin(copy), join(copy, name)], { env, encoding: 'utf8' })
  assert.equal(stderr, '')
  return stdout
}
const outside = JSON.stringify(join(place, 'node_modules/extra/index.js'))
const failing = 'const say = (error) => process.stdout.write(error.code)\n'

describe('SUP-C2 what lies outside of the copy is not there', () => {
  const inRequire: readonly (readonly [what: string, expression: string])[] = [
    ['a package of a folder above', 'require("extra")'],
    ['one in the home', 'require("legacy")'],
    ['one in NODE_PATH', 'require("global")'],
    ['a file by its path', `require(${outside})`],
    ['a link that leads out', 'require("leading-out")'],
    ['where it would be', 'require.resolve("extra")'],
    ['as seen from elsewhere', `require("node:module").createRequire(${outside})("extra")`],
  ]
  for (const [what, expression] of inRequire)
    it(what, () =>
      assert.equal(
        run('a.cjs', `${failing}try { process.stdout.write(${expression}) } catch (e) { say(e) }`),
        'MODULE_NOT_FOUND',
      ),
    )
  for (const specifier of ['"extra"', outside, '"leading-out"'])
    it(`import(${specifier === outside ? 'a file' : specifier})`, () =>
      assert.equal(run('a.mjs', `${failing}await import(${specifier}).catch(say)`), 'ERR_MODULE_NOT_FOUND'))

  const body = 'try { process.stdout.write(require("extra")) } catch (error) { process.stdout.write(error.code) }'
  const threads: readonly (readonly [what: string, worker: string])[] = [
    ['a thread', 'new Worker(process.argv[1].replace(/main.*/, "thread.cjs"))'],
    [
      'a thread with arguments of its own',
      'new Worker(process.argv[1].replace(/main.*/, "thread.cjs"), { execArgv: ["--no-warnings"] })',
    ],
    ['a thread from a text', `new Worker(${JSON.stringify(body.replace('"extra"', outside))}, { eval: true })`],
  ]
  for (const [what, worker] of threads)
    it(`${what} is kept, too`, () => {
      writeFileSync(join(copy, 'thread.cjs'), body)
      for (const [name, start] of [
        ['main.cjs', 'const { Worker } = require("node:worker_threads")\n'],
        ['main.mjs', 'import { Worker } from "node:worker_threads"\n'],
      ] as const)
        assert.equal(run(name, start + worker), 'MODULE_NOT_FOUND', name)
    })
})

describe('what lies in the copy is there, and so is Node', () => {
  const there: readonly (readonly [script: string, says: string])[] = [
    ['process.stdout.write(require("own"))', 'own'],
    ['process.stdout.write(require("linked"))', 'linked'],
    ['process.stdout.write(require("node:path").sep)', '/'],
    [`process.stdout.write(require(${JSON.stringify(join(place, 'settings.json'))}).from)`, 'settings'],
    ['import("own").then((own) => process.stdout.write(own.default))', 'own'],
    ['import("data:text/javascript,process.stdout.write(%22text%22)")', 'text'],
    [
      'new (require("node:worker_threads").Worker)("this === undefined; process.stdout.write(\'thread\')", { eval: true })',
      'thread',
    ],
  ]
  for (const [script, says] of there) it(script.slice(0, 60), () => assert.equal(run('b.cjs', script), says))
})

it('SUP-C2 a Node that is too old to be kept is refused', () => {
  const path = '/opt/node'
  for (const version of ['v18.20.8', 'v20.20.2', 'v22.14.0'])
    assert.throws(() => mustBeRecent({ path, version }), NotAdmitted, version)
  for (const version of ['v22.15.0', 'v23.5.0', 'v24.0.0', 'unknown', undefined]) mustBeRecent({ path, version })
})
