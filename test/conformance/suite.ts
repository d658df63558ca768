/**
 * Runs the official conformance suite as a process and reads the checks it wrote: one list for each scenario.
 * The printed output is not compared, because it holds times and ports.
 */
import { type SpawnOptions, spawn } from 'node:child_process'
import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { parse } from 'yaml'
import { ROOT } from './launch.ts'

const SUITE = join(ROOT, 'node_modules/@modelcontextprotocol/conformance')
const SUITE_0_1_16 = join(ROOT, 'node_modules/conformance-legacy')

export const REVISIONS = ['2025-11-25', '2026-07-28'] as const
export type Revision = (typeof REVISIONS)[number]

/** A frozen set of required scenarios, or what the last stable release calls its active suite. */
export type ServerSuite = Revision | '0.1.16'

/** Per scenario, in ms; the slowest takes 3 s. */
const SCENARIO_TIMEOUT_MS = '20000'

export type Status = 'SUCCESS' | 'FAILURE' | 'WARNING' | 'SKIPPED' | 'INFO'

export interface Check {
  id: string
  name: string
  status: Status
  errorMessage?: string
}

/** Scenario name → its checks, in the order the suite made them. */
export type Outcome = Map<string, Check[]>

/** Runs a whole server suite against `url`; `directory` receives the suite's files. */
export async function runServerSuite(suite: ServerSuite, url: string, directory: string): Promise<Outcome> {
  const chosen =
    suite === '0.1.16'
      ? [join(SUITE_0_1_16, 'dist/index.js'), 'server', '--suite', 'active']
      : [join(SUITE, 'dist/index.js'), 'server', '--requirements', suite, '--timeout', SCENARIO_TIMEOUT_MS]
  const { output } = await runNode([...chosen, '--url', url, '-o', directory])
  return readOutcome(directory, 'server-', output)
}

/** Runs one client scenario. The client is a script of ours; `env` reaches it. */
export async function runClientScenario(
  scenario: string,
  revision: Revision,
  script: string,
  directory: string,
  env: NodeJS.ProcessEnv,
): Promise<Outcome> {
  // The suite hands this to a shell, split at spaces: `exec` lets its timeout reach the client, and paths stay relative.
  const command = `exec ${relative(ROOT, process.execPath)} --disable-warning=ExperimentalWarning ${script}`
  // `--force`: extensions are on no revision's list.
  const args = ['client', '--scenario', scenario, '--spec-version', revision, '--force', '--command', command, '-o', directory]
  const { output } = await runNode([join(SUITE, 'dist/index.js'), ...args], { env: { ...process.env, ...env } })
  const outcome = await readOutcome(directory, '', output)
  const clientFailed = /Client (exited with code \d+|timed out)/.exec(output)
  outcome.get(scenario)?.push({
    id: 'client-ends-well',
    name: 'ClientEndsWell',
    status: clientFailed ? 'FAILURE' : 'SUCCESS',
    ...(clientFailed && { errorMessage: `${clientFailed[0]}: ${await readStderr(directory)}` }),
  })
  return outcome
}

/** The client scenarios of a revision, required or not: those about authorisation, or all others. */
export async function clientScenarios(revision: Revision, aboutAuthorisation = false): Promise<string[]> {
  const set = parse(await readFile(join(SUITE, `requirements/${revision}.yaml`), 'utf8')) as {
    client: string[]
    not_scored: { scenario: string; leg: string }[]
  }
  const unscored = set.not_scored.filter(({ leg }) => leg === 'client').map(({ scenario }) => scenario)
  return [...set.client, ...unscored].filter((scenario) => scenario.startsWith('auth/') === aboutAuthorisation)
}

export interface AuthorizationTarget {
  readonly url: string
  readonly clientId: string
  readonly resource: string
  /** Where the suite listens for the browser that comes back. */
  readonly port: number
}

/** Runs the scenarios of authorization servers; `read` is told all that the suite has printed, each time it prints. */
export async function runAuthorizationSuite(
  { url, clientId, resource, port }: AuthorizationTarget,
  directory: string,
  read: (output: string) => Promise<void>,
): Promise<Outcome> {
  const target = ['--url', url, '--client-id', clientId, '--resource', resource, '-p', String(port), '-o', directory]
  const { output } = await runNode([join(SUITE, 'dist/index.js'), 'authorization', ...target], {}, read)
  return readOutcome(directory, 'authorization-', output)
}

function runNode(
  args: string[],
  options: SpawnOptions = {},
  read: (output: string) => Promise<void> = async () => undefined,
): Promise<{ output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--no-deprecation', ...args], {
      ...options,
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const killWithUs = () => void child.kill('SIGTERM')
    process.once('exit', killWithUs)
    let output = ''
    for (const stream of [child.stdout!, child.stderr!])
      stream.on('data', (chunk: Buffer) => {
        output += chunk
        read(output).catch(reject)
      })
    child.once('error', reject)
    // The exit code says whether checks failed; the checks themselves say it better.
    child.once('close', () => {
      process.off('exit', killWithUs)
      resolve({ output })
    })
  })
}

/** The suite writes one directory for each scenario: PREFIX + scenario + time. A scenario may have a slash in its name. */
async function readOutcome(directory: string, prefix: string, output: string): Promise<Outcome> {
  await mkdir(directory, { recursive: true })
  const outcome: Outcome = new Map()
  for (const path of await readdir(directory, { recursive: true })) {
    const scenario = /^(.*)-\d{4}-\d\d-\d\dT[\d-]+Z$/.exec(path)?.[1]
    if (!scenario) continue
    const checks = await readFile(join(directory, path, 'checks.json'), 'utf8').catch(() => '[]')
    outcome.set(scenario.slice(prefix.length), JSON.parse(checks) as Check[])
  }
  if (outcome.size === 0) throw new Error(`the suite wrote no results:\n${output.slice(-2000)}`)
  return outcome
}

async function readStderr(directory: string): Promise<string> {
  const entry = (await readdir(directory, { recursive: true })).find((path) => path.endsWith('stderr.txt'))
  const said = entry ? await readFile(join(directory, entry), 'utf8') : ''
  return (
    said
      .split('\n')
      .find((line) => /error/i.test(line))
      ?.trim() ?? 'no error printed'
  )
}
