/**
 * The client that the suite's client scenarios run: the official SDK client, with one short script for each scenario.
 * The suite appends the URL of its server and names the scenario and the revision in the environment.
 */
import { Client, type ClientOptions, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'

interface ToolCall {
  name: string
  arguments?: Record<string, unknown>
}

interface Script {
  /** What the user fills into every form. */
  form?: Record<string, unknown>
  steps: (client: Client) => Promise<unknown>
}

const SCRIPTS: Record<string, Script> = {
  initialize: { steps: (client) => client.listTools() },
  tools_call: {
    steps: async (client) => {
      await client.listTools()
      await client.callTool({ name: 'add_numbers', arguments: { a: 5, b: 3 } })
    },
  },
  'elicitation-sep1034-client-defaults': {
    form: {},
    steps: (client) => client.callTool({ name: 'test_client_elicitation_defaults' }),
  },
  'sse-retry': { steps: (client) => client.callTool({ name: 'test_reconnection' }) },
  'request-metadata': { steps: (client) => client.listTools() },
  'sep-2322-client-request-state': {
    form: { confirmed: true },
    steps: async (client) => {
      await client.listTools()
      // The unrelated call runs beside the asking one, where a mixed-up state would show.
      await Promise.all([client.callTool({ name: 'test_mrtr_echo_state' }), client.callTool({ name: 'test_mrtr_unrelated' })])
      await client.callTool({ name: 'test_mrtr_no_state' })
      // The SDK refuses a result without resultType; the scenario only looks for a retry, which must not come.
      await client.callTool({ name: 'test_mrtr_no_result_type' }).catch(() => {})
    },
  },
  'http-standard-headers': {
    steps: async (client) => {
      for (const { name } of (await client.listTools()).tools) await client.callTool({ name })
      for (const { uri } of (await client.listResources()).resources) await client.readResource({ uri })
      for (const { name } of (await client.listPrompts()).prompts) await client.getPrompt({ name })
    },
  },
  'http-custom-headers': {
    steps: async (client) => {
      await client.listTools()
      const { toolCalls } = JSON.parse(process.env['MCP_CONFORMANCE_CONTEXT'] ?? '{}') as { toolCalls: ToolCall[] }
      for (const call of toolCalls) await client.callTool(call)
    },
  },
  'http-invalid-tool-headers': {
    steps: async (client) => {
      for (const { name, inputSchema } of (await client.listTools()).tools) {
        const fields = Object.keys(inputSchema.properties ?? {})
        await client.callTool({ name, arguments: Object.fromEntries(fields.map((field) => [field, 'x'])) })
      }
    },
  },
  'json-schema-ref-no-deref': { steps: (client) => client.listTools() },
  'json-schema-2020-12-preservation': {
    steps: async (client) => {
      const { tools } = await client.listTools()
      const schema = tools.find(({ name }) => name === 'json_schema_2020_12_tool')?.inputSchema
      await client.callTool({ name: 'json_schema_echo', arguments: { schema } })
    },
  },
}

/** What the authorisation scenarios need done is the same for all: a server that wants a token, and one tool. */
const AUTHORISED: Script = {
  steps: async (client) => {
    await client.listTools()
    await client.callTool({ name: 'test-tool', arguments: {} })
  },
}

/** Plays the scenario named in the environment against `url`. */
export async function play(url: string): Promise<void> {
  const scenario = process.env['MCP_CONFORMANCE_SCENARIO'] ?? ''
  const script = SCRIPTS[scenario] ?? (scenario.startsWith('auth/') ? AUTHORISED : undefined)
  if (!script) throw new Error(`no script for the scenario "${scenario}"`)
  const revision = process.env['MCP_CONFORMANCE_PROTOCOL_VERSION'] ?? '2025-11-25'
  const options: ClientOptions = {
    capabilities: { roots: { listChanged: true }, sampling: {}, elicitation: { form: { applyDefaults: true } } },
    versionNegotiation: { mode: revision === '2026-07-28' ? 'auto' : 'legacy' },
  }
  const client = new Client({ name: 'sekisho-conformance-client', version: '1.0.0' }, options)
  client.setRequestHandler('elicitation/create', () => ({
    action: 'accept',
    content: { ...script.form } as Record<string, string | boolean>,
  }))
  client.setRequestHandler('roots/list', () => ({ roots: [] }))
  client.setRequestHandler('sampling/createMessage', () => ({
    role: 'assistant',
    content: { type: 'text', text: 'Yes.' },
    model: 'none',
  }))
  await client.connect(new StreamableHTTPClientTransport(new URL(url)))
  await script.steps(client)
  await client.close()
}

if (import.meta.main) await play(process.argv.at(-1)!)
