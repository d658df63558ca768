/**
 * One thing under another spelling: a path that climbs out of the folder a rule speaks of, a name that the server folds into the
 * one a rule denies. cves.md: the path traversal at Smithery; checklist 145. The servers here resolve and fold, as servers do.
 */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { glob } from '../../src/lib/glob.ts'
import { Legacy, modern } from './support/client.ts'
import { type Echo, echo, saying, type Turn } from './support/echo.ts'
import { httpServer, open, passed, refused, yard } from './support/house.ts'

const house = yard()
const rules = [
  { effect: 'allow', server: 'x', tools: ['*'], resources: ['file:///workspace/*'] },
  { effect: 'deny', server: 'x', tools: ['delete*'], resources: ['file:///workspace/secret*'] },
]
let upstream: Echo
let url: string

before(async () => {
  upstream = await echo({
    answers: {
      'resources/read': ({ params }: Turn) => {
        const { pathname } = new URL(decodeURIComponent(String(params['uri'])))
        return { contents: [{ uri: params['uri'], text: `contents of ${pathname}` }] }
      },
      'tools/call': ({ params }: Turn) => saying(`ran ${String(params['name']).normalize('NFKC').trim().toLowerCase()}`),
    },
  })
  url = (await house.gateway(open({ x: httpServer(upstream) }, { roles: { all: rules } }))).url
})
after(async () => {
  await house.close()
  await upstream.close()
})

const uris = [
  'file:///workspace/../etc/passwd',
  'file:///workspace/a/../../etc/passwd',
  'file:///workspace/%2e%2e/etc/passwd',
  'file:///workspace/..%2fetc%2fpasswd',
  'file:///workspace/%2E%2E%2Fetc%2Fpasswd',
  'file:///workspace\\..\\..\\etc\\passwd',
  'file:///workspace/..\\etc\\passwd',
  'file:///workspace/./../etc/passwd',
  'file:///workspace/a/../secret.txt',
  'file:///workspace/%73ecret.txt',
]
const names = ['DELETE_all', 'Delete_all', '\uff44elete_all', ' delete_all', '\u{1d41d}elete_all']

it('the exploit: a gateway that compares texts lets the server read and run what no rule allows', async () => {
  const isAllowed = (uri: string): boolean => glob('file:///workspace/*')(uri) && !glob('file:///workspace/secret*')(uri)
  const read: string[] = []
  for (const uri of uris.filter(isAllowed)) read.push((await modern(upstream.url, 'resources/read', { uri })).text)
  assert.ok(read.filter((text) => text.includes('contents of /etc/passwd')).length >= 5)
  assert.ok(read.some((text) => text.includes('contents of /workspace/secret.txt')))
  for (const name of names.filter((one) => !glob('delete*')(one)))
    assert.match((await modern(upstream.url, 'tools/call', { name })).text, /ran delete_all/)
})

describe('a URI is decided on as it stands and as it may be resolved', () => {
  for (const uri of uris)
    it(uri, async () => {
      const session = await Legacy.open(`${url}/x/mcp`)
      upstream.heard.length = 0
      refused(await modern(`${url}/x/mcp`, 'resources/read', { uri }), 200, 'POLICY_DENIED', /does not allow the resource/)
      refused(
        await modern(`${url}/mcp`, 'resources/read', { uri: `sekisho://x/${encodeURIComponent(uri)}` }),
        200,
        'POLICY_DENIED',
        /does not allow/,
      )
      for (const method of ['resources/read', 'resources/subscribe'])
        refused(await session.call(method, { uri }), 200, 'POLICY_DENIED', /does not allow/)
      assert.deepEqual(
        upstream.methods().filter((method) => method.startsWith('resources')),
        [],
      )
    })

  it('and what lies in the folder is read, as it was asked for', async () => {
    for (const uri of ['file:///workspace/a/../b.txt', 'file:///workspace/a%20b.txt', 'file:///workspace/a']) {
      passed(await modern(`${url}/x/mcp`, 'resources/read', { uri }))
      assert.ok(upstream.heard.at(-1)?.body.includes(JSON.stringify(uri)))
    }
  })
})

describe('what is denied is denied in every spelling', () => {
  for (const name of names)
    it(JSON.stringify(name), async () => {
      const before = upstream.methods().filter((method) => method === 'tools/call').length
      refused(await modern(`${url}/x/mcp`, 'tools/call', { name }), 200, 'POLICY_DENIED', /does not allow the tool/)
      assert.equal(upstream.methods().filter((method) => method === 'tools/call').length, before)
    })
})
