/** What passes for Sekisho in an entry: this program, other copies of it, and nothing that a stranger can put in their place. */
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { type FoundServer, Values } from './entries.ts'
import { guardFormIn, guardOf, startsSekisho } from './guarded.ts'

const launcher = ['/n/node', '--use-system-ca', '/s/main.js']
const project = ['/home/me/Project', '/data/project']

interface Case {
  readonly env?: Readonly<Record<string, string>>
  readonly cameWith?: readonly string[]
}
const entry = (line: string, { env = {}, ...rest }: Case = {}) => {
  const [command, ...args] = line.split(' ')
  return { command, args, env: new Values(env), ...rest } satisfies Partial<FoundServer>
}
const behind = 'run --id x -- server'

describe('is not Sekisho, in whoever’s file:', () => {
  for (const line of [
    `bash -c curl sekisho ${behind}`,
    `node ./evil.js sekisho ${behind}`,
    `node /x/evil.js /x/sekisho ${behind}`,
    `node -r ./evil.js /x/node_modules/sekisho/dist/cli/main.js ${behind}`,
    `node --import=./evil.js /x/node_modules/sekisho/dist/cli/main.js ${behind}`,
    `node sekisho ${behind}`,
    `node ./sekisho/dist/cli/main.js ${behind}`,
    `node /other/dist/cli/main.js run -- server`,
    `node /x/npm/bin/npx-cli.js evil sekisho ${behind}`,
    `./tools/sekisho ${behind}`,
    `tools/sekisho ${behind}`,
    `~/sekisho ${behind}`,
    `\${workspaceFolder}/sekisho ${behind}`,
    `./node /s/main.js ${behind}`,
    `npx sekisho-mcp ${behind}`,
    `npx sekisho@npm:evil ${behind}`,
    `npx sekisho@https://evil.test/x.tgz ${behind}`,
    `npx sekisho@file:./evil ${behind}`,
    `npx -p evil sekisho ${behind}`,
    `npx --package=evil sekisho ${behind}`,
    `npx -c evil sekisho ${behind}`,
    `npx --registry https://evil.test sekisho ${behind}`,
    `npx evil sekisho ${behind}`,
    `./npx sekisho ${behind}`,
    `npm run sekisho ${behind}`,
    `npm start -- sekisho ${behind}`,
    `pnpm exec sekisho ${behind}`,
    `yarn dlx sekisho ${behind}`,
    `env -S evil sekisho ${behind}`,
    `env PATH=./evil`,
    `cmd /c sekisho ${behind} & evil`,
    `cmd /k sekisho ${behind}`,
    `sudo sekisho ${behind}`,
    'sekisho start',
    'sekisho run',
    'sekisho run --',
    'sekisho run evil -- server',
    'sekisho run evil --id x -- server',
    'sekisho run --config evil.yaml -- server',
    'sekisho run --id -- server',
    'sekisho run server',
    'sekisho serve run --id x -- server',
    '',
  ])
    test(line, () => assert.equal(guardOf(entry(line), launcher), undefined))
  test('a remote server', () => assert.equal(guardOf({ ...entry(''), command: undefined }, launcher), undefined))
})

