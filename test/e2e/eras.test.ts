/**
 * GEN-2: every client in front of every server, over every transport that the gateway has on either side. One gateway
 * stands in front of all servers for the HTTP side; for stdio each client starts its own `sekisho run`.
 */
import { after, before, describe, it } from 'node:test'
import { checks } from './support/checks.ts'
import { type Address, connect, flavours, type Peer } from './support/peers.ts'
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
const cells = flavours.flatMap((flavour) => [
  ...behindHttp.map((id) => ({ flavour, name: `HTTP → ${id}`, address: (): Address => `${gateway.url}/${id}/mcp` })),
  ...kinds.map((kind) => ({
    flavour,
    name: `stdio → sekisho run → ${kind.id}-stdio`,
    address: (): Address => ({
      command: node(cli, 'run', '--data', yard.folder(), '--', ...stdioCommand(kind)),
      cwd: yard.folder(),
    }),
  })),
])

for (const { flavour, name, address } of cells) {
  describe(`GEN-2 ${flavour} → ${name}`, () => {
    let peer: Peer | undefined
    before(async () => {
      peer = await connect(flavour, address())
    })
    after(async () => peer?.close())
    const version = flavour === 'SDK 2 modern' ? '2026-07-28' : '2025-11-25'
    for (const { says, run } of checks) it(says, { timeout: 20_000 }, () => run(peer as Peer, version))
  })
}
