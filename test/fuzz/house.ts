/** A whole gateway in this process with a recording server behind it, and everything that must never happen there. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { verify } from '../../src/audit/verify.ts'
import { parseConfig } from '../../src/config/load.ts'
import { type Gateway, openGateway } from '../../src/gateway.ts'
import { Finding, must } from './fuzzer.ts'
import { ambiguity } from './json.ts'
import { readPlainly } from './plain-json.ts'
import { startUpstream } from './upstream.ts'

const configFor = (port: number): string => {
  const server = (name: string, era: string): object => ({
    url: `http://127.0.0.1:${port}/${name}`,
    transport: 'streamable-http',
    era,
    requestTimeoutMs: 1500,
    requestTimeoutMsMax: 3000,
  })
  const everything = { effect: 'allow', server: '*', tools: ['*'], prompts: ['*'], resources: ['*'], asks: ['*'] }
  const forbidden = {
    effect: 'deny',
    server: '*',
    tools: ['forbidden*'],
    prompts: ['forbidden*'],
    resources: ['file:///forbidden*', 'forbidden*'],
  }
  return JSON.stringify({
    listen: '127.0.0.1:0',
    admin: { listen: '127.0.0.1:0' },
    store: 'sqlite:./sekisho.db',
    audit: { path: './audit.db', anchor: './audit.anchor' },
    servers: {
      modern: server('modern', 'modern'),
      legacy: server('legacy', 'legacy'),
      hostile: server('hostile', 'legacy'),
      unfriendly: server('unfriendly', 'modern'),
    },
    roles: { all: [everything, forbidden] },
    bindings: [{ role: 'all', anonymous: true }],
    limits: {
      bodyBytesMax: 262_144,
      resultBytesMax: 1_048_576,
      principal: { perMinute: 'unlimited', concurrent: 'unlimited' },
    },
  })
}

export interface House {
  readonly gateway: Gateway
  /** Throws what has been found so far: failures, crashes, warnings, and what should not have come to the server. */
  nothingWrong(): void
  /** Ends everything; then the audit log has to verify, and every exchange to have an outcome. */
  close(): Promise<void>
}

export async function openHouse(): Promise<House> {
  const folder = mkdtempSync(join(tmpdir(), 'sekisho-fuzz-gateway-'))
  const upstream = await startUpstream()
  const troubles: string[] = []
  const trouble = (what: string) => (error: unknown) =>
    void troubles.push(`${what}: ${error instanceof Error ? error.stack : String(error)}`)
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
  const nothingWrong = (): void => {
    const [first] = [...troubles.splice(0), ...upstream.wrongs.splice(0)]
    if (first !== undefined) throw new Finding(first)
  }
  return {
    gateway,
    nothingWrong,
    async close() {
      await gateway.close()
      await upstream.close()
      for (const [event, listener] of listeners) process.off(event, listener)
      nothingWrong()
      const { ok, unknown, entries, tampering } = await verify(join(folder, 'audit.db'), join(folder, 'audit.anchor'))
      must(ok, () => `the audit log does not verify: ${JSON.stringify(tampering)}`)
      must(unknown === 0, () => `${unknown} exchanges of ${entries / 2} have no outcome`)
      must(upstream.calls() <= entries / 2, () => `${upstream.calls()} calls arrived, and ${entries / 2} were recorded`)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Our own failures, as a client is told of them. */
export const isFailure = (answer: string): boolean => answer.includes('"INTERNAL"') || answer.includes('AUDIT_UNAVAILABLE')

/** What is sent to a client can be read in one way only. */
export function isUnambiguous(text: string): boolean {
  const plain = readPlainly(text, 200)
  return plain !== undefined && ambiguity(plain) === undefined
}
