/**
 * A client that knows nothing but what the gateway tells it: it takes the scope from the 401, logs in with it at the stand-in of
 * Entra by MSAL, and is let in; and for more it takes the scope from the 403 (2026-07-28 authorization, Scope Selection Strategy).
 */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, it } from 'node:test'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { PublicClientApplication } from '@azure/msal-node'
import { type Got, modern } from '../attacks/support/client.ts'
import { type Echo, echo, tool } from '../attacks/support/echo.ts'
import { httpServer, passed, refused, startIn } from '../attacks/support/house.ts'
import { ada, gateway as app, company, contoso, desktop } from '../stand-ins/entra/contoso.ts'
import { type Entra, startEntra } from '../stand-ins/entra/entra.ts'
import { visitor } from '../stand-ins/entra/visitor.ts'
import { configFor, Yard } from './support/yard.ts'

const yard = new Yard()
let entra: Entra
let upstream: Echo
let url: string
before(async () => {
  entra = await startEntra(company)
  upstream = await echo({ tools: [tool('read_note'), tool('write_note')] })
  const ca = join(yard.folder(), 'ca.pem')
  writeFileSync(ca, entra.ca)
  setDefaultCACertificates([...getCACertificates('default'), entra.ca])
  const identity = {
    mode: 'resource-server',
    provider: { kind: 'entra', tenant: contoso, authority: entra.url, ca },
    audience: app.clientId,
    scopes: { read: 'mcp.access', write: 'mcp.admin', destructive: 'mcp.admin' },
  }
  const server = httpServer(upstream, 'modern', { tools: { read: ['read_*'], write: ['write_*'] } })
  const bindings = [{ role: 'all', client: desktop.clientId }]
  url = `${(await startIn(yard, configFor({ x: server }, { identity, bindings }))).url}/x/mcp`
})
after(async () => {
  await yard.close()
  await Promise.all([entra.close(), upstream.close()])
})

const scopeIn = ({ headers }: Got): string => /scope="([^"]*)"/.exec(String(headers['www-authenticate']))?.[1] ?? ''
const call = (name: string, token?: string): Promise<Got> => modern(url, 'tools/call', { name, arguments: {} }, { token })

async function logIn(scope: string): Promise<string> {
  const authority = entra.authority(contoso)
  const auth = { clientId: desktop.clientId, authority, knownAuthorities: [new URL(entra.url).host] }
  const client = new PublicClientApplication({ auth })
  const asked = { scopes: scope.split(' '), redirectUri: 'http://localhost:51234' }
  const { answer } = await visitor().visit(await client.getAuthCodeUrl(asked), ada)
  assert.equal(answer.get('error_description'), null)
  return (await client.acquireTokenByCode({ ...asked, code: answer.get('code') as string })).accessToken
}

it('the scope of a 401 logs in at Entra, and that of a 403 gets more', async () => {
  const unknown = await call('read_note')
  assert.equal(unknown.status, 401)
  assert.equal(scopeIn(unknown), `api://${app.clientId}/mcp.access`)
  const reads = await logIn(scopeIn(unknown))
  passed(await call('read_note', reads))
  const more = await call('write_note', reads)
  refused(more, 403, 'INSUFFICIENT_SCOPE', /./)
  assert.equal(scopeIn(more), `api://${app.clientId}/mcp.access api://${app.clientId}/mcp.admin`)
  passed(await call('write_note', await logIn(scopeIn(more))))
})

it('the metadata of the resource lists scopes as they have to be asked for', async () => {
  const metadata = new URL('/.well-known/oauth-protected-resource/x/mcp', url)
  const { scopes_supported: scopes } = (await (await fetch(metadata)).json()) as { scopes_supported: string[] }
  assert.deepEqual(scopes, [`api://${app.clientId}/mcp.access`, `api://${app.clientId}/mcp.admin`])
})
