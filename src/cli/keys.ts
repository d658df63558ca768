/** `sekisho keys`: API keys of this gateway. */
import { Command } from 'commander'
import { keyNew } from '../admin/operations/key-new.ts'
import { told } from './problems.ts'
import { styled } from './table.ts'

export function keysCommand(): Command {
  const make = new Command('new')
    .argument('<id>', 'its name: 1 to 32 of a-z, 0-9 and "-"')
    .description('make a key; it is shown once')
    .option('--json', 'machine-readable')
    .action((id: string, { json }: { json?: true }) => told('', () => show(id, json), { json }))
  return new Command('keys').description('API keys').addCommand(make)
}

async function show(id: string, json?: true): Promise<void> {
  const { key, sha256, yaml } = await keyNew(id)
  if (json) return void process.stdout.write(`${JSON.stringify({ id, key, sha256, yaml })}\n`)
  process.stdout.write(`${styled('bold', key)}
${styled('dim', 'Shown this once. Clients send it as  Authorization: Bearer KEY')}

Paste under identity.keys (mode: api-keys), then give it a role under bindings:
  ${yaml}
  - { role: ROLE, apiKey: ${id} }
`)
}
