import assert from 'node:assert/strict'
import test from 'node:test'
import { lastWords } from './last-words.ts'

const exited = 'exited (code 1)'
const node = [
  'node:internal/fs/promises:639',
  '  return binding.open(pathModule.toNamespacedPath(path),',
  '                 ^',
  '',
  "Error: ENOENT: no such file or directory, open '/home/ada/tools.json'",
  '    at async open (node:internal/fs/promises:639:25) {',
  '  errno: -2,',
  "  code: 'ENOENT',",
  '}',
  'Node.js v24.21.0',
]
const python = [
  'Traceback (most recent call last):',
  '  File "/srv/server.py", line 1, in <module>',
  '    import mcp',
  "ModuleNotFoundError: No module named 'mcp'",
]

const told: readonly (readonly [what: string, lines: readonly string[], words: string | undefined])[] = [
  ['a program that says nothing', [exited], undefined],
  ['a program of Node', [...node, exited], "Error: ENOENT: no such file or directory, open '/home/ada/tools.json'"],
  ['a program of Python', [...python, exited], "ModuleNotFoundError: No module named 'mcp'"],
  ['one that was started twice', [...python, exited, ...python, exited], "ModuleNotFoundError: No module named 'mcp'"],
  ['one that says why before it says goodbye', ['API_KEY is required', 'shutting down', exited], 'API_KEY is required'],
  ['one that does not say why', ['starting', 'shutting down', exited], 'shutting down'],
  [
    'a secret',
    [`Error: token=ghp_${'16C7e42F292c6912E7710c838347Ae178B4a'} is not good`, exited],
    'Error: token=••• is not good',
  ],
  ['a flood', [`error ${'x '.repeat(500)}`, exited], `error ${'x '.repeat(116)}x…`],
]
for (const [what, lines, words] of told) test(`${what}: its last words`, () => assert.equal(lastWords(lines), words))
