/**
 * Reads what servers say of themselves, through the gateway itself: the same doors, bounds, sandbox and bridge as in daily use,
 * with a record that is thrown away. Nothing of a server is called.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Called, everyday, type Started } from '../../admin/scan-targets.ts'
import { parseConfig } from '../../config/load.ts'
import { ConfigRefused } from '../../config/problem.ts'
import type { Config } from '../../config/schema.ts'
import { type Gateway, openGateway } from '../../gateway.ts'
import { Secret } from '../../lib/secret.ts'
import type { JsonObject } from '../../lib/strict-json.ts'
import { modern } from '../../protocol/revisions/index.ts'
import type { Definition } from '../../trust/definition.ts'

/** How a server is looked at. */
export type Way =
  | Called
  | (Started & { readonly isSandboxed: boolean /** That it may connect to. */; readonly hosts: readonly string[] })
export interface Lists {
  readonly definitions: readonly Definition[]
  readonly problem?: string | undefined
}

const lists = [
  ['tool', 'tools/list', 'tools', 'name'],
  ['prompt', 'prompts/list', 'prompts', 'name'],
  ['resource', 'resources/list', 'resources', 'uri'],
  ['template', 'resources/templates/list', 'resourceTemplates', 'uriTemplate'],
] as const
const address = '127.0.0.1:4180'
const pagesMax = 100
const noSuchMethod = -32601

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
  let why: string[] = []
  const gateway = await openGateway({
    config: configFor(servers, folder, serverMsMax),
    tell: (event) => {
      if (event.kind === 'server' && !/^exited \(SIG(TERM|KILL)\)$/.test(event.line))
        why = [...why.slice(-200), `${event.server} ${event.line}`]
    },
  })
  try {
    return await Promise.all(
      servers.map(async (_, at) => {
        const id = idAt(at)
        const found = await inTime(gateway, id, serverMsMax)
        done()
        const last = why.findLast((line) => line.startsWith(`${id} `))?.slice(id.length + 1)
        const problem = found.problem && [found.problem, last].filter(Boolean).join(': ')
        return { ...found, problem }
      }),
    )
  } finally {
    await gateway.close()
    await rm(folder, { recursive: true, force: true })
  }
}

const idAt = (at: number): string => `s${at}`

/** What was read until the time was over is kept: a server that hangs in its last list has still said something. */
async function inTime(gateway: Gateway, id: string, serverMsMax: number): Promise<Lists> {
  const definitions: Definition[] = []
  const ending = new AbortController()
  const late = new Promise<string>((resolve) => ending.signal.addEventListener('abort', () => resolve(lateText(serverMsMax))))
  const timer = setTimeout(() => ending.abort(), serverMsMax)
  const visited = visit(gateway, id, definitions, ending.signal).catch((error: unknown) => String(error))
  const problem = await Promise.race([visited, late])
  clearTimeout(timer)
  return { definitions: [...definitions], problem }
}

const lateText = (milliseconds: number): string =>
  `it was not done within ${milliseconds / 1000} seconds; give it more with --timeout`

function configFor(servers: readonly Way[], folder: string, requestMsMax: number): Config {
  const sandbox = { network: 'none' as const, whenUnavailable: 'run-unconfined' as const }
  const document = {
    listen: address, // never opened
    store: 'sqlite::memory:',
    vault: { keyFile: join(folder, 'key') },
    audit: { path: join(folder, 'audit.db'), anchor: join(folder, 'audit.anchor') },
    guards: [{ guard: 'trust', mode: 'off' }],
    roles: { scan: [{ effect: 'allow', server: '*', tools: ['*'], prompts: ['*'], resources: ['*'] }] },
    bindings: [{ role: 'scan', anonymous: true }],
    limits: { principal: { perMinute: 'unlimited', concurrent: 'unlimited' } },
    servers: Object.fromEntries(
      servers.map((server, at) => [
        idAt(at),
        'url' in server
          ? { url: server.url, requestTimeoutMs: requestMsMax }
          : {
              command: server.command,
              cwd: server.cwd ?? process.cwd(),
              requestTimeoutMs: requestMsMax,
              ...(server.isSandboxed && {
                sandbox: { ...sandbox, ...(server.hosts.length > 0 && { network: { hosts: server.hosts } }) },
              }),
            },
      ]),
    ),
  }
  const config = parseConfig(JSON.stringify(document), process.cwd())
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

/** Fills `definitions`, and answers with what kept it from the rest. */
async function visit(gateway: Gateway, id: string, definitions: Definition[], signal: AbortSignal): Promise<string | undefined> {
  const asked = (method: string, params: JsonObject): Promise<Answer> => ask(gateway, id, method, params, signal)
  const introduction = await asked('server/discover', {})
  if ('problem' in introduction) return introduction.problem
  const { instructions } = introduction.result
  if (typeof instructions === 'string') definitions.push({ kind: 'instructions', name: '', body: { instructions } })
  for (const [kind, method, items, key] of lists) {
    let cursor: unknown
    for (let page = 0; page < pagesMax; page++) {
      const answer = await asked(method, cursor === undefined ? {} : { cursor: cursor as string })
      if ('problem' in answer) {
        if (answer.code === noSuchMethod) break
        return answer.problem
      }
      for (const body of (answer.result[items] ?? []) as readonly JsonObject[])
        if (typeof body[key] === 'string') definitions.push({ kind, name: body[key], body })
      cursor = answer.result['nextCursor']
      if (cursor === undefined) break
    }
  }
  return undefined
}

type Answer = { readonly result: JsonObject } | { readonly problem: string; readonly code: number }

async function ask(gateway: Gateway, id: string, method: string, params: JsonObject, signal: AbortSignal): Promise<Answer> {
  const meta = {
    'io.modelcontextprotocol/protocolVersion': modern.version,
    'io.modelcontextprotocol/clientCapabilities': {},
    'io.modelcontextprotocol/clientInfo': { name: 'sekisho-scan', version: '1' },
  }
  const request = new Request(`http://${address}/${id}/mcp`, {
    method: 'POST',
    signal,
    headers: {
      ...{ 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
      ...{ 'mcp-protocol-version': modern.version, 'mcp-method': method },
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, _meta: meta } }),
  })
  const text = await (await gateway.fetch(request)).text()
  const events = [...text.matchAll(/^data: ?(.*)$/gm)].map(([, data = '']) => data)
  const { result, error } = JSON.parse(events.at(-1) ?? text) as {
    result?: JsonObject
    error?: { code: number; message: string }
  }
  return result === undefined
    ? { problem: (error?.message ?? 'no answer').replaceAll(/"s\d+" ?/g, ''), code: error?.code ?? 0 }
    : { result }
}
