/**
 * INJ-C8, a legitimate upgrade: two published versions of a server that other people wrote. What the new one changed is read in
 * words before it is let in, approved with one command, and the client that stayed connected goes on. Nothing of a server whose
 * command was changed is started before somebody says so (CVE-2025-54136).
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, realpathSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { recordOf } from '../attacks/support/house.ts'
import { ROOT } from '../conformance/launch.ts'
import { connect, type Flavour, type Peer, refusalOf } from './support/peers.ts'
import { until } from './support/until.ts'
import { cli, configFor, type Gateway, node, Yard } from './support/yard.ts'

const yard = new Yard()
after(() => yard.close())
const run = promisify(execFile)
const folder = realpathSync(yard.folder())
writeFileSync(join(folder, 'pass.txt'), 'papers in order')

const program = (name: string): string => join(ROOT, 'node_modules', name, 'dist/index.js')
const versions = {
  '2026.1.14': node(program('server-filesystem-before'), folder),
  '2026.8.31': node(program('@modelcontextprotocol/server-filesystem'), folder),
} as const
type Version = keyof typeof versions
const configured = (command: readonly string[]): object => configFor({ files: { command } }, { pins: { recheckSeconds: 0 } })

const switchedTo = async (gateway: Gateway, command: readonly string[]): Promise<void> => {
  const reloads = (): number => recordOf(gateway).filter(({ action }) => action === 'config.reloaded').length
  const before = reloads()
  gateway.rewrite(configured(command))
  await until('it is reloaded', () => reloads() > before)
}
const pins = async (gateway: Gateway, ...args: string[]): Promise<string> => {
  const options = { cwd: gateway.folder, env: { ...process.env, NO_COLOR: '1' } }
  const { stdout } = await run(process.execPath, ['--disable-warning=ExperimentalWarning', cli, 'pins', ...args], options)
  return stdout
}
const papers = (peer: Peer) => peer.call('read_text_file', { path: join(folder, 'pass.txt') })
const works = async (peer: Peer): Promise<boolean> => (await papers(peer)).text.includes('papers in order')

for (const flavour of ['SDK 2 legacy', 'SDK 2 modern'] as const satisfies readonly Flavour[])
  describe(`a new version of a published server, in front of it ${flavour}`, { concurrency: false }, () => {
    let gateway: Gateway
    let peer: Peer
    const to = (version: Version): Promise<void> => switchedTo(gateway, versions[version])
    before(async () => {
      gateway = await yard.gateway(configured(versions['2026.1.14']))
      peer = await connect(flavour, `${gateway.url}/files/mcp`)
    })
    after(() => peer.close())

    it('the old one is approved by first use, and works', async () => {
      assert.equal((await peer.tools()).length, 14)
      assert.ok(await works(peer))
    })

    it('with the new command in the configuration, nothing of the server can be called, and it says how to look', async () => {
      await to('2026.8.31')
      const refusal = await papers(peer).then(
        ({ text }) => text,
        (error: Error) => error.message,
      )
      assert.match(refusal, /The server "files" is not the one that was approved/)
      assert.match(refusal, /sekisho pins show files/)
    })

    it('what the operator reads first: that the command is another one, and how to see the rest', async () => {
      const shown = await pins(gateway, 'show', 'files')
      assert.match(shown, /^changed {2}the server was \[.*server-filesystem-before.*\], and is \[.*server-filesystem\/.*\] now$/m)
      assert.match(shown, /before anybody may call it: sekisho pins show files --look$/m)
      assert.match(shown, /nothing of files waits for a decision/)
    })

    it('what it changed is said in words, with the sentences that are different', async () => {
      const shown = await pins(gateway, 'show', 'files', '--look')
      const of = (tool: string): string => new RegExp(`^held {2}tool ${tool} .*\\n(?: .*\\n)+`, 'm').exec(shown)?.[0] ?? ''
      assert.match(of('move_file'), /^ {2}high +it no longer says that it destroys nothing$/m)
      const media = of('read_media_file')
      assert.match(media, /^ {2}medium +description gained 120 characters$/m)
      assert.match(media, /^ +- …an image or audio file\. Returns the base64 encoded data and MIME type\.…$/m)
      assert.match(
        media,
        /^ +\+ …a file and return it as a base64-encoded content block with its MIME type\. Image and audio files /m,
      )
      assert.match(media, /^ {2}low +`outputSchema` is another one$/m)
      assert.match(of('list_directory'), /^ {2}medium +`openWorldHint` was added: false$/m)
      assert.equal([...shown.matchAll(/^held {2}tool /gm)].length, 14)
      assert.equal(await refusalOf(papers(peer)), 'SERVER_CHANGED', 'it was looked at, and is still not let in')
    })

    it('one command takes the server and all that it changed; the client that stayed connected calls it', async () => {
      const approved = await pins(gateway, 'approve', 'files', '--all', '--reason', 'read the release notes')
      assert.match(approved, /^approved {2}files is .*, which was .*server-filesystem-before/)
      assert.equal([...approved.matchAll(/^approved {2}tool /gm)].length, 14)
      await until('it can be called', () => works(peer).catch(() => false))
      assert.equal((await peer.tools()).length, 14)
      assert.match(await pins(gateway, 'show', 'files'), /^nothing of files waits for a decision; 2[89] versions are known$/m)
    })

    it('who did what is on record: that it was looked at, taken and approved', async () => {
      const actions = await until('all of it', () => {
        const found = recordOf(gateway).filter(
          ({ server, principal }) => server === 'files' && String(principal).startsWith('cli:'),
        )
        const words = new Set(found.map(({ action }) => String(action)))
        return words.has('pin.server') && words.has('pin.approved') && words.has('server.looked-at') && words
      })
      assert.ok(actions.size >= 3)
    })

    it('back again: the version before is still approved, and one command takes the server', async () => {
      await to('2026.1.14')
      assert.equal(await refusalOf(papers(peer)), 'SERVER_CHANGED')
      assert.match(await pins(gateway, 'approve', 'files', '--all'), /^approved {2}files is .*server-filesystem-before/)
      await until('it can be called', () => works(peer).catch(() => false))
      await pins(gateway, 'rollback', 'files', 'move_file')
      assert.ok(await works(peer))
    })

    it('and one tool of the new version that was rolled back stays away when the others come again', async () => {
      await to('2026.8.31')
      await pins(gateway, 'approve', 'files', '--all')
      await until('it can be called', () => works(peer).catch(() => false))
      const names = await peer.tools()
      assert.equal(names.length, 13)
      assert.ok(!names.includes('move_file'))
    })
  })

describe('CVE-2025-54136: a command that was changed after it was approved', { concurrency: false }, () => {
  it('is not started by a call, a list or a look at what is known; only by a look that says so', async () => {
    const gateway = await yard.gateway(configured(versions['2026.1.14']))
    const peer = await connect('SDK 2 modern', `${gateway.url}/files/mcp`)
    assert.ok(await works(peer))
    const trace = join(folder, 'started')
    const hostile = node('-e', `require('node:fs').writeFileSync(${JSON.stringify(trace)}, '')`)
    await switchedTo(gateway, hostile)
    assert.equal(await refusalOf(papers(peer)), 'SERVER_CHANGED')
    assert.equal(await refusalOf(peer.tools()), 'SERVER_CHANGED')
    await assert.rejects(connect('SDK 2 legacy', `${gateway.url}/files/mcp`))
    await pins(gateway, 'show', 'files')
    await pins(gateway, 'list', 'files')
    assert.ok(!existsSync(trace))
    await assert.rejects(pins(gateway, 'show', 'files', '--look'), /the server "files" cannot be looked at/)
    assert.ok(existsSync(trace))
    await peer.close()
  })
})
