/** `sekisho supply submit` and `sekisho supply sarif`: what goes to GitHub, and what comes from its analysers. */
import { Command, InvalidArgumentError, Option } from 'commander'
import { supplySarif as judge, type SarifJudged } from '../../admin/operations/supply-sarif.ts'
import { supplySubmit as submit } from '../../admin/operations/supply-submit.ts'
import { readEnvironment } from '../../config/environment.ts'
import { loadConfig } from '../../config/load.ts'
import { fetchSecret, isReference } from '../../config/secrets.ts'
import { systemClock } from '../../lib/clock.ts'
import { safeFetch } from '../../lib/safe-fetch.ts'
import { Secret } from '../../lib/secret.ts'
import { told } from '../problems.ts'
import { jsonLine, plain, styled, table } from '../table.ts'
import { severities } from './code.ts'

interface SubmitOptions {
  readonly config: string
  readonly lockfile: readonly string[]
  readonly repository: string
  readonly sha: string
  readonly ref: string
  readonly correlator: string
  readonly api: string
  readonly token: string
  readonly json?: true
}

export const supplySubmit = (): Command =>
  new Command('submit')
    .description('send the packages to the dependency graph of a repository on GitHub')
    .requiredOption('--repository <name>', 'owner/name')
    .requiredOption('--sha <commit>', 'the commit that they are of')
    .requiredOption('--ref <reference>', 'its branch: refs/heads/main')
    .option('--correlator <name>', 'the latest snapshot with this name counts', 'sekisho')
    .option('--token <reference>', 'with "contents: write"; env:NAME or file:PATH', reference, 'env:GITHUB_TOKEN')
    .option('--api <url>', 'of a server of your own', 'https://api.github.com')
    .option('-c, --config <file>', 'the configuration', './sekisho.yaml')
    .option('-l, --lockfile <file...>', 'package-lock.json, uv.lock, poetry.lock, requirements.txt', [])
    .option('--json', 'machine-readable')
    .action(runSubmit)

export const supplySarif = (): Command =>
  new Command('sarif')
    .description('whether something may be admitted with what CodeQL or another analyser found')
    .argument('<files...>', 'SARIF 2.1.0')
    .addOption(new Option('--refuse <severity>', 'from this severity on').choices(severities).default('high'))
    .option('--json', 'machine-readable')
    .action(runSarif)

const runSubmit = ({ config, lockfile, json, api, token, ...asked }: SubmitOptions): Promise<void> =>
  told(
    config,
    async () => {
      const loaded = await loadConfig(config, undefined, { secrets: 'leave' })
      const fetched = fetchSecret(token, '.', readEnvironment())
      if ('message' in fetched) throw Object.assign(new Error(`the token ${fetched.message}`), { fix: fetched.fix })
      const reach = safeFetch({ trustedOrigins: [new URL(api).origin], proxy: loaded.proxy, timeoutMs: 60_000 })
      const hand = { config: loaded, lockFiles: lockfile, reach, now: systemClock.now() }
      const sent = await submit(hand, { ...asked, api, token: new Secret(token, fetched.value) })
      const text = `${styled('green', 'sent')}  ${sent.packages} packages of ${plain(sent.manifests.join(', '))} to ${asked.repository}\n`
      process.stdout.write(json ? jsonLine(sent) : text)
    },
    { json },
  )

const exitCodes = { passed: 0, failed: 1, 'not-checked': 2 } as const

const runSarif = (
  files: readonly string[],
  { refuse, json }: { refuse: (typeof severities)[number]; json?: true },
): Promise<void> =>
  told(
    files[0] ?? '',
    async () => {
      const judged = await judge(files, refuse)
      const worst = (['failed', 'not-checked'] as const).find((one) => judged.some(({ outcome }) => outcome === one))
      process.exitCode = exitCodes[worst ?? 'passed']
      process.stdout.write(json ? jsonLine(judged) : judged.map(judgedText).join(''))
    },
    { json, exitCode: 2 },
  )

const colours = { passed: 'green', failed: 'red', 'not-checked': 'yellow' } as const

function judgedText({ file, findings, outcome, why }: SarifJudged): string {
  const rows = findings.map(({ severity, rule, file: where, line, message, dismissed }) => [
    dismissed ? styled('gray', 'dismissed') : severity,
    plain(rule),
    plain(line === undefined ? where : `${where}:${line}`),
    plain(message),
  ])
  return `${table(rows)}${styled(colours[outcome], outcome)}  ${plain(file)}: ${plain(why)}\n`
}

function reference(text: string): string {
  if (isReference(text)) return text
  throw new InvalidArgumentError('It is env:NAME or file:PATH, never the token itself.')
}
