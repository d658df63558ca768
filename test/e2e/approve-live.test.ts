/**
 * INJ-C8: what changed is approved while the client stays where it is: through `sekisho run` on its standard streams and through
 * the gateway over HTTP, in front of a local and of a remote server, for clients of both eras. One session from the first call to
 * the last.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { type Echo, echo, type Json, tool } from '../attacks/support/echo.ts'
import { connect, type Peer, refusalOf } from './support/peers.ts'
import { until } from './support/until.ts'
import { cli, configFor, node, Yard } from './support/yard.ts'

const yard = new Yard()
after(() => yard.close())
const run = promisify(execFile)
const relay = join(import.meta.dirname, '../attacks/support/relay.ts')
const note = (more: Json = {}): Json => tool('read_note', { description: 'Reads a note.', ...more })
const sidenote = { inputSchema: { type: 'object', properties: { sidenote: { type: 'string' } } } }

interface Place {
  readonly peer: Peer
  /** `sekisho pins` with these words, for what this client talks to. */
  pins(...words: string[]): Promise<string>
}
type Era = Peer['era']
const flavours = { legacy: 'SDK 2 legacy', modern: 'SDK 2 modern' } as const

async function pinsIn(folder: string, words: readonly string[]): Promise<string> {
  const options = { cwd: folder, env: { ...process.env, NO_COLOR: '1' } }
  return (await run(process.execPath, ['--disable-warning=ExperimentalWarning', cli, 'pins', ...words], options)).stdout
}

const doors: Readonly<Record<string, (server: readonly string[], era: Era) => Promise<Place>>> = {
  async 'sekisho run'(server, era) {
    const folder = yard.folder()
    const command = node(cli, 'run', '--id', 'notes', '--data', folder, '--', ...server)
    const peer = await connect(flavours[era], { command, cwd: folder })
    return { peer, pins: (...words) => pinsIn(folder, [...words, '--data', folder]) }
  },
  async 'the gateway over HTTP'(server, era) {
    const isRemote = server[0]?.startsWith('http')
    const gateway = await yard.gateway(configFor({ notes: isRemote ? { url: server[0] } : { command: server } }))
    const peer = await connect(flavours[era], `${gateway.url}/notes/mcp`)
    return { peer, pins: (...words) => pinsIn(gateway.folder, words) }
  },
}
const servers: Readonly<Record<string, (upstream: Echo) => readonly string[]>> = {
  'a local server': ({ url }) => node(relay, url),
  'a remote one': ({ url }) => [url],
}

for (const [door, open] of Object.entries(doors))
  for (const [kind, serverAt] of Object.entries(servers))
    describe(`${door}, in front of ${kind}`, () => {
      for (const era of ['legacy', 'modern'] as const)
        it(`for a client of the ${era} era`, async () => {
          let tools = [note(), tool('list_notes')]
          const upstream = await echo({ era, answers: { 'tools/list': () => ({ tools, ttlMs: 0, cacheScope: 'private' }) } })
          const { peer, pins } = await open(serverAt(upstream), era)
          try {
            assert.deepEqual(await peer.tools(), ['read_note', 'list_notes'])
            assert.match((await peer.call('read_note')).text, /read_note/)

            tools = [note(sidenote), tool('list_notes')]
            assert.deepEqual(await peer.tools(), ['list_notes'])
            assert.equal(await refusalOf(peer.call('read_note')), 'DEFINITION_CHANGED')
            assert.match((await peer.call('list_notes')).text, /list_notes/)

            assert.match(await pins('show', 'notes'), /^ {2}high +parameter `sidenote` added, free text$/m)
            assert.match(await pins('approve', 'notes', 'read_note'), /^approved/)
            await until('it can be called', async () => (await refusalOf(peer.call('read_note'))) === undefined)
            assert.match((await peer.call('read_note', { sidenote: 'of one session' })).text, /of one session/)
            assert.deepEqual(await peer.tools(), ['read_note', 'list_notes'])
            const introductions = upstream.methods().filter((method) => method === 'initialize')
            assert.ok(introductions.length <= 1, 'neither client nor server was started again')
          } finally {
            await peer.close()
            await upstream.close()
          }
        })
    })
