/**
 * Reads what servers say of themselves, through the gateway itself: the same doors, bounds, sandbox and bridge as in daily use,
 * with a record that is thrown away. Nothing of a server is called.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Called, everyday, type Started } from '../../admin/scan-targets.ts'
import { lookConfig } from '../../config/look.ts'
import { ConfigRefused } from '../../config/problem.ts'
import type { Config } from '../../config/schema.ts'
import { type Gateway, openGateway } from '../../gateway.ts'
import { Secret } from '../../lib/secret.ts'
import { type Lists, listsOf } from '../lists-of.ts'

/** How a server is looked at. */
export type Way =
  | Called
  | (Started & {
      readonly isSandboxed: boolean
      /** That it may connect to. */
      readonly hosts: readonly string[]
      /** That it may read, besides what its configuration grants. */
      readonly read: readonly string[]
    })

export interface Visiting {
  /** For one server, from its start to the end of its last list. */
  readonly serverMsMax: number
  /** Told of each. */
  done(): void
}

/** All of them at once. One that the gateway would not have is not visited, and one that hangs is left; neither stops the others. */
export async function visitAll(servers: readonly Way[], visiting: Visiting): Promise<readonly Lists[]> {
  const problems = servers.map((server) => refusal(server, visiting))
  const going = servers.filter((_, at) => problems[at] === undefined)
  const found = going.length === 0 ? [] : await visitTogether(going, visiting)
  return servers.map((server, at) => found[going.indexOf(server)] ?? { definitions: [], problem: problems[at] })
}

/** Why the gateway does not take such a server, as `http:` to another machine. */
function refusal(server: Way, { serverMsMax }: Visiting): string | undefined {
  try {
    configFor([server], '.', serverMsMax)
    return undefined
  } catch (error) {
    if (!(error instanceof ConfigRefused)) throw error
    const [first] = error.problems
    return first === undefined ? error.message : `${first.message}; ${first.fix}`
  }
}

async function visitTogether(servers: readonly Way[], { serverMsMax, done }: Visiting): Promise<readonly Lists[]> {
  const folder = await mkdtemp(join(tmpdir(), 'sekisho-scan-'))
  let gateway: Gateway | undefined
  try {
    let why: string[] = []
    const opened = await openGateway({
      config: configFor(servers, folder, serverMsMax),
      tell: (event) => {
        if (event.kind === 'server' && !/^exited \(SIG(TERM|KILL)\)$/.test(event.line))
          why = [...why.slice(-200), `${event.server} ${event.line}`]
      },
    })
    gateway = opened
    return await Promise.all(
      servers.map(async (_, at) => {
        const id = idAt(at)
        const found = await listsOf(opened, id, serverMsMax)
        done()
        const last = why.findLast((line) => line.startsWith(`${id} `))?.slice(id.length + 1)
        const more = found.isLate ? '; give it more with --timeout' : ''
        const problem = found.problem && [found.problem.replaceAll(/"s\d+" ?/g, '') + more, last].filter(Boolean).join(': ')
        return { ...found, problem }
      }),
    )
  } finally {
    await gateway?.close()
    await rm(folder, { recursive: true, force: true })
  }
}

const idAt = (at: number): string => `s${at}`

function configFor(servers: readonly Way[], folder: string, requestMsMax: number): Config {
  const sandbox = { network: 'none' as const, whenUnavailable: 'refuse' as const }
  const documents = servers.map((server, at) => [
    idAt(at),
    'url' in server
      ? { url: server.url, requestTimeoutMs: requestMsMax }
      : {
          command: server.command,
          cwd: server.cwd ?? process.cwd(),
          requestTimeoutMs: requestMsMax,
          ...(server.isSandboxed && {
            sandbox: {
              ...server.grants,
              ...sandbox,
              ...(server.grants && { network: server.grants.network }),
              ...(server.hosts.length > 0 && { network: { hosts: server.hosts } }),
              ...(server.read.length > 0 && { read: [...(server.grants?.read ?? []), ...server.read] }),
            },
          }),
        },
  ])
  const config = lookConfig(folder, process.cwd(), Object.fromEntries(documents))
  // Values of variables and headers may be secrets, which no document may hold.
  const whole = servers.map((server, at) => {
    const known = config.servers[idAt(at)]
    return [idAt(at), 'env' in server ? { ...known, env: { ...everyday(), ...server.env } } : { ...known, ...keyOf(server) }]
  })
  return { ...config, servers: Object.fromEntries(whole) as Config['servers'] }
}

/** The one header that a client sends: its key. */
function keyOf({ headers: [first] }: Called): object {
  if (first === undefined) return {}
  const [header, value] = first
  const [, token] = /^Bearer (.+)$/i.exec(value) ?? []
  const isBearer = header.toLowerCase() === 'authorization' && token !== undefined
  const secret = new Secret('file of the client', isBearer ? token : value)
  return { credential: { kind: 'static', secret, ...(!isBearer && { header }) } }
}
