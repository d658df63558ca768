/** What must be the same for every client in front of every server, whatever era each of them speaks. Refusals first. */
import assert from 'node:assert/strict'
import type { Peer } from './peers.ts'
import { until, within } from './until.ts'

const watched = 'test://watched-resource'
let calls = 0

interface Check {
  readonly says: string
  /** `version`: what client and gateway should have agreed on. */
  run(peer: Peer, version: string): Promise<void>
}

/** The upstream's own error, in the code of the client's era: a resource that is not there is -32602 to a modern client. */
const refusedWith = (codes: readonly number[]) => (error: unknown) => codes.includes((error as { code: number }).code)
const logs = (peer: Peer): unknown[] =>
  peer.notices.filter(({ method }) => method === 'notifications/message').map(({ params }) => params['data'])

export const checks: readonly Check[] = [
  {
    says: 'an unknown tool is the server’s error -32602',
    run: async (peer) => assert.rejects(peer.call('no_such_tool'), refusedWith([-32602])),
  },
  {
    says: 'an unknown resource is an error, -32602 to a modern client (33, 70)',
    run: async (peer) =>
      assert.rejects(
        peer.client.readResource({ uri: 'nowhere://x' }),
        refusedWith(peer.era === 'modern' ? [-32602] : [-32602, -32002]),
      ),
  },
  {
    says: 'the version is the one of its era (45)',
    run: async (peer, version) => assert.equal(peer.version(), version),
  },
  {
    says: 'tools are listed, in one order (64)',
    async run(peer) {
      const names = await peer.tools()
      for (const name of ['test_simple_text', 'test_error_handling', 'wait', 'witness'])
        assert.ok(names.includes(name), `${name} in ${names}`)
      assert.deepEqual(await peer.tools(), names)
    },
  },
  {
    says: 'a tool is called',
    async run(peer) {
      const { text, isError } = await peer.call('test_simple_text')
      assert.deepEqual([text, isError], ['Plain text from the fixture.', false])
    },
  },
  {
    says: 'a tool that fails says so itself',
    async run(peer) {
      const { text, isError } = await peer.call('test_error_handling')
      assert.deepEqual([text, isError], ['This tool fails on purpose.', true])
    },
  },
  {
    says: 'a prompt is fetched',
    async run(peer) {
      assert.ok((await peer.client.listPrompts()).prompts.some(({ name }) => name === 'test_simple_prompt'))
      const { messages } = await peer.client.getPrompt({ name: 'test_simple_prompt' })
      assert.deepEqual(messages[0]?.content, { type: 'text', text: 'Say hello.' })
    },
  },
  {
    says: 'a resource is read',
    async run(peer) {
      assert.ok((await peer.client.listResources()).resources.some(({ uri }) => uri === 'test://static-text'))
      assert.ok(
        (await peer.client.listResourceTemplates()).resourceTemplates.some(
          ({ uriTemplate }) => uriTemplate === 'test://template/{id}/data',
        ),
      )
      const [part] = (await peer.client.readResource({ uri: 'test://static-text' })).contents
      assert.equal(part && 'text' in part && part.text, 'Text that never changes.')
    },
  },
  {
    says: 'progress arrives in order, under the client’s own token (61)',
    async run(peer) {
      const before = peer.progress.length
      await peer.call('test_tool_with_progress', {}, { onprogress: () => undefined })
      const seen = peer.progress.slice(before)
      assert.deepEqual(
        seen.map(({ progress }) => progress),
        [0, 50, 100],
      )
      assert.equal(new Set(seen.map(({ progressToken }) => progressToken)).size, 1)
      const quiet = peer.progress.length
      await peer.call('test_tool_with_progress')
      assert.equal(peer.progress.length, quiet, 'nobody asked for it')
    },
  },
  {
    says: 'log messages come to a modern client only with a request that asks for them (62)',
    async run(peer) {
      const before = logs(peer).length
      if (peer.era === 'modern') {
        await peer.call('test_tool_with_logging')
        assert.equal(logs(peer).length, before)
        await peer.call('test_tool_with_logging', {}, { logLevel: 'info' })
      } else {
        await peer.client.setLoggingLevel('info')
        await peer.call('test_tool_with_logging')
      }
      await until('three log messages', () => logs(peer).length >= before + 3)
      assert.deepEqual(logs(peer).slice(before), ['Started', 'Half way', 'Finished'])
    },
  },
  {
    says: 'a cancelled call is cancelled at the server, and nothing else is (58, 59, 80)',
    async run(peer) {
      const [given, kept] = [`call-${++calls}`, `call-${++calls}`]
      const [stop, later] = [new AbortController(), new AbortController()]
      const witness = async (): Promise<readonly string[]> => JSON.parse((await peer.call('witness')).text) as string[]
      const call = peer.call('wait', { name: given }, { signal: stop.signal })
      const other = peer.call('wait', { name: kept }, { signal: later.signal })
      other.catch(() => undefined)
      try {
        await until('both calls are under way', async () => {
          const seen = await witness()
          return seen.includes(`began ${given}`) && seen.includes(`began ${kept}`)
        })
        stop.abort()
        await assert.rejects(within(5000, 'the call ends', call))
        await until('the server has heard of it', async () => (await witness()).includes(`cancelled ${given}`), 5000)
        assert.ok(!(await witness()).includes(`cancelled ${kept}`))
      } finally {
        stop.abort()
        later.abort()
      }
      await assert.rejects(other)
    },
  },
  ...(
    [
      ['sampling', 'test_sampling', /The model says yes/],
      ['elicitation', 'test_elicitation', /ada/],
      ['roots', 'test_input_required_result_list_roots', /file:\/\/\/home\/ada/],
    ] as const
  ).map(([word, tool, answer]) => ({
    says: `the server asks for ${word} and gets the client’s answer (48-50, 53)`,
    async run(peer: Peer) {
      const before = peer.asked.length
      const { text, isError } = await within(10_000, tool, peer.call(tool, { prompt: 'Yes?', message: 'Who?' }))
      assert.equal(isError, false, text)
      assert.match(text, answer)
      assert.deepEqual(peer.asked.slice(before), [word])
    },
  })),
  {
    says: 'changes of lists and resources are heard of (55)',
    async run(peer) {
      const heard = (method: string) => peer.notices.filter((notice) => notice.method === method)
      await peer.follow(watched)
      await until('a changed list is heard of', async () => {
        const before = heard('notifications/tools/list_changed').length
        await peer.call('test_trigger_tool_change')
        return until('', () => heard('notifications/tools/list_changed').length > before, 1000).catch(() => false)
      })
      const before = heard('notifications/resources/updated').length
      await peer.call('test_trigger_resource_change')
      await until('a changed resource is heard of', () => heard('notifications/resources/updated').length > before)
      assert.equal(heard('notifications/resources/updated').at(-1)?.params['uri'], watched)
    },
  },
]
