import assert from 'node:assert/strict'
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
] as const)
  test(`${text} is one word of a shell`, () => assert.equal(shellWord(text), word))
