/**
 * GEN-2: every client in front of every server, over every transport that the gateway has on either side. One gateway
 * stands in front of all servers for the HTTP side; for stdio each client starts its own `sekisho run`.
 */
import { after, before, describe, it } from 'node:test'
import { checks } from './support/checks.ts'
import { type Address, connect, type Flavour, flavours, type Peer } from './support/peers.ts'
import { cli, configFor, type Gateway, node, upstreamOne, upstreamTwo, Yard } from './support/yard.ts'

const yard = new Yard()
after(() => yard.close())

interface Upstream {
  readonly id: string
  readonly file: string
  readonly args: readonly string[]
}
const kinds: readonly Upstream[] = [
  { id: 'one', file: upstreamOne, args: [] },
  { id: 'legacy', file: upstreamTwo, args: ['--era', 'legacy'] },
  { id: 'modern', file: upstreamTwo, args: ['--era', 'modern'] },
  { id: 'both', file: upstreamTwo, args: ['--era', 'both'] },
]
const stdioCommand = ({ file, args }: Upstream): string[] => node(file, ...args, '--transport', 'stdio')

let gateway: Gateway
before(async () => {
  const servers: Record<string, object> = {}
  for (const kind of kinds) servers[`${kind.id}-stdio`] = { command: stdioCommand(kind) }
  await Promise.all(
    kinds.map(async ({ id, file, args }) => {
      servers[`${id}-http`] = { url: (await yard.upstream(file, ...args, '--transport', 'http')).url }
    }),
  )
  servers['one-sse'] = { url: (await yard.upstream(upstreamOne, '--transport', 'sse')).url }
  gateway = await yard.gateway(configFor(servers))
})

const behindHttp = [...kinds.flatMap(({ id }) => [`${id}-stdio`, `${id}-http`]), 'one-sse']

function cell(flavour: Flavour, name: string, address: () => Address): void {
  describe(`GEN-2 ${flavour} → ${name}`, { concurrency: 1 }, () => {
    let peer: Peer | undefined
    before(async () => {
      peer = await connect(flavour, address())
    })
    after(async () => peer?.close())
    const version = flavour === 'SDK 2 modern' ? '2026-07-28' : '2025-11-25'
    for (const { says, run } of checks) it(says, { timeout: 20_000 }, () => run(peer as Peer, version))
  })
}

// One after the other: they share the servers, whose lists they change.
describe('through `sekisho start`', () => {
  for (const flavour of flavours) for (const id of behindHttp) cell(flavour, `HTTP → ${id}`, () => `${gateway.url}/${id}/mcp`)
})

describe('through `sekisho run`', { concurrency: 4 }, () => {
  for (const flavour of flavours)
    for (const kind of kinds) {
      const command = () => node(cli, 'run', '--data', yard.folder(), '--', ...stdioCommand(kind))
      cell(flavour, `stdio → ${kind.id}-stdio`, () => ({ command: command(), cwd: yard.folder() }))
    }
})
