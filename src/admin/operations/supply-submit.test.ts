import assert from 'node:assert/strict'
import { resolve } from 'node:path'
import test, { after, afterEach } from 'node:test'
import { startGithub } from '../../../test/stand-ins/github.ts'
import { parseConfig } from '../../config/load.ts'
import { safeFetch } from '../../lib/safe-fetch.ts'
import { Secret } from '../../lib/secret.ts'
import { supplySubmit } from './supply-submit.ts'

const github = await startGithub([
  { name: 'acme/gateway', token: 'writer' },
  { name: 'acme/other', token: 'reader', permission: 'read' },
])
after(() => github.close())
afterEach(() => github.heal())
const config = parseConfig(
  `servers:
  files: { command: [npx, "@scope/server@1.2.3"] }
  fetch: { command: [uvx, mcp-server-fetch==1.0] }
  open: { command: [npx, whatever] }
components: [{ kind: model, name: embedder, version: "1" }]`,
  '/srv',
)
const now = Date.parse('2026-11-20T10:00:00Z')
const reach = safeFetch({ trustedOrigins: [github.url] })
const submit = (more: object = {}, lockFiles: readonly string[] = []) =>
  supplySubmit(
    { config, lockFiles, reach, now },
    {
      ...{ repository: 'acme/gateway', sha: 'a'.repeat(40), ref: 'refs/heads/main', correlator: 'ci_supply' },
      ...{ api: github.url, token: new Secret('env:GITHUB_TOKEN', 'writer'), ...more },
    },
  )

const refused: readonly [what: string, more: object, why: RegExp][] = [
  ['a token that is none', { token: new Secret('env:X', 'stranger') }, /refused the snapshot \(401\): Bad credentials/],
  ['a repository that is not there', { repository: 'acme/nowhere' }, /\(404\)/],
  ['a token that may only read', { repository: 'acme/other', token: new Secret('env:X', 'reader') }, /\(403\)/],
  ['half a commit', { sha: 'abc' }, /no whole commit/],
  ['a branch without its path', { ref: 'main' }, /no reference/],
  ['a path for a repository', { repository: '../../user' }, /no repository/],
]
for (const [what, more, why] of refused) test(`refused: ${what}`, () => assert.rejects(submit(more), why))

test('refused: while GitHub has enough, and no token in what is said', async () => {
  github.fail('snapshots', { status: 429, retryAfterSeconds: 60 })
  await assert.rejects(submit(), (error: Error) => /429/.test(error.message) && !/writer/.test(error.message))
})

test('packages with a version are sent, and nothing else; the latest snapshot counts', async () => {
  const first = await submit()
  assert.deepEqual([first.result, first.packages, first.manifests], ['SUCCESS', 2, ['sekisho.yaml']])
  const { manifests } = github.snapshots.get('ci_supply sekisho') ?? {}
  assert.deepEqual(Object.keys(manifests?.['sekisho.yaml']?.resolved ?? {}).sort(), [
    'pkg:npm/%40scope/server@1.2.3',
    'pkg:pypi/mcp-server-fetch@1.0',
  ])
  await submit()
  assert.equal(github.snapshots.size, 1)
})

test('our own lock file, whole', async () => {
  const { packages, manifests } = await submit({}, [resolve(import.meta.dirname, '../../../package-lock.json')])
  assert.ok(packages > 500)
  assert.deepEqual(manifests, ['package-lock.json', 'sekisho.yaml'].sort())
})
