/** Each check of the documents finds the lie that it is there for, and lets the truth be. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { unknownCodes } from './codes.ts'
import { unknownCommands, unknownScripts } from './commands.ts'
import { refusedConfigurations } from './configuration.ts'
import { type Document, readDocument } from './documents.ts'
import { strayExamples } from './examples.ts'
import { deadLinks } from './links.ts'

type Check = (documents: readonly Document[]) => readonly string[] | Promise<readonly string[]>
const links: Check = (documents) => documents.flatMap(deadLinks)
const yaml = (text: string): string => `\`\`\`yaml\n${text}\n\`\`\`\n`

const cases: readonly [check: Check, text: string, faults: readonly RegExp[]][] = [
  [links, '[a](LICENSE) [b](https://example.com/x) [c](docs/adr/0003-strict-json.md)', []],
  [links, 'x\n\n[a](NOWHERE.md)', [/^README\.md:3: NOWHERE\.md leads nowhere$/]],
  [links, '# A title, here\n[a](#a-title-here) [b](#another)', [/no heading #another/]],
  [links, '```\n[a](NOWHERE.md)\n```\n`[a](NOWHERE.md)`', []],
  [unknownCommands, '`sekisho check --json`, `sekisho audit verify`, `sekisho run -- COMMAND --any`', []],
  [unknownCommands, '```\nsekisho start   with two --words of comment\n$ sekisho audit tail -f | grep --x\n```', []],
  [unknownCommands, 'x\n`sekisho frobnicate`', [/^README\.md:2: there is no command "sekisho frobnicate"$/]],
  [unknownCommands, '```\n\nsekisho audit verify --fast\n```', [/^README\.md:3: "sekisho audit verify" has no flag --fast$/]],
  [unknownScripts, '`npm test` `npm run check`', []],
  [unknownScripts, '`npm run nothing`', [/no npm script "nothing"/]],
  [unknownCodes, '`POLICY_DENIED` `HTTPS_PROXY` `COMMAND`', []],
  [unknownCodes, '`POLICY_DENIDE`', [/no code POLICY_DENIDE/]],
  [refusedConfigurations, yaml('limits: { depthMax: 10 }') + yaml('# of another program\nversion: 3'), []],
  [
    refusedConfigurations,
    yaml('limits: { depthMax: 10 }\nroles: { r: [{ effect: allow, server: elsewhere, tools: ["*"] }] }'),
    [],
  ],
  [refusedConfigurations, yaml('limits:\n  depthMux: 10'), [/^README\.md:3: .*limits\.depthMux is not a key we know/]],
  [refusedConfigurations, yaml('servers: {}\nbindings: [{ role: nobody, anonymous: true }]'), [/names the role "nobody"/]],
  [strayExamples, '```ts\nconst no = "such program"\n```', [/in no program/]],
  [strayExamples, '```ts\n// examples/none.ts\nx\n```', [/no examples\/none\.ts/]],
]

for (const [check, text, faults] of cases)
  test(`${check.name || 'links'}: ${JSON.stringify(text).slice(0, 70)}`, async () => {
    const found = await check([readDocument('README.md', text)])
    assert.equal(found.length, faults.length, found.join('\n'))
    for (const [at, fault] of faults.entries()) assert.match(found[at] as string, fault)
  })
