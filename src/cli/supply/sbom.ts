import { writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { Command, InvalidArgumentError, Option } from 'commander'
import { supplySbom as sbomOf } from '../../admin/operations/supply-sbom.ts'
import { readEnvironment } from '../../config/environment.ts'
import { loadConfig } from '../../config/load.ts'
import { systemClock } from '../../lib/clock.ts'
import { told } from '../problems.ts'
import { styled } from '../table.ts'
import { clientsOf } from './clients.ts'

interface Options {
  readonly config: string
  readonly lockfile: readonly string[]
  readonly clients?: true
  readonly home?: string
  readonly traffic?: true
  readonly format: 'cyclonedx' | 'spdx'
  readonly specVersion?: '1.6' | '1.7'
  readonly serial?: string
  readonly output?: string
}

export const supplySbom = (): Command =>
  new Command('sbom')
    .description('the bill of materials: CycloneDX or SPDX in JSON, models, data and services included')
    .option('-c, --config <file>', 'the configuration', './sekisho.yaml')
    .option('-l, --lockfile <file...>', 'package-lock.json, uv.lock, poetry.lock, requirements.txt', [])
    .option('--clients', 'also what the clients of this machine start and call')
    .option('--home <folder>', 'of the clients: look under another home')
    .option('--traffic', 'also hosts that servers reached for, out of the audit log')
    .addOption(new Option('--format <format>', 'SPDX is 2.3').choices(['cyclonedx', 'spdx']).default('cyclonedx'))
    .addOption(new Option('--spec-version <version>', 'of CycloneDX (default: 1.6)').choices(['1.6', '1.7']))
    .option('--serial <urn>', 'the serial number, instead of one that depends on the content alone', serial)
    .option('-o, --output <file>', 'write it there')
    .action(run)

const run = ({
  config,
  lockfile,
  clients,
  home,
  traffic,
  format,
  specVersion,
  serial: serialNumber,
  output,
}: Options): Promise<void> =>
  told(config, async () => {
    if (format === 'spdx' && specVersion !== undefined) throw new Error('--spec-version is of CycloneDX; SPDX is 2.3')
    const loaded = await loadConfig(config, undefined, { secrets: 'leave' })
    const at = readEnvironment().sourceDateMs ?? systemClock.now()
    const text = await sbomOf(
      loaded,
      { lockFiles: lockfile, clients: clientsOf(clients, home), traffic },
      { format, folder: dirname(resolve(config)), serialNumber, at, ...(specVersion && { version: specVersion }) },
    )
    if (output === undefined) return void process.stdout.write(text)
    await writeFile(output, text)
    process.stdout.write(`${styled('green', 'written')}  ${output}\n`)
  })

function serial(text: string): string {
  if (/^urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text)) return text
  throw new InvalidArgumentError('It is urn:uuid: and a UUID in small letters.')
}
