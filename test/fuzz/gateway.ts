/**
 * Strangers at the gateway's port, with bytes of their own making. It never fails, everybody gets an answer or a closed
 * connection, and what two readers could read in two ways does not arrive behind it.
 */
import { call, deadlineMs, type Heard } from './caller.ts'
import { type Fuzzer, must, type Target } from './fuzzer.ts'
import { isFailure, isUnambiguous, openHouse } from './house.ts'
import { makeVisit, pathOf, sessions, type Visit } from './requests.ts'

export const gatewayFuzzer = (): Fuzzer => ({ name: 'gateway', share: { cases: 2, seconds: 24 }, open: openTarget })

async function openTarget(): Promise<Target<Visit>> {
  const house = await openHouse()
  const { mcp, admin } = await house.gateway.listen()
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
      must(heard.status !== 500 && !isFailure(heard.body), () => `answered ${heard.status}: ${heard.body.slice(0, 300)}`)
      must(heard.ended !== 'whole' || isPlain(heard), () => `the answer can be read in two ways: ${heard.body.slice(0, 2000)}`)
      house.nothingWrong()
      return heard.status !== undefined && heard.status < 300
    },
    close: () => house.close(),
  }
}

function isPlain({ type, body }: Heard): boolean {
  if (type.startsWith('application/json')) return body === '' || isUnambiguous(body)
  if (!type.startsWith('text/event-stream')) return true
  return [...body.matchAll(/^data: (.+)$/gm)].every(([, text]) => isUnambiguous(text as string))
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
    return text
      .replaceAll('%PORT%', String(port))
      .replace(/%SESSION(\d)%/g, (_, slot: string) => this.#ids.get(Number(slot)) ?? 'none')
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
    const params = {
      protocolVersion: version,
      capabilities: { elicitation: {}, sampling: {}, roots: {} },
      clientInfo: { name: 'fuzzer', version: '1' },
    }
    const response = await fetch(`http://127.0.0.1:${this.#port}${pathOf(server)}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'initialize', params }),
    })
    await response.text()
    this.#ids.set(slot, response.headers.get('mcp-session-id') ?? 'none')
  }
}
