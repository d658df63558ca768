/**
 * A local server that does whatever a call tells it to: it writes down what it was given, says what it is told to say, and
 * misbehaves on request. Legacy era, one JSON text a line, no SDK.
 *
 *   node test/attacks/support/child.ts FILE [anything]      every line it reads, its argv and its environment go to FILE
 */
import { appendFileSync } from 'node:fs'
import { createInterface } from 'node:readline'

type Json = Record<string, unknown>
const [file] = process.argv.slice(2)
const note = (what: Json): void => {
  if (file) appendFileSync(file, `${JSON.stringify({ pid: process.pid, ...what })}\n`)
}
note({ argv: process.argv, env: process.env, cwd: process.cwd() })

const write = (message: Json): boolean => process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
const text = (words: string): Json => ({ content: [{ type: 'text', text: words }] })
const waiting = new Map<unknown, (answer: Json) => void>()
let asked = 0

const tools: Readonly<Record<string, (given: Json, id: unknown) => Json | undefined | Promise<Json | undefined>>> = {
  echo: (given) => text(JSON.stringify(given)),
  pid: () => text(String(process.pid)),
  /** Says these messages first, as they are. */
  say({ messages, then }) {
    for (const message of messages as Json[]) write(message)
    return text(String(then ?? 'said'))
  },
  /** Says them after a while, and answers at once: what is said then belongs to no call of this client. */
  later({ messages, ms }) {
    setTimeout(() => (messages as Json[]).forEach(write), Number(ms))
    return text('later')
  },
  /** Asks the client, and tells what it answered. */
  async ask({ method, params }) {
    const id = asked++
    write({ id, method, params })
    return text(JSON.stringify(await new Promise<Json>((resolve) => waiting.set(id, resolve))))
  },
  never: () => undefined,
  /** Answers after a while. */
  wait: ({ ms }) => new Promise((resolve) => setTimeout(() => resolve(text('waited')), Number(ms))),
  /** So many bytes without an end of line. */
  async flood({ bytes }) {
    const chunk = 'x'.repeat(1 << 20)
    for (let sent = 0; sent < Number(bytes); sent += chunk.length)
      if (!process.stdout.write(chunk)) await new Promise((resolve) => process.stdout.once('drain', resolve))
    process.stdout.write('\n')
    return text('flooded')
  },
  /** So many notices of so many bytes. */
  async chatter({ count, bytes, method = 'notifications/message', token }) {
    const data = 'x'.repeat(Number(bytes))
    const params = token === undefined ? { level: 'info', data } : { progressToken: token, progress: 1, message: data }
    for (let sent = 0; sent < Number(count); sent++)
      if (!write({ method, params })) await new Promise((resolve) => process.stdout.once('drain', resolve))
    return text('chattered')
  },
  mutter({ lines }) {
    for (let line = 0; line < Number(lines); line++) process.stderr.write(`muttering ${line}\n`)
    return text('muttered')
  },
  /** Reads no more. */
  deaf() {
    process.stdin.pause()
    setInterval(() => undefined, 1000)
    return text('deaf')
  },
  big: ({ bytes }) => text('x'.repeat(Number(bytes))),
}

createInterface({ input: process.stdin }).on('line', async (line) => {
  note({ line })
  const { id, method, params = {} } = JSON.parse(line) as { id?: unknown; method?: string; params?: Json }
  if (method === undefined) return waiting.get(id)?.(JSON.parse(line) as Json)
  if (id === undefined) return
  const { name, arguments: given = {}, _meta } = params as { name?: string; arguments?: Json; _meta?: Json }
  const token = _meta?.['progressToken']
  const result =
    method === 'initialize'
      ? {
          protocolVersion: params['protocolVersion'],
          capabilities: { tools: {}, logging: {}, resources: { subscribe: true } },
          serverInfo: { name: 'child', version: '1' },
        }
      : method === 'tools/list'
        ? { tools: Object.keys(tools).map((tool) => ({ name: tool, inputSchema: { type: 'object' } })) }
        : method === 'tools/call'
          ? await (tools[name ?? ''] ?? (() => text('')))({ ...(token !== undefined && { token }), ...given }, id)
          : {}
  if (result !== undefined) write({ id, result })
})
