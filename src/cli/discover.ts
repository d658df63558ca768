/** `sekisho discover`: which MCP servers the clients of this machine use, and what is wrong with how they are configured. */
import { resolve } from 'node:path'
import { Command } from 'commander'
import { type ClientView, type Discovered, discover } from '../admin/operations/discover.ts'
import { clientPlaces } from '../config/client-places.ts'
import { line, shortPath } from './changes.ts'
import { told } from './problems.ts'
import { jsonLine, plain, styled, table } from './table.ts'
import { thisProgram } from './this-program.ts'

interface Options {
  readonly home?: string
  readonly json?: true
}

export function discoverCommand(): Command {
  return new Command('discover')
    .description('which MCP servers the clients of this machine use')
    .argument('[project...]', 'folders of projects to look in as well (default: this one)')
    .option('--home <folder>', 'look under another home')
    .option('--json', 'machine-readable')
    .action((projects: string[], { home, json }: Options) =>
      told(
        '',
        async () => {
          const places = clientPlaces(home)
          const folders = (projects.length === 0 ? ['.'] : projects).map((project) => resolve(project))
          const found = await discover(places, folders, thisProgram())
          process.stdout.write(json ? jsonLine(found) : text(found, places.home))
        },
        { json },
      ),
    )
}

function text({ files, findings }: Discovered, home: string): string {
  if (files.length === 0) return 'no client that we know has a configuration here\n'
  const servers = files.flatMap((file) => file.servers)
  const wrapped = servers.filter((server) => server.wrapped).length
  const clients = new Set(files.map(({ client }) => client)).size
  const summary = `${counted(clients, 'client')}, ${counted(servers.length, 'server')}, ${wrapped} through Sekisho; ${counted(findings.length, 'finding')}\n`
  const next = wrapped < servers.length ? 'Put Sekisho before them: sekisho wrap --all\n' : ''
  return files.map((file) => fileText(file, home)).join('') + findingsText(findings, home) + summary + next
}

const counted = (count: number, thing: string): string => (count === 1 ? `1 ${thing}` : `${count} ${thing}s`)

function fileText({ client, file, problems, servers }: ClientView, home: string): string {
  const rows = servers.map(({ name, project, transport, command, url, env, headers, disabled, wrapped }) => [
    plain(name),
    transport,
    cut(url === undefined ? line(command) : plain(url)),
    plain([...env, ...headers].join(' ')),
    [wrapped ? 'wrapped' : '', disabled ? 'disabled' : '', project === undefined ? '' : `for ${plain(project)}`]
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
const order = ['critical', 'high', 'medium', 'low', 'info'] as const

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
