/** `sekisho check`: would the gateway start with this configuration, and if not, where is it wrong? */
import { Command } from 'commander'
import { configCheck } from '../admin/operations/config-check.ts'
import { configJsonSchema } from '../config/json-schema.ts'
import { problemsText } from './problems.ts'
import { styled } from './table.ts'

export function checkCommand(): Command {
  return new Command('check')
    .description('check a configuration: exit 0, or errors with their places')
    .option('-c, --config <file>', 'the configuration', './sekisho.yaml')
    .option('--no-secrets', 'look neither for what env: and file: refer to nor for any file that is named')
    .option('--json', 'machine-readable')
    .option('--schema', 'print the JSON Schema of the configuration, for editors')
    .action(async ({ config: file, secrets, json, schema }: { config: string; secrets: boolean; json?: true; schema?: true }) => {
      if (schema) return void process.stdout.write(`${JSON.stringify(configJsonSchema(), undefined, 2)}\n`)
      const { valid, problems, warnings, text, servers } = await configCheck(file, { secrets: secrets ? 'fetch' : 'leave' })
      if (!valid) process.exitCode = 1
      if (json) process.stdout.write(`${JSON.stringify({ file, valid, problems, warnings })}\n`)
      else {
        const ok = `${styled('green', 'ok')}  ${file}: ${servers === 1 ? '1 server' : `${servers} servers`}\n`
        const warned = problemsText(file, warnings, text, process.stdout, 'warning')
        process.stdout.write(valid ? warned + ok : problemsText(file, problems, text, process.stdout))
      }
    })
}
