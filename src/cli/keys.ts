/** `sekisho keys`: API keys of this gateway, and the key that it signs its own tokens with. */
import { Command } from 'commander'
import { keyNew } from '../admin/operations/key-new.ts'
import { type KeyRotation, keysRotate } from '../admin/operations/keys-rotate.ts'
import { withRecords } from '../admin/with-records.ts'
import { systemClock } from '../lib/clock.ts'
import { operator } from './operator.ts'
import { told } from './problems.ts'
import { jsonLine, styled, table } from './table.ts'

export function keysCommand(): Command {
  const make = new Command('new')
    .argument('<id>', 'its name: 1 to 32 of a-z, 0-9 and "-"')
    .description('make an API key; it is shown once')
    .option('--json', 'machine-readable')
    .action((id: string, { json }: { json?: true }) => told('', () => show(id, json), { json }))
  const rotation = new Command('rotate')
    .description('sign our own tokens with a new key, also in a running gateway (identity mode authorization-server)')
    .option('-c, --config <file>', 'the configuration', './sekisho.yaml')
    .option('--json', 'machine-readable')
    .action(rotate)
  return new Command('keys').description('API keys, and the key of our own tokens').addCommand(make).addCommand(rotation)
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

const rotate = ({ config, json }: { readonly config: string; readonly json?: true }): Promise<void> =>
  told(
    config,
    () =>
      withRecords(config, async ({ records }) => {
        const done = await keysRotate(records, systemClock, operator())
        process.stdout.write(json ? jsonLine(done) : rotationText(done))
      }),
    { json },
  )

/** `3, 2 and 1`. */
const listed = (numbers: readonly number[]): string =>
  [numbers.slice(0, -1).join(', '), numbers.slice(-1).join('')].filter(Boolean).join(' and ')

function rotationText({ key, believed }: KeyRotation): string {
  const facts = [
    ['signs', `key ${key}, in a running gateway within a second`],
    [
      'believed',
      `${believed.length === 1 ? 'key' : 'keys'} ${listed(believed)} as well, for about an hour: until what ${believed.length === 1 ? 'it' : 'they'} signed has expired`,
    ],
  ]
  return `${styled('green', 'rotated')}\n${table(facts, '  ')}`
}
