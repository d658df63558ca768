/** The bench's upstream is a proper MCP server: the SDK's client, which shares no code with it, is served in both eras. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { Client, StreamableHTTPClientTransport, type Transport } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { type Era, eras, modernVersion, sizes } from './cases.ts'

const path = join(import.meta.dirname, 'upstream.ts')

async function callsEcho(era: Era, transport: Transport): Promise<void> {
  const versionNegotiation = { mode: era === 'modern' ? { pin: modernVersion } : ('legacy' as const) }
  const client = new Client({ name: 'test', version: '1.0.0' }, { versionNegotiation })
  await client.connect(transport)
  const { tools } = await client.listTools()
  assert.deepEqual(
    tools.map(({ name }) => name),
    ['echo'],
  )
  for (const size of Object.values(sizes)) {
    const { content } = await client.callTool({ name: 'echo', arguments: { size } })
    assert.equal(content[0]?.type === 'text' && content[0].text.length, size)
  }
  await client.close()
}

for (const era of eras) {
  test(`stdio, ${era}`, () => callsEcho(era, new StdioClientTransport({ command: process.execPath, args: [path, '--stdio'] })))

  test(`HTTP, ${era}`, async () => {
    const server = spawn(process.execPath, [path], { stdio: ['ignore', 'pipe', 'inherit'] })
    try {
      for await (const line of createInterface({ input: server.stdout })) {
        const { listen } = JSON.parse(line) as { listen: string }
        await callsEcho(era, new StreamableHTTPClientTransport(new URL(`${listen}/mcp`)))
        break
      }
    } finally {
      server.kill()
    }
  })
}
