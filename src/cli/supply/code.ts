/** `sekisho supply code` and `sekisho supply attest`: what a program sees in sources, and what a person says of the rest. */
import { Command, Option } from 'commander'
import { supplyAttest as attest } from '../../admin/operations/supply-attest.ts'
import { type CodeChecked, supplyCode as codeIn } from '../../admin/operations/supply-code.ts'
import { loadConfig } from '../../config/load.ts'
import { told } from '../problems.ts'
import { jsonLine, plain, type Style, styled, table } from '../table.ts'

/** From which it may be refused. */
export const severities = ['low', 'medium', 'high', 'critical'] as const
interface CodeOptions {
  readonly refuse: (typeof severities)[number]
  readonly json?: true
}

export const supplyCode = (): Command =>
  new Command('code')
    .description('mistakes in the source of servers, and what packages do while they are installed')
    .argument('<paths...>', 'TypeScript, JavaScript, Python, package.json')
    .addOption(new Option('--refuse <severity>', 'exit code 1 from this severity on').choices(severities).default('high'))
    .option('--json', 'machine-readable')
    .action(runCode)

export const supplyAttest = (): Command =>
  new Command('attest')
    .description('sign what the configuration attests of a component')
    .argument('<component>', 'its name')
    .requiredOption('--key <file>', 'an Ed25519 private key in PEM')
    .option('-c, --config <file>', 'the configuration', './sekisho.yaml')
    .option('--json', 'machine-readable')
    .action(runAttest)

/** As grep: 1 is found, and 2 that something could not be read. */
const runCode = (paths: readonly string[], { refuse, json }: CodeOptions): Promise<void> =>
  told(
    paths[0] ?? '',
    async () => {
      const checked = await codeIn(paths)
      const isRefused = checked.findings.some(
        ({ severity }) => severities.indexOf(severity as CodeOptions['refuse']) >= severities.indexOf(refuse),
      )
      process.exitCode = isRefused ? 1 : checked.unread.length > 0 ? 2 : 0
      process.stdout.write(json ? jsonLine(checked) : codeText(checked))
    },
    { json, exitCode: 2 },
  )

const runAttest = (name: string, { config, key, json }: { config: string; key: string; json?: true }): Promise<void> =>
  told(
    config,
    async () => {
      const signed = await attest(await loadConfig(config, undefined, { secrets: 'leave' }), name, key)
      const lines = signed.map(({ component, statement, file }) => [
        styled('green', 'signed'),
        plain(component),
        plain(statement),
        plain(file),
      ])
      process.stdout.write(json ? jsonLine(signed) : table(lines))
    },
    { json },
  )

const styles: Readonly<Record<string, Style>> = { critical: ['red', 'bold'], high: 'red', medium: 'yellow' }

function codeText({ files, findings, unread }: CodeChecked): string {
  const rows = findings.map(({ file, line, column, severity, evidence, rule }) => [
    styled('bold', plain(`${file}:${line}:${column}`)),
    styled(styles[severity] ?? 'gray', severity),
    plain(evidence),
    styled('gray', rule),
  ])
  const lost = unread.map(({ path, why }) => [styled('yellow', 'not read'), plain(path), plain(why)])
  const end =
    findings.length === 0
      ? styled('green', 'nothing found')
      : styled('red', findings.length === 1 ? '1 finding' : `${findings.length} findings`)
  return `${table(rows)}${table(lost)}${end}  ${files === 1 ? '1 file' : `${files} files`}\n`
}
