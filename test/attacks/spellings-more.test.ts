/** URIs that climb out of the allowed folder by what URL parsers drop (tabs, line breaks) or by what naive ones do not split (`?`, `#`). */
import assert from 'node:assert/strict'
import { resolve } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { glob } from '../../src/lib/glob.ts'
import { Legacy, modern } from './support/client.ts'
import { type Echo, echo, type Turn } from './support/echo.ts'
import { httpServer, open, refused, yard } from './support/house.ts'

const house = yard()
const rules = [{ effect: 'allow', server: 'x', resources: ['file:///workspace/*'] }]
let upstream: Echo
let url: string
/** A server with `new URL`, and one that cuts the scheme off and resolves the rest: both are common. */
const readers: readonly ((uri: string) => string)[] = [
  (uri) => new URL(uri).pathname,
  (uri) => resolve(uri.slice('file://'.length).replaceAll('%2e', '.')),
]
before(async () => {
  upstream = await echo({
    answers: {
      'resources/read': ({ params }: Turn) => ({
        contents: readers.map((read) => ({ uri: params['uri'], text: `contents of ${read(String(params['uri']))}` })),
      }),
    },
  })
  url = (await house.gateway(open({ x: httpServer(upstream) }, { roles: { all: rules } }))).url
})
after(async () => {
  await house.close()
  await upstream.close()
})
const uris = [
  'file:///workspace/.\t./etc/passwd',
  'file:///workspace/.\n./etc/passwd',
  'file:///workspace/.\r.\t/etc/passwd',
  'file:///workspace/.%\t2e/etc/passwd',
  'file:///workspace/\t../etc/passwd',
  'file:///workspace/x?/../../etc/passwd',
  'file:///workspace/x#/../../etc/passwd',
  'file:///workspace/x?/%2e%2e/%2e%2e/etc/passwd',
]
it('the exploit: servers read them as /etc/passwd', () => {
  for (const uri of uris) {
    assert.ok(glob('file:///workspace/*')(uri))
    assert.ok(
      readers.some((read) => read(uri) === '/etc/passwd'),
      `${JSON.stringify(uri)} ${readers.map((read) => read(uri))}`,
    )
  }
})
describe('a URI is decided on as it may be resolved', () => {
  for (const uri of uris)
    it(JSON.stringify(uri), async () => {
      const got = await modern(`${url}/x/mcp`, 'resources/read', { uri })
      refused(got, 200, 'POLICY_DENIED', /does not allow/)
      refused(await (await Legacy.open(`${url}/x/mcp`)).call('resources/read', { uri }), 200, 'POLICY_DENIED', /does not allow/)
    })
})
