import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { programOf } from './program.ts'
import { SandboxRefused } from './refused.ts'

const root = realpathSync(mkdtempSync(join(tmpdir(), 'sekisho-program-')))
after(() => rmSync(root, { recursive: true, force: true }))
const home = join(root, 'home')

/** Files by their path below the root; a program where it begins with `#!`, a link where it begins with `->`. */
const files: Readonly<Record<string, string>> = {
  'home/.ssh/id': 'key',
  'home/alone.mjs': '',
  'home/tools/beside.mjs': '',
  'home/.local/bin/tool': '-> ../lib/node_modules/tool/main.js',
  'home/.local/bin/secret': 'x',
  'home/.local/share/keyring': 'x',
  'home/.local/lib/node_modules/tool/main.js': '#!/usr/bin/env node\n',
  'home/.local/lib/node_modules/tool/package.json': '{}',
  'home/.nvm/package.json': '{}',
  'home/.nvm/versions/v24/bin/node': 'ELF',
  'home/.nvm/versions/v24/lib/x': '',
  'project/package.json': '{}',
  'project/src/deep/server.ts': '',
  'project/node_modules/one/main.js': '#!/usr/bin/env -S node --flag\n',
  'project/node_modules/one/node_modules/two/main.js': '',
  'project/node_modules/.bin/one': '-> ../one/main.js',
  'linked/package.json': '{}',
  'linked/main.js': '',
  'linked/node_modules': '-> ../elsewhere/modules',
  'elsewhere/modules/three/main.js': '',
  'holding/package.json': '{}',
  'holding/src/main.js': '',
  'holding/node_modules/x/main.js': '',
  'holding/data/sekisho.key': 'key',
  'venv/pyvenv.cfg': 'home = /usr/bin',
  'venv/bin/python': '-> ../../base/bin/python3.11',
  'venv/bin/serve': `#!${root}/venv/bin/python\n`,
  'venv/lib/python3.11/site.py': '',
  'base/bin/python3.11': 'ELF',
  'base/lib/python3.11/os.py': '',
  loop: `#!${root}/loop\n`,
  plain: 'ELF',
}
for (const [path, text] of Object.entries(files)) {
  const at = join(root, path)
  mkdirSync(dirname(at), { recursive: true })
  if (text.startsWith('->')) symlinkSync(text.slice(3), at)
  else writeFileSync(at, text)
  if (!text.startsWith('->')) chmodSync(at, 0o755)
}

const path = [join(home, '.nvm/versions/v24/bin'), '/usr/bin'].join(':')
const find = (command: readonly string[], cwd = root) => {
  const { reads, links } = programOf({ command, cwd, path, home, withheld: [join(root, 'holding/data/sekisho.key')] })
  const short = (one: string): string => one.replace(`${root}/`, '')
  return [...reads.map(short), ...links.map((link) => `${short(link.path)} -> ${short(link.target)}`)]
}
const node = ['home/.nvm/versions/v24/bin', 'home/.nvm/versions/v24/lib']

const found: readonly (readonly [what: string, command: readonly string[], reads: readonly string[]])[] = [
  ['a program of the system', ['ls'], []],
  ['a program on its own', ['./plain'], ['plain']],
  ['a program on its own, and files that are its arguments', ['./plain', './home/.ssh/id'], ['plain']],
  ['an installation of Node, and no script', ['node'], node],
  ['a script in a home: that file and nothing beside it', ['node', './home/alone.mjs'], ['home/alone.mjs', ...node].sort()],
  ['a script in a folder that is no package', ['node', './home/tools/beside.mjs'], ['home/tools/beside.mjs', ...node].sort()],
  ['a script that does not exist', ['node', './gone.mjs'], node],
  ['a script after options', ['node', '--flag', './project/src/deep/server.ts', './home/.ssh/id'], [...node, 'project']],
  ['a package: all of its neighbours', ['./project/node_modules/.bin/one'], [...node, 'project/node_modules']],
  ['a package in a package', ['node', './project/node_modules/one/node_modules/two/main.js'], [...node, 'project/node_modules']],
  ['packages that are kept elsewhere', ['node', './linked/main.js'], ['elsewhere/modules', ...node, 'linked']],
  [
    'a package that holds a file of ours: its parts',
    ['node', './holding/src/main.js'],
    ['holding/node_modules', 'holding/package.json', 'holding/src', ...node],
  ],
  [
    'a program installed for one person: not what lies beside bin and lib',
    ['./home/.local/bin/tool'],
    ['home/.local/bin', 'home/.local/lib', ...node],
  ],
  [
    'a virtual environment, and what it is made of',
    ['./venv/bin/serve'],
    ['base/bin', 'base/lib', 'venv/bin', 'venv/lib', 'venv/pyvenv.cfg'],
  ],
  ['an interpreter that names itself', ['./loop'], ['loop']],
]
for (const [what, command, reads] of found) test(what, () => assert.deepEqual(find(command), reads))

test('a program that is not there is said so', () => {
  for (const command of [['gone'], ['./gone'], ['./home'], ['./home/.ssh/id/x'], ['']])
    assert.throws(
      () => find(command),
      (error) => error instanceof SandboxRefused && /is not there; check "command"/.test(error.message),
    )
})
