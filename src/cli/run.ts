/**
 * `sekisho run -- CMD` or `sekisho run -- URL`: the local guard. Stands on stdio between one client and one server, with its
 * own audit log. A remote server that wants a token gets one that the person at this desk has consented to, in the browser.
 */
import { basename, join, resolve } from 'node:path'
import { Command } from 'commander'
import { guardId, inFull } from '../admin/local-command.ts'
import { localKeyFile, localStore } from '../admin/with-pins.ts'
import { readEnvironment } from '../config/environment.ts'
import { parseConfig } from '../config/load.ts'
import { serverIdFault } from '../config/starter.ts'
import { type Gateway, type GatewayEvent, openGateway } from '../gateway.ts'
import { makePrivateFolder } from '../lib/private-files.ts'
import { liveLine } from './live.ts'
import { told } from './problems.ts'

interface Options {
  readonly id?: string
  readonly name?: string
  readonly data?: string
  readonly verbose?: boolean
  readonly sandbox?: boolean
  readonly read: readonly string[]
  readonly write: readonly string[]
  readonly allow: readonly string[]
}

const oneMore = (value: string, before: readonly string[]): readonly string[] => [...before, value]

export function runCommand(): Command {
  return new Command('run')
    .description('stand on stdio between one client and one server, local or remote')
    .usage('[options] -- COMMAND [ARGS...] | URL')
    .argument('<command...>', 'the server, started without a shell; or the URL of a remote one')
    .option('--id <id>', 'what the log calls the server, and what its approvals are kept under (default: its name and a mark)')
    .option('--name <name>', 'what its id begins with; a mark of the command follows (default: its program)')
    .option('--data <folder>', 'where the log is kept (default: the data folder of your user)')
    .option('--sandbox', 'the server sees nothing of this machine but its own program, and has no network')
    .option('--read <path>', 'in a sandbox: what it may read; may be given again', oneMore, [])
    .option('--write <path>', 'in a sandbox: what it may read and write; may be given again', oneMore, [])
    .option('--allow <host:port>', 'in a sandbox: where it may connect to; may be given again', oneMore, [])
    .option('--verbose', 'a line on stderr for each decision')
    .action((command: string[], options: Options) => told('', () => run(command, options)))
}

async function run(command: readonly string[], options: Options): Promise<void> {
  const environment = readEnvironment()
  const data = resolve(options.data ?? environment.dataFolder ?? '.sekisho')
  if (options.id !== undefined && options.name !== undefined) throw new Error('--id is the whole id; leave --name out')
  const id = options.id ?? guardId(options.name ?? nameOf(command), command, process.cwd())
  const fault = serverIdFault(id)
  if (fault !== undefined) throw new Error(`--id "${id}" ${fault}`)
  const sandbox = sandboxFrom(options)
  if (sandbox !== undefined && isRemote(command)) throw new Error('--sandbox is for a server on this machine; leave it out')
  makeDataFolder(data)
  const lookWith = `sekisho pins show ${options.data === undefined ? '--local' : `--data ${JSON.stringify(data)}`}`
  const tell = (event: GatewayEvent): void => {
    const line = options.verbose || event.kind === 'failed' || event.kind === 'server' ? liveLine(event) : undefined
    if (line !== undefined) process.stderr.write(`${line}\n`)
  }
  const gateway = await openFree((log) => {
    const document = JSON.stringify(localConfig(id, command, data, log, sandbox))
    if (isRemote(command))
      return openGateway({
        config: parseConfig(document, process.cwd(), environment),
        lookWith,
        desk: { say: (line) => void process.stderr.write(`${line}\n`) },
        tell,
      })
    const config = parseConfig(document, data)
    const servers = { [id]: { ...config.servers[id], env: environment.variables } } as typeof config.servers
    return openGateway({ config: { ...config, servers }, lookWith, tell })
  }, id)
  const left = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => resolve())
    for (const output of [process.stdout, process.stderr]) output.on('error', () => resolve()) // nobody reads any more
  })
  await Promise.race([gateway.connectStdio(process.stdin, process.stdout, id, { saysWhy: true }), left])
  await gateway.close()
  process.exit(0)
}

function makeDataFolder(path: string): void {
  try {
    makePrivateFolder(path)
  } catch (error) {
    throw new Error(`the folder ${path} cannot be made (${(error as NodeJS.ErrnoException).code}); name another with --data`)
  }
}

/** A log has one writer. Two clients that run the same server at once get a log each: `files`, `files-2`, … */
async function openFree(open: (log: string) => Promise<Gateway>, id: string): Promise<Gateway> {
  for (let number = 1; ; number++) {
    try {
      return await open(number === 1 ? id : `${id}-${number}`)
    } catch (error) {
      if ((error as { fault?: unknown }).fault !== 'in-use' || number === logsMax) throw error
    }
  }
}
const logsMax = 64

/** One developer at one desk: everything the server offers, and every passage written down. */
function localConfig(id: string, command: readonly string[], data: string, log: string, sandbox: object | undefined): object {
  return {
    store: localStore(data),
    vault: { keyFile: localKeyFile(data) },
    servers: {
      [id]: isRemote(command)
        ? { url: command[0], credential: { kind: 'oauth' } }
        : { command: inFull(command, process.cwd()), cwd: process.cwd(), ...(sandbox && { sandbox }) },
    },
    roles: { owner: [{ effect: 'allow', server: id, tools: ['*'], prompts: ['*'], resources: ['*'], asks: ['*'] }] },
    bindings: [{ role: 'owner', anonymous: true }],
    limits: { principal: { perMinute: 'unlimited', concurrent: 'unlimited' } },
    audit: { path: join(data, `${log}.audit.db`), anchor: join(data, `${log}.audit.anchor`) },
  }
}

/** Undefined where none is wanted. What is granted to a server without a sandbox would be granted for nothing. */
function sandboxFrom({ sandbox, read, write, allow }: Options): object | undefined {
  const granted = [...read, ...write, ...allow]
  if (!sandbox && granted.length > 0) throw new Error('--read, --write and --allow are for a sandbox; add --sandbox')
  if (!sandbox) return undefined
  const network = allow.length === 0 ? 'none' : { hosts: allow }
  return { read: read.map((path) => resolve(path)), write: write.map((path) => resolve(path)), network }
}

const isRemote = (command: readonly string[]): boolean => command.length === 1 && /^https?:\/\//i.test(command[0] ?? '')

/** `npx -y @scope/server-files@1` → `server-files`, `https://mcp.crm.example/mcp` → `crm-example`: what names what is run. */
function nameOf(given: readonly string[]): string {
  const url = isRemote(given) && URL.canParse(given[0] as string) ? new URL(given[0] as string) : undefined
  if (url !== undefined) return url.hostname.replace(/^(www|mcp|api)\./, '')
  const words = given
    .map((word) => basename(word.replace(/(.)@[^/]*$/, '$1')))
    .filter((word) => !word.startsWith('-') && !/^(npx|node|uvx|python3?|bunx?|deno)$/.test(word))
  return (words[0] ?? '').replace(/\.[cm]?[jt]s$/i, '')
}
