import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { addedIn } from './added-lines.ts'

const head = (file: string): string => `diff --git a/x b/x\nindex 1..2 100644\n--- a/x\n+++ ${file}\n`
const shown = (patch: string): readonly string[] =>
  addedIn(patch).flatMap(({ commit, file, line, lines, added }) =>
    [...added].map((at) => `${commit?.slice(0, 3) ?? '-'} ${file}:${line + at} ${lines[at]}`),
  )

describe('added lines, with their numbers', () => {
  const id = 'abc'.padEnd(40, '0')
  const cases: readonly (readonly [says: string, patch: string, added: readonly string[]])[] = [
    ['nothing', '', []],
    ['one among others', `${head('b/a.txt')}@@ -1,3 +1,4 @@ where\n one\n+two\n three\n four\n`, ['- a.txt:2 two']],
    [
      'a new file',
      `${head('b/a.txt')}@@ -0,0 +1,2 @@\n+one\n+two\n\\ No newline at end of file\n`,
      ['- a.txt:1 one', '- a.txt:2 two'],
    ],
    ['one line for another', `${head('b/a.txt')}@@ -7 +7 @@\n-old\n\\ No newline at end of file\n+new\n`, ['- a.txt:7 new']],
    ['taken away', `${head('/dev/null')}@@ -1 +0,0 @@\n-one\n`, []],
    [
      'lines that look like heads',
      `${head('b/a.txt')}@@ -0,0 +1,3 @@\n+++ b/other.txt\n+@@ -1 +1 @@\n+commit ${id}\n`,
      ['- a.txt:1 ++ b/other.txt', '- a.txt:2 @@ -1 +1 @@', `- a.txt:3 commit ${id}`],
    ],
    ['lines taken away that look like heads', `${head('b/a.txt')}@@ -1,2 +1 @@\n--- a/x\n--- b/x\n+new\n`, ['- a.txt:1 new']],
    ['a name with a space', `${head('b/a b.txt\t')}@@ -0,0 +1 @@\n+x\n`, ['- a b.txt:1 x']],
    ['a name that is quoted', `${head('"b/\\303\\274\\t\\"\\\\.txt"')}@@ -0,0 +1 @@\n+x\n`, ['- ü\t"\\.txt:1 x']],
    [
      'commits',
      `commit ${id}\n${head('b/a')}@@ -0,0 +1 @@\n+x\n\ncommit ${'d'.repeat(40)}\n${head('b/b')}@@ -0,0 +1 @@\n+y\n`,
      ['abc a:1 x', 'ddd b:1 y'],
    ],
    [
      'a merge: what neither parent has',
      `diff --cc a\n--- a/a\n+++ b/a\n@@@ -1,3 -1,3 +1,3 @@@\n  same\n- ours\n -theirs\n++both\n  end\n`,
      ['- a:2 both'],
    ],
    ['a merge: what one parent has', `diff --cc a\n--- a/a\n+++ b/a\n@@@ -1,1 -1,2 +1,2 @@@\n  same\n+ theirs\n`, []],
    ['a binary file', 'diff --git a/x b/x\nBinary files a/x and b/x differ\n', []],
    ['a hunk that was torn off', `${head('b/a')}@@ -0,0 +1,9 @@\n+x`, ['- a:1 x']],
    ['a hunk before any file', '@@ -0,0 +1 @@\n+x\n', []],
  ]
  for (const [says, patch, added] of cases) test(says, () => assert.deepEqual(shown(patch), added))
})
