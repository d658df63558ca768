/** `npm run check`: types, lint and format, nothing unused, documents in step with the code. One line for each fault. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { documentFaults } from './documents.ts'

const root = join(import.meta.dirname, '..')
const tools: readonly (readonly [name: string, ...command: string[]])[] = [
  ['types', 'node_modules/typescript/bin/tsc', '--noEmit'],
  [
    'lint and format',
    'node_modules/@biomejs/biome/bin/biome',
    'ci',
    '--error-on-warnings',
    '--colors=off',
    '--max-diagnostics=30',
    '.',
  ],
  ['nothing unused', 'node_modules/knip/bin/knip.js', '--no-progress', '--no-config-hints'],
]

let failed = 0
for (const [name, ...command] of tools) {
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { cwd: root, encoding: 'utf8' })
  if (status !== 0) failed++
  process.stdout.write(status === 0 ? `ok    ${name}\n` : `FAIL  ${name}\n${stdout}${stderr}\n`)
}
const faults = await documentFaults(root)
if (faults.length > 0) failed++
process.stdout.write(
  faults.length === 0 ? 'ok    documents\n' : `FAIL  documents\n${faults.map((fault) => `      ${fault}\n`).join('')}`,
)
process.stdout.write(`${tools.length + 1 - failed} passed, ${failed} failed\n`)
process.exit(failed === 0 ? 0 : 1)
