/**
 * The conformance fixture as an upstream that can be watched: everything it offers, and two tools more. `wait` never
 * answers until it is cancelled, and `witness` tells what became of the waiting calls.
 *
 *   node test/e2e/support/upstream-two.ts --era both|legacy|modern --transport http|stdio [--port 0]
 */
import { randomUUID } from 'node:crypto'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { parseArgs } from 'node:util'
import { toNodeHandler } from '@modelcontextprotocol/node'
import {
  createMcpHandler,
  isLegacyRequest,
  type McpServer,
  WebStandardStreamableHTTPServerTransport,
} from '@modelcontextprotocol/server'
import { StdioServerTransport, serveStdio } from '@modelcontextprotocol/server/stdio'
import { z } from 'zod'
import { assemble } from '../../conformance/fixture/assemble.ts'
import { World } from '../../conformance/fixture/world.ts'

const { era, transport, port } = parseArgs({
  options: {
    era: { type: 'string', default: 'both' },
    transport: { type: 'string', default: 'http' },
    port: { type: 'string', default: '0' },
  },
}).values
const world = new World()
const witnessed: string[] = []
const text = (words: string) => ({ content: [{ type: 'text' as const, text: words }] })

type Following = 'nothing' | 'legacy' | 'modern'

function create(following: Following): McpServer {
  const { mcp, follow } = assemble(world)
  mcp.registerTool(
    'wait',
    { description: 'Waits to be cancelled', inputSchema: z.object({ name: z.string() }) },
    async ({ name }, ctx) => {
      witnessed.push(`began ${name}`)
      const { signal } = ctx.mcpReq
      await new Promise<void>((resolve) => {
        signal.addEventListener('abort', () => resolve(), { once: true })
      })
      witnessed.push(`cancelled ${name}`)
      return text('cancelled')
    },
  )
  mcp.registerTool('witness', { description: 'What became of the waiting calls' }, () => text(JSON.stringify(witnessed)))
  const unfollow = following === 'nothing' ? undefined : follow()
  // The fixture tells of resources by its legacy subscriptions; a modern connection has filters of its own.
  const unwatch =
    following === 'modern'
      ? world.bus.subscribe(
          (event) => void (event.kind === 'resource_updated' && mcp.server.sendResourceUpdated({ uri: event.uri })),
        )
      : undefined
  mcp.server.onclose = () => {
    unfollow?.()
    unwatch?.()
  }
  return mcp
}

type Handler = (request: Request) => Promise<Response>

function legacyHandler(): Handler {
  const sessions = new Map<string, WebStandardStreamableHTTPServerTransport>()
  return async (request) => {
    const id = request.headers.get('mcp-session-id')
    const known = id === null ? undefined : sessions.get(id)
    if (known) return known.handleRequest(request)
    if (id !== null) return new Response('no such session', { status: 404 })
    const fresh = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (opened) => void sessions.set(opened, fresh),
      onsessionclosed: (closed) => void sessions.delete(closed),
    })
    await create('legacy').connect(fresh)
    return fresh.handleRequest(request)
  }
}

function handlerFor(): Handler {
  const legacy = legacyHandler()
  const modern = createMcpHandler(() => create('nothing'), { legacy: 'reject', bus: world.bus }).fetch
  if (era === 'both') return async (request) => ((await isLegacyRequest(request)) ? legacy(request) : modern(request))
  return era === 'legacy' ? legacy : modern
}

if (transport === 'stdio') {
  process.stderr.write('this line is on stderr and belongs in no message\n')
  if (era === 'legacy') await create('legacy').connect(new StdioServerTransport())
  else serveStdio(({ era: spoken }) => create(spoken), { legacy: era === 'modern' ? 'reject' : 'serve' })
} else {
  // The adapter's types do not know exactOptionalPropertyTypes; at run time it takes node's own request and response.
  const server = createServer(toNodeHandler({ fetch: handlerFor() }) as unknown as RequestListener)
  server.listen(Number(port), '127.0.0.1', () =>
    process.stderr.write(`listening http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp\n`),
  )
}
