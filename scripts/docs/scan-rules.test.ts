import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { root } from '../child.ts'
import { readDocument } from './documents.ts'
import { rulesOutOfStep } from './scan-rules.ts'

const files = ['docs/reference/scan-rules.md', 'docs/reference/supply-rules.md']

const cases: readonly (readonly [what: string, change: (text: string) => string, fault: RegExp | undefined])[] = [
  ['a rule of packages left out', (all) => all.replace(/\| `supply\/policy` .*\n/, ''), /is missing: \| `supply\/policy`/],
  ['a rule of packages that there is not', (all) => `${all}| \`supply/none\` | low | x |\n`, /is no rule: \| `supply\/none`/],
  ['as it is', (all) => all, undefined],
  ['a rule that there is not', (all) => `${all}| \`trust/none\` | low | MCP03 | x | y | z |\n`, /there is no rule trust\/none/],
  ['a rule left out', (all) => all.replace('`trust/speaker`', '`trust/speakers`'), /trust\/speaker is missing/],
  ['another severity', (all) => all.replace(/(`trust\/secrecy` \| )high/, '$1low'), /trust\/secrecy: "low" should be "high"/],
  ['an example that is none', (all) => all.replace('`Do not tell the user', '`Tell the user'), /trust\/secrecy: its example/],
]
for (const [what, change, fault] of cases)
  test(`scan rules: ${what}`, () => {
    const found = rulesOutOfStep(files.map((file) => readDocument(file, change(readFileSync(join(root, file), 'utf8')))))
    if (fault === undefined) assert.deepEqual(found, [])
    else assert.match(found.join('\n'), fault)
  })
