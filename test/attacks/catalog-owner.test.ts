/** `Mcp-Param-*` against the arguments, for the second principal at a server whose link all principals share. */
import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { modern } from './support/client.ts'
import { type Echo, echo, tool } from './support/echo.ts'
import { codeOf, httpServer, keyed, open, passed, yard } from './support/house.ts'

const house = yard()
const { identity, bindings, tokens } = keyed(['alice', 'mallory'])
let upstream: Echo
let url: string
before(async () => {
  const inputSchema = { type: 'object', properties: { region: { type: 'string', 'x-mcp-header': 'Region' } } }
  upstream = await echo({ tools: [tool('deploy', { inputSchema })] })
  url = (await house.gateway(open({ x: httpServer(upstream) }, { identity, bindings }))).url
})
after(async () => {
  await house.close()
  await upstream.close()
})

for (const who of ['alice', 'mallory'])
  it(`a header that contradicts the body does not reach the server: ${who}`, async () => {
    const token = tokens[who]
    passed(await modern(`${url}/x/mcp`, 'tools/list', {}, { token }))
    const got = await modern(
      `${url}/x/mcp`,
      'tools/call',
      { name: 'deploy', arguments: { region: 'us' } },
      { token, headers: { 'mcp-param-region': 'eu' } },
    )
    const last = upstream.heard.at(-1)
    assert.equal(
      codeOf(got),
      'HEADER_MISMATCH',
      `${got.status} ${got.text}\nthe server got: ${last?.headers['mcp-param-region']} / ${last?.body}`,
    )
  })
it('and a derived header is sent for the second principal too', async () => {
  await modern(
    `${url}/x/mcp`,
    'tools/call',
    { name: 'deploy', arguments: { region: 'us' } },
    { token: tokens['mallory'], headers: { 'mcp-param-region': '=?base64?dXM=?=' } },
  )
  assert.equal(upstream.heard.at(-1)?.headers['mcp-param-region'], 'us')
})
