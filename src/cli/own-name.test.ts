import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join, resolve } from 'node:path'
import test from 'node:test'
import { ownName, shellWord } from './own-name.ts'

const root = resolve(import.meta.dirname, '..', '..')
const main = join(root, 'src', 'cli', 'main.ts')
const own = join(root, 'node_modules', '.bin', 'node')

const names: readonly (readonly [script: string, node: string, folder: string, name: string])[] = [
  ['/usr/lib/node_modules/sekisho/dist/cli/main.js', process.execPath, root, 'sekisho'],
  ['/usr/local/bin/sekisho', process.execPath, root, 'sekisho'],
  [main, own, root, 'node_modules/.bin/node src/cli/main.ts'],
  [main, own, '/', `${shellWord(own.slice(1))} ${shellWord(main.slice(1))}`],
  [main, own, join(root, 'docs'), `${shellWord(own)} ${shellWord(main)}`],
]
for (const [script, node, folder, name] of names)
  test(`${script} in ${folder} is called ${name}`, () => assert.equal(ownName(script, node, folder), name))

for (const [text, word] of [
  ['a/b.yaml', 'a/b.yaml'],
  ['my file', "'my file'"],
  ["it's $(x)", "'it'\\''s $(x)'"],
  ['', "''"],
  ['a\x1b[2J\u202eb', "$'a\\x1b[2J\\xe2\\x80\\xaeb'"],
  ["it's \\ \n1", "$'it\\'s \\\\ \\x0a1'"],
] as const)
  test(`${text} is one word of a shell`, () => assert.equal(shellWord(text), word))

test('a shell reads the very words', { skip: spawnSync('bash', ['-c', 'true']).status !== 0 }, () => {
  for (const word of ['', "it's", 'a\x1b[2J\u202eb', 'x\n$(id) `id` "\\', '\u200b1f', "\\'\u0007"])
    assert.equal(spawnSync('bash', ['-c', `printf %s ${shellWord(word)}`], { encoding: 'utf8' }).stdout, word)
})
