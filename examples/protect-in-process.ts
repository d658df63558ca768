/**
 * Sekisho as a library: in front of an MCP server in the same process, without a port. Prints the answer to a call that
 * the policy permits and to one that it does not.
 *
 *   node examples/protect-in-process.ts
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server'
import { createGateway } from '../src/index.ts'

/** The server to be protected, as you have it already. It knows nothing of Sekisho. */
const handler = createMcpHandler(() => {
  const server = new McpServer({ name: 'notes', version: '1.0.0' })
  server.registerTool('read_note', { description: 'Reads it' }, () => ({ content: [{ type: 'text', text: 'Buy rice.' }] }))
  server.registerTool('delete_note', { description: 'Deletes it' }, () => ({ content: [{ type: 'text', text: 'Deleted.' }] }))
  return server
})

/** The key, the store and the audit log are files. Here they go when the example ends. */
const folder = await mkdtemp(join(tmpdir(), 'sekisho-example-'))

const gateway = await createGateway(
  {
    servers: { notes: { fetch: handler.fetch, tools: { read: ['read_*'] } } },
    roles: { reader: [{ effect: 'allow', server: 'notes', tools: ['*'], class: ['read'] }] },
    bindings: [{ role: 'reader', anonymous: true }],
  },
  { folder },
)

/** Any client: here the official one, with `gateway.fetch` in the place of the network. */
const client = new Client({ name: 'example', version: '1.0.0' })
const url = new URL('http://127.0.0.1:4180/notes/mcp')
await client.connect(new StreamableHTTPClientTransport(url, { fetch: (input, init) => gateway.fetch(new Request(input, init)) }))

for (const name of ['read_note', 'delete_note']) {
  const { content, isError = false } = await client.callTool({ name })
  console.log(`${name}: ${isError ? 'refused' : 'permitted'}`)
  for (const part of content) if (part.type === 'text') console.log(part.text.replace(/^/gm, '  '))
}

await client.close()
await gateway.close()
await rm(folder, { recursive: true })
