/**
 * Programs that other people wrote, on both sides of the gateway: reference servers and published ones behind it, the
 * Inspector and mcp-remote in front of it. Loopback only; nothing here needs the internet.
 */
import assert from 'node:assert/strict'
import { mkdirSync, realpathSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { ROOT } from '../conformance/launch.ts'
import { connect, flavours, type Peer } from './support/peers.ts'
import { cli, configFor, type Gateway, node, Yard } from './support/yard.ts'

const yard = new Yard()
after(() => yard.close())
const program = (path: string): string => join(ROOT, 'node_modules', path)
const inspector = program('@modelcontextprotocol/inspector/clients/launcher/build/index.js')
const remote = program('mcp-remote/dist/proxy.js')

const folder = realpathSync(yard.folder())
const home = yard.folder()
writeFileSync(join(folder, 'pass.txt'), 'papers in order')
mkdirSync(join(folder, 'sub'))

const commands = {
  files: { command: node(program('@modelcontextprotocol/server-filesystem/dist/index.js'), folder) },
  memory: {
    command: node(program('@modelcontextprotocol/server-memory/dist/index.js')),
    env: { MEMORY_FILE_PATH: join(folder, 'memory.jsonl') },
  },
  everything: { command: node(program('@modelcontextprotocol/server-everything/dist/index.js'), 'stdio') },
  browser: { command: node(program('@playwright/mcp/cli.js'), '--headless') },
  docs: { command: node(program('@upstash/context7-mcp/dist/index.js')) },
}

let gateway: Gateway
before(async () => {
  gateway = await yard.gateway(configFor(commands))
})

interface Known {
  readonly id: keyof typeof commands
  /** At least so many. */
  readonly tools: number
  readonly calls?: readonly (readonly [tool: string, given: Record<string, unknown>, says: RegExp, refused?: true])[]
}
const hakone = { name: 'Hakone', entityType: 'checkpoint', observations: ['closed at night'] }
const known: readonly Known[] = [
  {
    id: 'files',
    tools: 14,
    calls: [
      ['read_text_file', { path: '/etc/passwd' }, /denied/i, true],
      ['read_text_file', { path: join(folder, 'pass.txt') }, /papers in order/],
    ],
  },
  {
    id: 'memory',
    tools: 9,
    calls: [
      ['create_entities', { entities: 'Hakone' }, /invalid/i, true],
      ['create_entities', { entities: [hakone] }, /^/],
      ['read_graph', {}, /closed at night/],
    ],
  },
  {
    id: 'everything',
    tools: 13,
    calls: [
      ['get-sum', { a: 'one' }, /invalid/i, true],
      ['get-sum', { a: 2, b: 3 }, /5/],
    ],
  },
  { id: 'browser', tools: 20 },
  { id: 'docs', tools: 2 },
]

for (const flavour of flavours)
  describe(`GEN-2 ${flavour} in front of published servers`, () => {
    for (const { id, tools, calls = [] } of known)
      it(`${id}: lists${calls.length > 0 ? ', refuses and answers' : ''}`, { timeout: 30_000 }, async () => {
        const peer = await connect(flavour, `${gateway.url}/${id}/mcp`)
        try {
          assert.equal(peer.version(), flavour === 'SDK 2 modern' ? '2026-07-28' : '2025-11-25')
          const names = await peer.tools()
          assert.ok(names.length >= tools, `${names.length} tools: ${names}`)
          for (const [name, given, says, refused = false] of calls) {
            assert.ok(names.includes(name), `${name} in ${names}`)
            const { text, isError } = await peer
              .call(name, given)
              .catch((error: Error) => ({ text: error.message, isError: true }))
            assert.match(text, says)
            assert.equal(isError, refused)
          }
          if (id === 'everything') await everything(peer)
        } finally {
          await peer.close()
        }
      })
  })

/** What the reference server has of everything else. */
async function everything(peer: Peer): Promise<void> {
  const prompts = (await peer.client.listPrompts()).prompts.map(({ name }) => name)
  assert.ok(prompts.includes('simple-prompt'), String(prompts))
  const { messages } = await peer.client.getPrompt({ name: 'simple-prompt' })
  assert.ok(messages.length > 0)
  const [resource] = (await peer.client.listResources()).resources
  assert.ok((await peer.client.readResource({ uri: String(resource?.uri) })).contents.length > 0)
  await peer.call('trigger-long-running-operation', { duration: 0.3, steps: 3 }, { onprogress: () => undefined })
  assert.deepEqual(
    peer.progress.map(({ progress }) => progress),
    [1, 2, 3],
  )
  const names = await peer.tools()
  assert.ok(names.includes('trigger-sampling-request'), 'it offers what the client can answer')
  const { text } = await peer.call('trigger-sampling-request', { prompt: 'Yes?', maxTokens: 10 })
  assert.match(text, /The model says yes/)
}

describe('the Inspector', { concurrency: 2 }, () => {
  /** Runs it once and gives back what it printed. */
  async function inspect(server: object, ...args: string[]): Promise<{ code: number | null; shown: string; errors: string }> {
    const config = join(yard.folder(), 'mcp.json')
    writeFileSync(config, JSON.stringify({ mcpServers: { it: server } }))
    const env = { ...process.env, HOME: home, MCP_INSPECTOR_SECRET_STORE: 'memory' }
    const running = yard.start([inspector, '--cli', '--config', config, '--server', 'it', '--format', 'json', ...args], { env })
    const { code } = await running.ended
    return { code, shown: running.out.join('\n'), errors: running.errors.join('\n') }
  }
  const local = (id: keyof typeof commands): object => {
    const [command, ...args] = node(cli, 'run', '--data', yard.folder(), '--', ...commands[id].command)
    return { command, args, cwd: folder }
  }
  const ways: readonly (readonly [string, (era: string) => object])[] = [
    ['over HTTP', (era) => ({ type: 'streamable-http', url: `${gateway.url}/files/mcp`, protocolEra: era })],
    ['over stdio', (era) => ({ ...local('files'), protocolEra: era })],
  ]
  const read = ['--method', 'tools/call', '--tool-name', 'read_text_file', '--tool-args-json'] as const

  for (const [way, server] of ways)
    for (const era of ['legacy', 'modern'])
      it(`${way}, ${era}: is told no, lists and calls (GEN-2)`, { timeout: 30_000 }, async () => {
        const denied = await inspect(server(era), ...read, JSON.stringify({ path: '/etc/passwd' }))
        assert.match(denied.shown, /denied/i)
        const listed = await inspect(server(era), '--method', 'tools/list')
        assert.equal(listed.code, 0, listed.errors)
        assert.equal(JSON.parse(listed.shown).result.tools.length, 14)
        const called = await inspect(server(era), ...read, JSON.stringify({ path: join(folder, 'pass.txt') }))
        assert.equal(called.code, 0, called.errors)
        assert.match(called.shown, /papers in order/)
      })
})

describe('mcp-remote', () => {
  for (const [flavour, protocol] of [
    ['SDK 1', 'legacy'],
    ['SDK 2 legacy', 'auto'],
    ['SDK 2 modern', 'auto'],
  ] as const)
    it(`${flavour} through it, with protocol ${protocol} (GEN-2)`, { timeout: 30_000 }, async () => {
      const command = node(remote, `${gateway.url}/everything/mcp`, '--protocol', protocol, '--transport', 'http-only')
      const peer = await connect(flavour, {
        command,
        cwd: home,
        env: { HOME: home, MCP_REMOTE_CONFIG_DIR: join(home, 'remote') },
      })
      try {
        await assert.rejects(
          peer.call('no-such-tool').then(({ isError, text }) => (isError ? Promise.reject(new Error(text)) : text)),
        )
        assert.ok((await peer.tools()).includes('echo'))
        assert.match((await peer.call('echo', { message: 'through the pass' })).text, /through the pass/)
      } finally {
        await peer.close()
      }
    })
})
