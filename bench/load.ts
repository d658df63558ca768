/**
 * The load generator, a process of its own (generator.ts is its handle). A closed loop: `concurrency` callers, one
 * connection each, the next call goes out when the last answer is in and checked. Every call has an id of its own, and
 * every latency is kept until the round is summed up.
 *
 * Latency ends when the whole body is in; parsing and checking it are not part of it.
 */
import { Pool } from 'undici'
import type { Era } from './cases.ts'
import { percentile } from './statistics.ts'
import { type Call, echoCall, fault, initializeBody, initializedBody, initializeHeaders, sessionHeaders } from './wire.ts'

export interface Target {
  url: string
  /** Of the caller; null where nobody asks. */
  token: string | null
  era: Era
  bytes: number
  concurrency: number
}

export type Command =
  | { do: 'warm'; target: Target; seconds: number }
  | { do: 'measure'; seconds: number }
  | { do: 'streams'; url: string; token: string | null; count: number }
  | { do: 'close' }

export interface Measured {
  calls: number
  faults: number
  firstFault: string | null
  seconds: number
  callsPerSecond: number
  p50Ms: number
  p95Ms: number
  p99Ms: number
  maxMs: number
}

export type Reply = { measured: Measured } | { opened: number; refused: string | null } | { failed: string }

const faultsMax = 20
let lastId = 0
let pool: Pool | undefined
let path = '/'
let call: Call | undefined
let target: Target | undefined
let authorization: Readonly<Record<string, string>> = {}
/** One session for each address, kept between rounds, as a real client keeps it. */
const sessions = new Map<string, string | null>()

function connect(url: string, token: string | null, connections: number | null): Pool {
  authorization = token === null ? {} : { authorization: `Bearer ${token}` }
  const address = new URL(url)
  path = address.pathname
  return new Pool(address.origin, { connections, pipelining: 1, headersTimeout: 20_000, bodyTimeout: 0 })
}

async function openSession(): Promise<string | null> {
  const open = { path, method: 'POST' as const }
  const answer = await pool!.request({
    ...open,
    headers: { ...initializeHeaders, ...authorization },
    body: initializeBody(++lastId),
  })
  const text = await answer.body.text()
  if (answer.statusCode !== 200) throw new Error(`initialize: HTTP ${answer.statusCode} ${text.slice(0, 160)}`)
  const session = answer.headers['mcp-session-id']
  const id = typeof session === 'string' ? session : null
  const noted = await pool!.request({ ...open, headers: { ...sessionHeaders(id), ...authorization }, body: initializedBody })
  await noted.body.dump()
  return id
}

async function run(seconds: number): Promise<Measured> {
  const latencies: number[] = []
  const faults: string[] = []
  const { bytes, concurrency } = target!
  const { body } = call!
  const headers = { ...call!.headers, ...authorization }
  const began = performance.now()
  const deadline = began + seconds * 1000
  async function caller(): Promise<void> {
    while (performance.now() < deadline && faults.length < faultsMax) {
      const id = ++lastId
      const sent = performance.now()
      try {
        const answer = await pool!.request({ path, method: 'POST', headers, body: body(id) })
        const text = await answer.body.text()
        const took = performance.now() - sent
        const wrong = fault(answer.statusCode, String(answer.headers['content-type']), text, id, bytes)
        if (wrong === null) latencies.push(took)
        else faults.push(wrong)
      } catch (error) {
        faults.push(String(error))
      }
    }
  }
  await Promise.all(Array.from({ length: concurrency }, caller))
  const elapsed = (performance.now() - began) / 1000
  latencies.sort((a, b) => a - b)
  return {
    calls: latencies.length,
    faults: faults.length,
    firstFault: faults[0] ?? null,
    seconds: elapsed,
    callsPerSecond: latencies.length / elapsed,
    p50Ms: percentile(latencies, 50),
    p95Ms: percentile(latencies, 95),
    p99Ms: percentile(latencies, 99),
    maxMs: latencies.at(-1) ?? 0,
  }
}

async function warm(next: Target, seconds: number): Promise<Measured> {
  await pool?.destroy()
  pool = connect(next.url, next.token, next.concurrency)
  target = next
  if (next.era === 'legacy' && !sessions.has(next.url)) sessions.set(next.url, await openSession())
  call = echoCall(next.era, next.bytes, sessions.get(next.url) ?? null)
  return run(seconds)
}

/** Opens sessions with one idle GET stream each, twenty at a time, until `count` are open or one is refused. */
async function openStreams(
  url: string,
  token: string | null,
  count: number,
): Promise<{ opened: number; refused: string | null }> {
  await pool?.destroy()
  pool = connect(url, token, null)
  let begun = 0
  let opened = 0
  let refused: string | null = null
  async function opener(): Promise<void> {
    while (begun < count && refused === null) {
      begun++
      try {
        const headers = { ...sessionHeaders(await openSession()), ...authorization, accept: 'text/event-stream' }
        const answer = await pool!.request({ path, method: 'GET', headers })
        if (answer.statusCode === 200) {
          answer.body.on('error', () => {}).resume()
          opened++
        } else refused = `stream: HTTP ${answer.statusCode} ${(await answer.body.text()).slice(0, 160)}`
      } catch (error) {
        refused = String(error)
      }
    }
  }
  await Promise.all(Array.from({ length: 20 }, opener))
  return { opened, refused }
}

async function obey(command: Command): Promise<Reply> {
  switch (command.do) {
    case 'warm':
      return { measured: await warm(command.target, command.seconds) }
    case 'measure':
      return { measured: await run(command.seconds) }
    case 'streams':
      return openStreams(command.url, command.token, command.count)
    case 'close':
      await pool?.destroy()
      pool = undefined
      return { opened: 0, refused: null }
  }
}

process.on('message', (command: Command) => {
  obey(command).then(
    (reply) => process.send!(reply),
    (error: unknown) => process.send!({ failed: String(error) } satisfies Reply),
  )
})
process.on('disconnect', () => process.exit(0))
