/**
 * The document becomes a configuration: read, checked against the schema, checked against itself, completed, frozen; or
 * refused with every problem that the first of these steps to fail has found, and its place. There is no half-loaded configuration.
 */
import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { withEnvironment } from './child-environment.ts'
import { complaintsOf } from './complaints.ts'
import { crossChecks } from './cross-checks.ts'
import { type ConfigDocument, readDocument } from './document.ts'
import { type Environment, noProxy, readEnvironment, type Variables } from './environment.ts'
import { missingFiles, unstartable } from './named-files.ts'
import { mapped, withPaths } from './paths.ts'
import { type Complaint, ConfigRefused, type Problem, pathText } from './problem.ts'
import { resolveSecrets } from './resolve-secrets.ts'
import { grantsAtFault } from './sandbox-grants.ts'
import { type Config, configSchema } from './schema.ts'
import { withoutTokens } from './secrets.ts'
import { withVaultSecrets } from './vault-secrets.ts'
import { warningChecks } from './warnings.ts'

export interface LoadOptions {
  /**
   * `leave`: secrets are not fetched and files are not looked for, for commands that start nothing and may run without them.
   * `vault`: only those of the vault are fetched.
   */
  readonly secrets?: 'fetch' | 'leave' | 'vault'
}

/** Reads and completes the configuration in `file`. Throws {@link ConfigRefused}. */
export async function loadConfig(file: string, variables?: Variables, { secrets = 'fetch' }: LoadOptions = {}): Promise<Config> {
  const { config, problems } = await checkConfig(file, variables, { secrets })
  if (config === undefined) throw new ConfigRefused(problems)
  return config
}

export interface Checked {
  readonly config: Config | undefined
  readonly problems: readonly Problem[]
  /** What is no reason to refuse the configuration. */
  readonly warnings: readonly Problem[]
  /** The document, for excerpts; empty when it could not be read. */
  readonly text: string
}

/** As {@link loadConfig}, with the problems as an answer. */
export async function checkConfig(
  file: string,
  variables?: Variables,
  { secrets = 'fetch' }: LoadOptions = {},
): Promise<Checked> {
  let text: string
  try {
    text = await readText(file)
  } catch (error) {
    return { config: undefined, problems: [unreadable(error)], warnings: [], text: '' }
  }
  const environment = readEnvironment(variables)
  const whole = secrets === 'fetch' ? environment : undefined
  const forVault = secrets === 'leave' ? undefined : environment
  return { ...check(text, dirname(resolve(file)), whole, environment.proxy, forVault), text }
}

/**
 * The configuration in `text`: pure, but for the files that it names. Without an environment no file is looked at, secrets
 * stay unresolved and children inherit nothing. Throws {@link ConfigRefused}, and nothing else, whatever the text.
 */
export function parseConfig(text: string, folder = '/', environment?: Environment): Config {
  const { config, problems } = check(text, folder, environment, environment?.proxy)
  if (config === undefined) throw new ConfigRefused(problems)
  return config
}

function unreadable(error: unknown): Problem {
  const { code = 'not UTF-8' } = error as NodeJS.ErrnoException
  const fix = code === 'ENOENT' ? 'make one with: sekisho init, or name another with --config' : 'check the path and the file'
  return { path: '', line: 1, column: 1, message: code === 'ENOENT' ? 'does not exist' : `cannot be read (${code})`, fix }
}

async function readText(file: string): Promise<string> {
  return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(file))
}

function check(
  text: string,
  folder: string,
  environment: Environment | undefined,
  proxy = noProxy,
  forVault = environment,
): Omit<Checked, 'text'> {
  const document = readDocument(text)
  const refused = (problems: readonly Problem[]) => ({ config: undefined, problems, warnings: [] })
  const refuse = (complaints: readonly Complaint[]) => refused(placed(complaints, document))
  if (document.faults.length > 0)
    return refused(document.faults.map((fault) => ({ path: '', ...fault, message: withoutTokens(fault.message) })))
  if (document.complaints.length > 0) return refuse(document.complaints)
  const read = configSchema.safeParse(document.value ?? {})
  if (!read.success) return refuse(complaintsOf(read.error.issues, document.value))
  const broken = crossChecks.flatMap((one) => one(read.data))
  if (broken.length > 0) return refuse(broken)
  const draft = withPaths(read.data, folder)
  const lost: Complaint[] = grantsAtFault(draft, folder)
  const servers = mapped(draft.servers, (server, id) => withEnvironment(server, id, folder, environment, lost))
  const identity = resolveSecrets(draft.identity, ['identity'], folder, environment, lost)
  const vault = withVaultSecrets(draft.vault, folder, forVault, lost)
  const whole = { ...draft, identity, servers, vault, proxy }
  if (environment) lost.push(...missingFiles(whole))
  if (lost.length > 0) return refuse(lost)
  const doubtful = [...warningChecks.flatMap((one) => one(read.data)), ...(environment ? unstartable(whole) : [])]
  return { config: deepFreeze(whole), problems: [], warnings: placed(doubtful, document) }
}

/** In the order of the document. */
function placed(complaints: readonly Complaint[], document: ConfigDocument): Problem[] {
  const problems = complaints.map(({ path, message, fix, at = 'value' }) => ({
    path: withoutTokens(pathText(path)),
    ...document.place(path, at),
    message: withoutTokens(message),
    fix: withoutTokens(fix),
  }))
  return problems.sort((a, b) => a.line - b.line || a.column - b.column)
}

function deepFreeze<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null) return value
  Object.freeze(value)
  for (const member of Object.values(value)) deepFreeze(member)
  return value
}
