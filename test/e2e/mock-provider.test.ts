/**
 * AUTH-C6, POS-C7: tokens of a provider that somebody else wrote (oauth2-mock-server), found by its own metadata, with the
 * claims that a test puts into them; and its keys as it rolls them.
 */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { OAuth2Server } from 'oauth2-mock-server'
import { modern } from '../attacks/support/client.ts'
import { type Echo, echo } from '../attacks/support/echo.ts'
import { httpServer, open, passed, yard } from '../attacks/support/house.ts'

const house = yard()
const provider = new OAuth2Server()
let upstream: Echo
let url: string

before(async () => {
  await provider.issuer.keys.generate('RS256')
  await provider.start(0, '127.0.0.1')
  upstream = await echo()
  const issuer = String(provider.issuer.url)
  const identity = {
    mode: 'resource-server',
    provider: { kind: 'oidc', issuer, groupsClaim: 'teams' },
    audience: 'api://sekisho',
  }
  const roles = { reader: [{ effect: 'allow', server: 'x', tools: ['read_*'] }] }
  url = (
    await house.gateway(
      open({ x: httpServer(upstream, 'modern') }, { identity, roles, bindings: [{ role: 'reader', group: 'a' }] }),
    )
  ).url
})
after(async () => {
  await house.close()
  await Promise.all([upstream.close(), provider.stop()])
})

/** A token with these claims in place of the usual ones. */
const token = (claims: object = {}): Promise<string> =>
  provider.issuer.buildToken({
    scopesOrTransform: (_header, payload) =>
      Object.assign(payload, { aud: 'api://sekisho', sub: 'ada', client_id: 'c', teams: ['a'] }, claims),
  })
const call = async (bearer: string, name = 'read_note') =>
  modern(`${url}/x/mcp`, 'tools/call', { name, arguments: {} }, { token: bearer })

describe('tokens of an independent provider', () => {
  for (const [says, claims] of [
    ['another audience', { aud: 'api://other' }],
    ['another issuer', { iss: 'http://127.0.0.1:1' }],
    ['expired', { exp: 1 }],
    ['no subject', { sub: undefined }],
  ] as const)
    it(`refused: ${says}`, async () => assert.equal((await call(await token(claims))).status, 401))

  it('a token of nobody’s team may nothing', async () => {
    assert.match((await call(await token({ teams: ['b'] }))).text, /POLICY_DENIED/)
  })

  it('a member may what the role of the team allows, and no more', async () => {
    passed(await call(await token()))
    assert.match((await call(await token(), 'write_note')).text, /POLICY_DENIED/)
  })

  it('a key that the provider has just made is found', async () => {
    await provider.issuer.keys.generate('ES256')
    const kid = provider.issuer.keys.toJSON().at(-1)?.kid as string
    const fresh = await provider.issuer.buildToken({
      kid,
      scopesOrTransform: (_header, payload) =>
        Object.assign(payload, { aud: 'api://sekisho', sub: 'ada', client_id: 'c', teams: ['a'] }),
    })
    passed(await call(fresh))
  })
})
