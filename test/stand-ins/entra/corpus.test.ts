/** The corpus is right when a plain verifier, written from the documents with jose, refuses all of it and lets the sound one in. */
import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { ada, company, contoso, crm, desktop, fabrikam, fay, gateway, single } from './contoso.ts'
import { corpus } from './corpus.ts'
import { startEntra } from './entra.ts'
import { referenceFor, strictly } from './reference.ts'

const entra = await startEntra({ ...company, plainHttpOnLoopback: true })
after(() => entra.close())
const { sound, specimens } = corpus(entra, {
  ...{ api: gateway.clientId, client: desktop.clientId, otherApi: crm.clientId, otherClient: single.clientId },
  ...{ user: ada.oid, tenant: contoso, otherTenant: fabrikam, otherUser: fay.oid },
})
const verify = referenceFor(entra, { tenant: contoso, api: gateway.clientId, client: desktop.clientId, scope: 'mcp.access' })

describe('every specimen is refused', () => {
  for (const { name, token, rule } of specimens)
    it(rule === undefined ? name : `${name}: ${rule}`, async () => {
      if (rule === undefined) await assert.rejects(verify(token))
      else {
        await verify(token)
        assert.throws(() => strictly(token))
      }
    })
})

it('what they began as is let in', async () => {
  assert.equal((await verify(sound))['oid'], ada.oid)
  strictly(sound)
})

it('there are sixty and more, each with a name and a token of its own', () => {
  assert.ok(specimens.length >= 60, `only ${specimens.length}`)
  assert.equal(new Set(specimens.map(({ name }) => name)).size, specimens.length)
  assert.equal(new Set([sound, ...specimens.map(({ token }) => token)]).size, specimens.length + 1)
})
