/** `sekisho discover`: which MCP servers the clients of this machine use, and what is wrong with how they are configured. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { Command } from 'commander'
import { type ClientView, type Discovered, discover, shadowsIn } from '../admin/operations/discover.ts'
import { severities } from '../admin/operations/scan.ts'
import { clientPlaces } from '../config/client-places.ts'
import { line, shortPath } from './changes.ts'
import { told } from './problems.ts'
import { jsonLine, plain, styled, table } from './table.ts'
import { thisProgram } from './this-program.ts'

interface Options {
  readonly home?: string
  readonly config?: string
  readonly ports?: string | true
  readonly host?: string
  readonly failOnShadow?: true
  readonly json?: true
}

export function discoverCommand(): Command {
  return new Command('discover')
    .description('which MCP servers the clients of this machine use')
    .argument('[project...]', 'folders of projects to look in as well (default: this one)')
    .option('--home <folder>', 'look under another home')
    .option('-c, --config <file>', 'the configuration of the gateway (default: ./sekisho.yaml, where it is there)')
    .option('--ports [list]', 'ask at ports of this machine, too: 3000-3999,8080; without a list, at all that listen')
    .option('--host <host>', 'ask at the ports of that host instead')
    .option('--fail-on-shadow', 'exit code 1 where a server is reached past Sekisho')
    .option('--json', 'machine-readable')
    .action(run)
}

/** With --fail-on-shadow as grep: 1 is found, and 2 that something could not be looked at. */
const run = (projects: string[], { home, config, ports, host, failOnShadow, json }: Options): Promise<void> =>
  told(
    config ?? '',
    async () => {
      if (host !== undefined && ports === undefined) throw new Error('--host is where to ask at ports; name them with --ports')
      const places = clientPlaces(home)
      const found = await discover({
        places,
        projects: (projects.length === 0 ? ['.'] : projects).map((project) => resolve(project)),
        launcher: thisProgram(),
        config: config ?? [usualConfig].find((file) => existsSync(file)),
        looking: ports === undefined ? undefined : { ports: ports === true ? 'listening' : ports, host },
      })
      const { shadows, unread } = shadowsIn(found)
      if (failOnShadow) process.exitCode = shadows > 0 ? 1 : unread > 0 ? 2 : 0
      process.stdout.write(json ? jsonLine(found) : text(found, places.home))
    },
    { json, exitCode: failOnShadow ? 2 : 1 },
  )

const usualConfig = './sekisho.yaml'

function text(found: Discovered, home: string): string {
  const { files, findings, listening } = found
  const none = files.length === 0 ? 'no client that we know has a configuration here\n' : ''
  const servers = files.flatMap((file) => file.servers)
  const guarded = servers.filter(({ standing }) => standing === 'guarded').length
  const { shadows } = shadowsIn(found)
  const clients = new Set(files.map(({ client }) => client)).size
  const counts = `${counted(clients, 'client')}, ${counted(servers.length, 'server')}, ${guarded} through Sekisho`
  const shadowed = shadows > 0 ? styled('red', `, ${counted(shadows, 'shadow')}`) : ''
  const summary = none ? '' : `${counts}${shadowed}; ${counted(findings.length, 'finding')}\n`
  const next = servers.some(({ standing }) => standing === 'shadow') ? 'Put Sekisho before them: sekisho wrap --all\n' : ''
  const clientText = files.map((file) => fileText(file, home)).join('') + findingsText(findings, home)
  return clientText + (listening ? listeningText(listening) : '') + none + summary + next
}

function listeningText({ ports, listeners, unclear }: NonNullable<Discovered['listening']>): string {
  const rows = listeners.map(({ url, transport, name = '-', version = '', wantsLogin, standing, server = '', isSekisho }) => [
    styled(standing === 'shadow' ? 'red' : 'green', standing),
    transport,
    plain(url),
    plain(`${name} ${version}`.trim()),
    [
      server && `as ${server}`,
      wantsLogin ? 'wants a login' : '',
      standing === 'shadow' && isSekisho ? 'another Sekisho, or says so' : '',
    ]
      .filter(Boolean)
      .join(', '),
  ])
  const lost = unclear.map(({ address, port, why }) => [styled('yellow', 'unclear'), '', `${address}:${port}`, plain(why)])
  return `${styled('bold', 'listening')}  ${counted(ports, 'port')}\n${table([...rows, ...lost], '  ')}\n`
}

const counted = (count: number, thing: string): string => (count === 1 ? `1 ${thing}` : `${count} ${thing}s`)

function fileText({ client, file, problems, servers }: ClientView, home: string): string {
  const rows = servers.map(({ name, project, transport, command, url, env, headers, disabled, wrapped, standing }) => [
    plain(name),
    transport,
    cut(url === undefined ? line(command) : plain(url)),
    plain([...env, ...headers].join(' ')),
    [
      wrapped && standing !== 'shadow' ? 'wrapped' : standing,
      disabled && wrapped ? 'disabled' : '',
      project === undefined ? '' : `for ${plain(project)}`,
    ]
      .filter(Boolean)
      .join(', '),
  ])
  const wrong = problems.map(
    ({ line: at, message }) => `  ${styled('red', 'problem')}  ${at === undefined ? '' : `line ${at}: `}${plain(message)}\n`,
  )
  return `${styled('bold', client)}  ${shortPath(file, home)}\n${wrong.join('')}${table(rows, '  ')}\n`
}

const cut = (text: string): string => (text.length > cutMax ? `${text.slice(0, cutMax - 1)}…` : text)
const cutMax = 72

const colours = { info: 'dim', low: 'dim', medium: 'yellow', high: 'red', critical: 'red' } as const
const order = severities.toReversed()

function findingsText(findings: Discovered['findings'], home: string): string {
  if (findings.length === 0) return ''
  const rows = findings
    .toSorted((one, other) => order.indexOf(one.severity) - order.indexOf(other.severity))
    .map(({ rule, severity, client, server, file, at, evidence }) => [
      styled(colours[severity], severity),
      rule,
      plain([client, server].filter(Boolean).join(' ')),
      `${shortPath(file, home)}${at === undefined ? '' : `:${at.line}`}`,
      plain(evidence),
    ])
  return `${styled('bold', 'findings')}\n${table(rows, '  ')}\n`
}
