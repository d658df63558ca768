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
const requestMsMax = 8000
const pagesMax = 100
const noSuchMethod = -32601

/** All of them at once. `done` is told of each. One that the gateway would not have is not visited, and stops nobody else. */
export async function visitAll(servers: readonly Way[], done: () => void): Promise<readonly Lists[]> {
  const problems = servers.map(refusal)
  const going = servers.filter((_, at) => problems[at] === undefined)
  const found = going.length === 0 ? [] : await visitTogether(going, done)
  return servers.map((server, at) => found[going.indexOf(server)] ?? { definitions: [], problem: problems[at] })
}

/** Why the gateway does not take such a server, as `http:` to another machine. */
function refusal(server: Way): string | undefined {
  try {
    configFor([server], '.')
    return undefined
  } catch (error) {
    if (!(error instanceof ConfigRefused)) throw error
    const [first] = error.problems
    return first === undefined ? error.message : `${first.message}; ${first.fix}`
  }
}

async function visitTogether(servers: readonly Way[], done: () => void): Promise<readonly Lists[]> {
  const folder = await mkdtemp(join(tmpdir(), 'sekisho-scan-'))
  let why: string[] = []
  const gateway = await openGateway({
    config: configFor(servers, folder),
    tell: (event) => {
      if (event.kind === 'server') why = [...why.slice(-200), `${event.server} ${event.line}`]
    },
  })
  try {
    return await Promise.all(
      servers.map(async (_, at) => {
        const id = idAt(at)
        const found = await visit(gateway, id).catch((error: unknown) => ({ definitions: [], problem: String(error) }))
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

function configFor(servers: readonly Way[], folder: string): Config {
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

async function visit(gateway: Gateway, id: string): Promise<Lists> {
  const definitions: Definition[] = []
  const introduction = await ask(gateway, id, 'server/discover', {})
  if ('problem' in introduction) return { definitions, problem: introduction.problem }
  const { instructions } = introduction.result
  if (typeof instructions === 'string') definitions.push({ kind: 'instructions', name: '', body: { instructions } })
  for (const [kind, method, items, key] of lists) {
    let cursor: unknown
    for (let page = 0; page < pagesMax; page++) {
      const answer = await ask(gateway, id, method, cursor === undefined ? {} : { cursor: cursor as string })
      if ('problem' in answer) {
        if (answer.code === noSuchMethod) break
        return { definitions, problem: answer.problem }
      }
      for (const body of (answer.result[items] ?? []) as readonly JsonObject[])
        if (typeof body[key] === 'string') definitions.push({ kind, name: body[key], body })
      cursor = answer.result['nextCursor']
      if (cursor === undefined) break
    }
  }
  return { definitions }
}

type Answer = { readonly result: JsonObject } | { readonly problem: string; readonly code: number }

async function ask(gateway: Gateway, id: string, method: string, params: JsonObject): Promise<Answer> {
  const meta = {
    'io.modelcontextprotocol/protocolVersion': modern.version,
    'io.modelcontextprotocol/clientCapabilities': {},
    'io.modelcontextprotocol/clientInfo': { name: 'sekisho-scan', version: '1' },
  }
  const request = new Request(`http://${address}/${id}/mcp`, {
    method: 'POST',
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