describe('is not certainly Sekisho where the entry came with a project:', () => {
  for (const line of [
    // Looked up by name: in the project first, for what runs packages, and on Windows for everything.
    `sekisho ${behind}`,
    `npx -y sekisho@0.1.0 ${behind}`,
    `bunx sekisho ${behind}`,
    `node /usr/lib/node_modules/sekisho/dist/cli/main.js ${behind}`,
    `/usr/bin/node /usr/lib/node_modules/npm/bin/npx-cli.js -y sekisho ${behind}`,
    `/usr/bin/env NODE_OPTIONS=--import=./evil.js /usr/bin/sekisho ${behind}`,
    // In the project, in whatever way it is written.
    `/home/me/Project/tools/sekisho ${behind}`,
    `/HOME/ME/project/tools/sekisho ${behind}`,
    `/data/project/node_modules/.bin/sekisho ${behind}`,
    `/home/me/other/../Project/tools/sekisho ${behind}`,
    `/home/me/./Project/tools/sekisho ${behind}`,
    `/home/me//Project/tools/sekisho ${behind}`,
    `/System/Volumes/Data/home/me/Project/sekisho ${behind}`,
    `/proc/self/cwd/tools/sekisho ${behind}`,
    `/dev/fd/3/sekisho ${behind}`,
    `\\\\evil.test\\share\\sekisho ${behind}`,
    `C:\\Users\\ME~1\\sekisho.exe ${behind}`,
    `/\${HOME}/sekisho ${behind}`,
    `/usr/bin/node /home/me/Project/node_modules/sekisho/dist/cli/main.js ${behind}`,
    // With pins and a key of the project's own.
    '/usr/bin/sekisho run --id x --data ./data -- server',
    '/usr/bin/sekisho run --data=/data/project/data -- server',
  ])
    test(line, () => assert.equal(guardOf(entry(line, { cameWith: project }), launcher), undefined))
  for (const name of ['NODE_OPTIONS', 'LD_PRELOAD', 'DYLD_INSERT_LIBRARIES', 'HOME', 'XDG_DATA_HOME', 'LocalAppData'])
    test(`with ${name}`, () => {
      const given = entry(`${launcher.join(' ')} ${behind}`, { cameWith: project, env: { [name]: 'x' } })
      assert.equal(guardOf(given, launcher), undefined)
      assert.equal(guardOf({ ...given, cameWith: undefined } as never, launcher)?.lead, 7)
    })
  test('a gateway that the project configures', () => {
    const starts = entry('/usr/bin/sekisho start --config sekisho.yaml', { cameWith: project })
    assert.equal(startsSekisho(starts, launcher), false)
    assert.equal(startsSekisho({ ...starts, cameWith: undefined } as never, launcher), true)
  })
})

describe('is Sekisho, and this is behind it:', () => {
  const server = ['server']
  const everywhere: readonly (readonly [line: string, inner: readonly string[], isOurs: boolean])[] = [
    [`${launcher.join(' ')} ${behind}`, server, true],
    [`${launcher.join(' ')} run --sandbox --read /x --allow a:1 --id=x -- server`, server, false],
    [`/usr/local/bin/sekisho ${behind}`, server, true],
    [`C:\\tools\\sekisho.cmd ${behind}`, server, true],
    [`/usr/bin/node --max-old-space-size=100 /usr/lib/node_modules/sekisho/dist/cli/main.js ${behind}`, server, true],
    ['/n/node /src/checkout/src/cli/main.ts run --id x -- y -- z', ['y', '--', 'z'], true],
  ]
  const ownFile: typeof everywhere = [
    ['sekisho run -- https://x/', ['https://x/'], false],
    ['sekisho run --data /d --verbose -- server', server, false],
    [`npx -y sekisho@0.1.0 ${behind}`, server, true],
    [`npx --package=sekisho@^1 sekisho ${behind}`, server, true],
    [`npm exec -y -- sekisho ${behind}`, server, true],
    [`pnpm dlx sekisho@latest ${behind}`, server, true],
    [`bunx --bun sekisho ${behind}`, server, true],
    [`bun x sekisho ${behind}`, server, true],
    [`cmd /c npx sekisho ${behind}`, server, true],
    [`env A=b /usr/bin/sekisho ${behind}`, server, true],
    [`node /usr/bin/sekisho ${behind}`, server, true],
    [`C:\\node\\node.exe C:\\node\\node_modules\\npm\\bin\\npx-cli.js -y sekisho@0.1.0 ${behind}`, server, true],
  ]
  for (const [line, inner, isOurs] of [...everywhere, ...ownFile])
    test(line, () => {
      const found = guardOf(entry(line), launcher)
      assert.deepEqual([found?.inner, found?.isOurs], [inner, isOurs])
      // What is taken away again is the same.
      assert.deepEqual(guardFormIn(line.split(' '), launcher), found)
    })
  for (const [line, inner] of everywhere)
    test(`${line}, in a project`, () => assert.deepEqual(guardOf(entry(line, { cameWith: project }), launcher)?.inner, inner))
})
