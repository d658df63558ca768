/** `sekisho start`: the team gateway. With --example, a workspace of three real servers to try it with. */
import { relative, resolve } from 'node:path'
import { styleText } from 'node:util'
import { Command } from 'commander'
import { checkConfig } from '../config/load.ts'
import { ConfigRefused, type Problem } from '../config/problem.ts'
import type { Config } from '../config/schema.ts'
import { watchConfig } from '../config/watch.ts'
import { type GatewayEvent, openGateway } from '../gateway.ts'
import { clientConfigs } from './client-configs.ts'
import { prepareExample } from './example.ts'
import { visitImpostor } from './impostor.ts'
import { liveLine } from './live.ts'
import { ownName, shellWord } from './own-name.ts'
import { printProblems, told } from './problems.ts'

/** One Ctrl-C arrives several times: from the terminal, and again from each program that started us. A second one is later. */
const oneKeyMs = 300

interface Options {
  readonly config: string
  readonly example?: boolean
  readonly json?: boolean
  readonly quiet?: boolean
}

export function startCommand(): Command {
  return new Command('start')
    .description('start the gateway')
    .option('-c, --config <file>', 'the configuration', 'sekisho.yaml')
    .option('--example', 'set up and use an example workspace in .sekisho/example')
    .option('--json', 'one JSON line for each event')
    .option('--quiet', 'only say when it is ready')
    .action((options: Options) => told(options.config, () => start(options), options))
}

async function start(options: Options): Promise<void> {
  const file = resolve(options.example ? await prepareExample() : options.config)
  const { config, problems, warnings } = await checkConfig(file)
  if (config === undefined) return told(file, () => Promise.reject(new ConfigRefused(problems)), options)
  const warn = (warnings: readonly Problem[]): void => {
    if (!options.json) printProblems(file, warnings, 'warning')
    else if (warnings.length > 0) process.stdout.write(`${JSON.stringify({ event: 'config-warned', warnings })}\n`)
  }
  warn(warnings)
  const tell = (event: GatewayEvent): void => {
    if (options.quiet && event.kind !== 'failed') return
    if (options.json) return void process.stdout.write(`${JSON.stringify(forMachines(event))}\n`)
    const line = liveLine(event)
    if (line !== undefined) console.log(line)
  }
  const gateway = await openGateway({ config, tell })
  const { mcp, admin } = await gateway.listen().catch(async (error: unknown) => {
    await gateway.close()
    throw error
  })
  const scheme = config.tls ? 'https' : 'http'
  const url = config.publicUrl ?? `${scheme}://${urlHost(mcp.host)}:${mcp.port}`
  const adminUrl = `http://${urlHost(admin.host)}:${admin.port}`

  let inForce = config
  const watch = watchConfig(file, {
    named: () => Object.values(inForce.pins.manifests).flatMap((one) => [one.file, ...one.keys]),
    changed: async (next, warnings) => {
      await gateway.reload(next)
      inForce = next
      warn(warnings)
      if (!options.json && !options.quiet) console.log(styleText('gray', 'the new configuration is in force'))
    },
    refused: (problems) => {
      if (options.json) return void process.stdout.write(`${JSON.stringify({ event: 'config-refused', problems })}\n`)
      const kept = 'the changed configuration has errors; the old one stays in force, also where a key or a rule was taken out'
      console.error(styleText('yellow', kept))
      printProblems(file, problems)
    },
  })
  process.on('SIGHUP', () => void watch.reload())
  let stoppingSince: number | undefined
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      const now = performance.now()
      if (now - (stoppingSince ?? now) > oneKeyMs) process.exit(1)
      if (stoppingSince !== undefined) return
      stoppingSince = now
      watch.close()
      void gateway.close().then(() => process.exit(0))
    })
  if (options.json) process.stdout.write(`${JSON.stringify({ event: 'ready', listen: url, admin: adminUrl })}\n`)
  else if (options.quiet) console.log(`Sekisho is up at ${url}`)
  else {
    welcome(url, adminUrl, config, file)
    if (options.example && 'impostor' in config.servers) await visitImpostor(gateway, url, (line) => console.log(line))
  }
}

const urlHost = (host: string): string => (host.includes(':') ? `[${host}]` : host)

function forMachines(event: GatewayEvent): object {
  if (event.kind === 'outcome') return { event: 'outcome', ...event.outcome }
  if (event.kind === 'failed')
    return {
      event: 'failed',
      exchange: event.exchange,
      error: event.error instanceof Error ? event.error.message : String(event.error),
    }
  const { kind, ...rest } = event
  return { event: kind, ...rest }
}

function welcome(url: string, admin: string, { servers, identity }: Config, file: string): void {
  const head = (text: string): string => styleText('bold', text)
  console.log(`\n${head('Sekisho is up.')}  ${styleText('gray', file)}\n`)
  console.log(`  all servers   ${styleText('cyan', `${url}/mcp`)}`)
  for (const id of Object.keys(servers)) console.log(`  ${id.padEnd(12)}  ${url}/${id}/mcp`)
  console.log(`  metrics       ${admin}/metrics\n`)
  const path = relative('', file)
  const [name, option] = [ownName(), path === 'sekisho.yaml' ? '' : ` --config ${shellWord(path)}`]
  if (name !== 'sekisho' || option !== '') console.log(`  other commands: ${name} COMMAND${option}\n`)
  console.log(`${head('Connect a client')}\n`)
  for (const { client, where, text } of clientConfigs(`${url}/mcp`, identity.mode === 'api-keys'))
    console.log(`  ${client} ${styleText('gray', `(${where})`)}\n${text.replace(/^/gm, '    ')}\n`)
  console.log(head('Decisions') + styleText('gray', '   (Ctrl-C stops)'))
}
