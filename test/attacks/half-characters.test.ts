/**
 * Names that no two programs write alike: half a surrogate pair has no UTF-8, so what is stored under such a name comes back under
 * another. Nothing is listed, pinned or called under one, in both eras, and the entries beside it are as they were.
 */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, describe, it } from 'node:test'
import { Legacy, modern } from './support/client.ts'
import { type Echo, echo, type Json, saying, tool } from './support/echo.ts'
import { codeOf, httpServer, open, passed, recordOf, until, yard } from './support/house.ts'

const house = yard()
const upstreams: Echo[] = []
after(async () => {
  await house.close()
  await Promise.all(upstreams.map((one) => one.close()))
})

const half = 'add\ud800'
const listed: Readonly<Record<string, readonly [items: string, key: string, entries: readonly Json[]]>> = {
  'tools/list': ['tools', 'name', [tool('add'), tool(half)]],
  'prompts/list': ['prompts', 'name', [{ name: 'add' }, { name: half }]],
  'resources/list': ['resources', 'uri', [{ uri: 'x://add' }, { uri: `x://${half}` }].map((one) => ({ name: 'n', ...one }))],
}
const lasting = { ttlMs: 0, cacheScope: 'private' }
const capabilities = { tools: {}, prompts: {}, resources: {} }

for (const era of ['modern', 'legacy'] as const)
  describe(`${era}: a name with half a character`, () => {
    it('is left out, is not pinned, and cannot be called', async () => {
      const answers = Object.entries(listed).map(([method, [items, , entries]]) => [
        method,
        () => ({ [items]: entries, ...lasting }),
      ])
      const introduction =
        era === 'legacy'
          ? { protocolVersion: '2025-11-25', serverInfo: { name: 'acme', version: '1' }, capabilities }
          : { resultType: 'complete', supportedVersions: ['2026-07-28'], capabilities, ...lasting }
      const upstream = await echo({
        era,
        answers: {
          ...Object.fromEntries(answers),
          [era === 'legacy' ? 'initialize' : 'server/discover']: () => introduction,
          'tools/call': () => saying('done'),
        },
      })
      upstreams.push(upstream)
      const gateway = await house.gateway(open({ acme: httpServer(upstream, era) }, { guards: [], pins: { recheckSeconds: 0 } }))
      const url = `${gateway.url}/acme/mcp`
      const session = era === 'legacy' ? await Legacy.open(url) : undefined
      const ask = (method: string, params: Json = {}) => session?.call(method, params) ?? modern(url, method, params)

      for (const [method, [items, key, entries]] of Object.entries(listed)) {
        const shown = passed(await ask(method))[items] as readonly Json[]
        assert.deepEqual(
          shown.map((entry) => entry[key]),
          [entries[0]?.[key]],
        )
      }
      assert.equal(codeOf(await ask('tools/call', { name: half, arguments: {} })), 'INVALID_PARAMS')
      passed(await ask('tools/call', { name: 'add', arguments: {} }))
      await until('it stands in the record', () => JSON.stringify(recordOf(gateway)).includes('half a surrogate pair'))
      assert.doesNotMatch(JSON.stringify(recordOf(gateway)), /pins\.forged/)
      assert.deepEqual(pinnedNames(gateway.folder), ['add', 'add', 'x://add'])
    })
  })

function pinnedNames(folder: string): readonly unknown[] {
  const data = join(folder, 'data')
  assert.ok(readdirSync(data).includes('sekisho.db'))
  const database = new DatabaseSync(join(data, 'sekisho.db'), { readOnly: true })
  try {
    const rows = database.prepare(`SELECT name FROM pins WHERE kind IN ('tool', 'prompt', 'resource') ORDER BY name`).all()
    return rows.map(({ name }) => name)
  } finally {
    database.close()
  }
}
