/**
 * The whole gateway on a port, strangers in front of it and a recording server behind it. It never fails, everybody gets an
 * answer or a closed connection, what two readers could read in two ways does not arrive, and the audit log is whole.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { verify } from '../../src/audit/verify.ts'
import { parseConfig } from '../../src/config/load.ts'
import { openGateway } from '../../src/gateway.ts'
import { call, deadlineMs, type Heard } from './caller.ts'
import { Finding, type Fuzzer, must, type Target } from './fuzzer.ts'
import { ambiguity } from './json.ts'
import { readPlainly } from './plain-json.ts'
import { makeVisit, pathOf, sessions, type Visit } from './requests.ts'
import { startUpstream, type Upstream } from './upstream.ts'

const configFor = (port: number): string => {
  const server = (name: string, era: string): object => ({ url: `http://127.0.0.1:${port}/${name}`, transport: 'streamable-http', era, requestTimeoutMs: 1500, requestTimeoutMsMax: 3000 })
  const forbidden = { effect: 'deny', server: '*', tools: ['forbidden*'], prompts: ['forbidden*'], resources: ['file:///forbidden*', 'forbidden*'] }
  return JSON.stringify({
    listen: '127.0.0.1:0',
    admin: { listen: '127.0.0.1:0' },
    store: 'sqlite:./sekisho.db',
    audit: { path: './audit.db', anchor: './audit.anchor' },
    servers: { modern: server('modern', 'modern'), legacy: server('legacy', 'legacy'), hostile: server('hostile', 'legacy'), unfriendly: server('unfriendly', 'modern') },
    roles: { all: [{ effect: 'allow', server: '*', tools: ['*'], prompts: ['*'], resources: ['*'], asks: ['*'] }, forbidden] },
    bindings: [{ role: 'all', anonymous: true }],
    limits: { bodyBytesMax: 262_144, resultBytesMax: 1_048_576, principal: { perMinute: 'unlimited', concurrent: 'unlimited' } },
  })
}

export const gatewayFuzzer = (): Fuzzer => ({ name: 'gateway', share: { cases: 2, seconds: 27 }, open: openTarget })

async function openTarget(): Promise<Target<Visit>> {
  const folder = mkdtempSync(join(tmpdir(), 'sekisho-fuzz-gateway-'))
  const upstream = await startUpstream()
  const troubles: string[] = []
  const trouble = (what: string) => (error: unknown) => void troubles.push(`${what}: ${error instanceof Error ? error.stack : String(error)}`)
  const listeners = [
    ['uncaughtException', trouble('thrown outside of any exchange')],
    ['unhandledRejection', trouble('rejected, and nobody listens')],
    ['warning', trouble('a warning')],
  ] as const
  for (const [event, listener] of listeners) process.on(event, listener)
  const gateway = await openGateway({
    config: parseConfig(configFor(upstream.port), folder),
    tell: (event) => {
      if (event.kind === 'failed') trouble('failed')(event.error)
    },
  })
  const { mcp, admin } = await gateway.listen()
  const desk = new Sessions(mcp.port)
  await desk.open()
  return {
    lanes: 16,
    make: makeVisit,
    show: ({ text }) => Buffer.from(text, 'latin1'),
    async check(visit) {
      const port = visit.door === 'admin' ? admin.port : mcp.port
      const heard = await call(port, Buffer.from(desk.filledIn(visit.text, port), 'latin1'), visit.framed)
      await desk.renew(visit.text, heard)
      must(heard.ended !== 'silent', () => `no answer and no end in ${deadlineMs} ms`)
      must(!visit.framed || heard.status !== undefined, () => 'a whole request was not answered')
      must(!isFailure(heard), () => `answered ${heard.status}: ${heard.body.slice(0, 300)}`)
      must(heard.ended !== 'whole' || isPlain(heard), () => `the answer can be read in two ways: ${heard.body.slice(0, 2000)}`)
      nothingWrong(upstream, troubles)
      return heard.status !== undefined && heard.status < 300
    },
    async close() {
      await gateway.close()
      await upstream.close()
      for (const [event, listener] of listeners) process.off(event, listener)
      nothingWrong(upstream, troubles)
      const { ok, unknown, entries, tampering } = await verify(join(folder, 'audit.db'), join(folder, 'audit.anchor'))
      must(ok, () => `the audit log does not verify: ${JSON.stringify(tampering)}`)
      must(unknown === 0, () => `${unknown} exchanges of ${entries / 2} have no outcome`)
      must(upstream.calls() <= entries / 2, () => `${upstream.calls()} calls arrived, and ${entries / 2} were recorded`)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function nothingWrong({ wrongs }: Upstream, troubles: string[]): void {
  const [first] = [...troubles.splice(0), ...wrongs.splice(0)]
  if (first !== undefined) throw new Finding(first)
}

/** Our own failures. An upstream's are 502 and 504. */
const isFailure = ({ status, body }: Heard): boolean => status === 500 || body.includes('"INTERNAL"') || body.includes('AUDIT_UNAVAILABLE')

function isPlain({ type, body }: Heard): boolean {
  if (type.startsWith('application/json')) return body === '' || isUnambiguous(body)
  if (!type.startsWith('text/event-stream')) return true
  const texts = [...body.matchAll(/^data: (.+)$/gm)].map(([, text]) => text as string)
  return texts.every(isUnambiguous)
}
function isUnambiguous(text: string): boolean {
  const plain = readPlainly(text, 200)
  return plain !== undefined && ambiguity(plain) === undefined
}

/** The legacy sessions that requests are made in. One that was ended, by whatever was sent, is opened again. */
class Sessions {
  readonly #port: number
  readonly #ids = new Map<number, string>()
  readonly #opening = new Map<number, Promise<void>>()

  constructor(port: number) {
    this.#port = port
  }

  async open(): Promise<void> {
    await Promise.all(sessions.map((_, slot) => this.#open(slot)))
  }

  filledIn(text: string, port: number): string {
    return text.replaceAll('%PORT%', String(port)).replace(/%SESSION(\d)%/g, (_, slot: string) => this.#ids.get(Number(slot)) ?? 'none')
  }

  async renew(text: string, { status, body }: Heard): Promise<void> {
    const slot = /%SESSION(\d)%/.exec(text)?.[1]
    if (slot === undefined) return
    const isGone = text.startsWith('DELETE') ? status === 200 : status === 404 && body.includes('no such session')
    if (isGone) await this.#open(Number(slot))
  }

  #open(slot: number): Promise<void> {
    const opening = this.#opening.get(slot) ?? this.#initialize(slot).finally(() => this.#opening.delete(slot))
    this.#opening.set(slot, opening)
    return opening
  }

  async #initialize(slot: number): Promise<void> {
    const { server, version } = sessions[slot] as (typeof sessions)[number]
    const params = { protocolVersion: version, capabilities: { elicitation: {}, sampling: {}, roots: {} }, clientInfo: { name: 'fuzzer', version: '1' } }
    const response = await fetch(`http://127.0.0.1:${this.#port}${pathOf(server)}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'initialize', params }),
    })
    await response.text()
    this.#ids.set(slot, response.headers.get('mcp-session-id') ?? 'none')
  }
}
