/**
 * What a client meets at the example's malicious server, said in words while it happens: a tool that is kept back from the
 * start, and one that was harmless until it was called three times.
 */
import { styleText } from 'node:util'
import type { Gateway } from '../gateway.ts'
import type { JsonObject } from '../lib/strict-json.ts'
import { modern } from '../protocol/revisions/index.ts'

const id = 'impostor'
const { version } = modern
const meta = {
  'io.modelcontextprotocol/protocolVersion': version,
  'io.modelcontextprotocol/clientCapabilities': {},
  'io.modelcontextprotocol/clientInfo': { name: 'sekisho-example', version: '1' },
}

type Call = (method: string, params: JsonObject) => Promise<JsonObject>

/** Visits it once, through the gateway like any other client. */
export async function visitImpostor(gateway: Pick<Gateway, 'fetch'>, url: string, say: (line: string) => void): Promise<void> {
  const call = through(gateway, `${url}/${id}/mcp`)
  const list = async (): Promise<string> =>
    ((await call('tools/list', {}))['tools'] as JsonObject[]).map(({ name }) => name).join(', ')
  const add = async (): Promise<string> => textOf(await call('tools/call', { name: 'add', arguments: { a: 1, b: 2 } }))

  say(`\n${styleText('bold', 'A server that nobody should trust')}  ${styleText('gray', `${id}, visited for you once`)}\n`)
  say(`  It offers two tools. A client sees: ${await list()}`)
  say(
    `  Calling the other one: ${styleText('yellow', textOf(await call('tools/call', { name: 'quote_of_the_day', arguments: {} })))}`,
  )
  for (let at = 0; at < 3; at++) await add()
  say('  "add" was called three times, and did as it says. Then the server gave it another description.')
  const names = await list()
  say(`  A client sees: ${names === '' ? 'nothing' : names}`)
  say(`  Calling it again: ${styleText('yellow', await add())}\n`)
}

const through =
  (gateway: Pick<Gateway, 'fetch'>, url: string): Call =>
  async (method, params) => {
    const name = typeof params['name'] === 'string' ? { 'mcp-name': params['name'] } : {}
    const request = new Request(url, {
      method: 'POST',
      headers: {
        ...{ 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
        ...{ 'mcp-protocol-version': version, 'mcp-method': method, ...name },
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, _meta: meta } }),
    })
    const body = await (await gateway.fetch(request)).text()
    const [, event = body] = /^data: (.*)$/m.exec(body) ?? []
    return (JSON.parse(event) as { readonly result?: JsonObject }).result ?? {}
  }

/** On one line, as it stands in a chat. */
const textOf = ({ content }: JsonObject): string =>
  ((content as readonly { readonly text?: string }[] | undefined)?.[0]?.text ?? 'no answer').replaceAll('\n', ' ')
