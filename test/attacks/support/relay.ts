/**
 * A local server that is another's mouth: every line that it reads goes to a server of the test over HTTP, and what comes back is
 * written down its stdout. So one server of a test stands on both transports, and sees which process asked (`x-child`).
 *
 *   node test/attacks/support/relay.ts URL      ends when an answer has the header `x-end`, after it was handed on
 */
import { createInterface } from 'node:readline'
import { messagesIn } from './client.ts'

const [url = ''] = process.argv.slice(2)
let session: string | undefined

const headers = (): Record<string, string> => ({
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
  'x-child': `${process.pid}`,
  ...(session !== undefined && { 'mcp-session-id': session }),
})

/** Messages as they come, also from a stream that goes on. */
async function handOn({ body, headers }: Response): Promise<void> {
  let text = ''
  const say = (messages: readonly unknown[]): void => {
    for (const message of messages) process.stdout.write(`${JSON.stringify(message)}\n`)
  }
  const isStream = headers.get('content-type') === 'text/event-stream'
  for await (const chunk of body ?? []) {
    text += Buffer.from(chunk).toString('utf8')
    if (!isStream) continue
    const end = text.lastIndexOf('\n\n') + 2
    if (end > 1) say(messagesIn(`\n${text.slice(0, end)}`))
    if (end > 1) text = text.slice(end)
  }
  if (!isStream) say(messagesIn(text))
}

createInterface({ input: process.stdin }).on('line', async (line) => {
  const response = await fetch(url, { method: 'POST', headers: headers(), body: line })
  session = response.headers.get('mcp-session-id') ?? session
  await handOn(response)
  if (response.headers.has('x-end')) process.exit(0)
  if (line.includes('notifications/initialized')) void fetch(url, { headers: headers() }).then(handOn)
})
process.stdin.once('end', () => process.exit(0))
