import { readFile } from 'node:fs/promises'
import { Command } from 'commander'
import { type SecretsReport, supplySecrets as secretsIn } from '../../admin/operations/supply-secrets.ts'
import { told } from '../problems.ts'
import { jsonLine, plain, styled, table } from '../table.ts'

interface Options {
  readonly allow?: string
  readonly certain?: true
  readonly json?: true
}

export const supplySecrets = (): Command =>
  new Command('secrets')
    .description('secrets in files and folders; exit code 1 when there are any')
    .argument('<paths...>', 'what to read')
    .option('--allow <file>', 'SHA-256 digests of what may stand there, one a line')
    .option('--certain', 'only what is told by its form')
    .option('--json', 'machine-readable')
    .action(run)

/** As grep: 1 is found, and 2 that something could not be read. */
const run = (paths: readonly string[], { allow, certain, json }: Options): Promise<void> =>
  told(
    paths[0] ?? '',
    async () => {
      const allowed = allow === undefined ? [] : (await readFile(allow, 'utf8')).match(/^[0-9a-f]{64}\b/gm)
      const report = await secretsIn(paths, new Set(allowed))
      const found = certain ? report.found.filter(({ certainty }) => certainty === 'certain') : report.found
      process.exitCode = found.length > 0 ? 1 : report.unread.length > 0 ? 2 : 0
      process.stdout.write(json ? jsonLine({ ...report, found }) : reportText({ ...report, found }))
    },
    { json, exitCode: 2 },
  )

function reportText({ files, found, unread }: SecretsReport): string {
  const rows = found.map(({ file, line, column, name, certainty, rule, sha256 }) => [
    styled('bold', plain(`${file}:${line}:${column}`)),
    styled(certainty === 'certain' ? 'red' : 'yellow', name),
    certainty,
    styled('gray', rule),
    styled('gray', sha256),
  ])
  const lost = unread.map(({ path, why }) => [styled('yellow', 'not read'), plain(path), plain(why)])
  const end =
    found.length === 0
      ? styled('green', 'no secrets')
      : styled('red', found.length === 1 ? '1 secret' : `${found.length} secrets`)
  return `${table(rows)}${table(lost)}${end}  ${files === 1 ? '1 file' : `${files} files`}\n`
}
