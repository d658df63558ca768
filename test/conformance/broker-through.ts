/**
 * The client of the suite through Sekisho, where Sekisho and not the client is the OAuth client: the credential broker meets
 * the suite's authorization servers. A browser is played by a fetch that follows the redirects back to us. What the suite
 * supplies in MCP_CONFORMANCE_CONTEXT is what an operator would have configured.
 */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { readEnvironment } from '../../src/config/environment.ts'
import { parseConfig } from '../../src/config/load.ts'
import { openGateway } from '../../src/gateway.ts'
import { openLocalConsent } from '../../src/outbound/credentials/local-consent.ts'
import { configFor } from '../e2e/support/yard.ts'
import { play } from './client.ts'

process.once('SIGTERM', () => process.exit(143))

/** The URL that the suite looks for; it is never fetched. */
const clientMetadataUrl = 'https://conformance-test.local/client-metadata.json'

const url = process.argv.at(-1)!
const scenario = process.env['MCP_CONFORMANCE_SCENARIO'] ?? ''
const given = JSON.parse(process.env['MCP_CONFORMANCE_CONTEXT'] ?? '{}') as Record<string, string>
const folder = await mkdtemp(join(tmpdir(), 'sekisho-broker-'))
const tokenFile = join(folder, 'workload.jwt')
await writeFile(tokenFile, given['valid_jwt'] ?? 'none')

const secrets = { CLIENT_SECRET: given['client_secret'] ?? '', PRIVATE_KEY: given['private_key_pem'] ?? '' }
const clientId = given['client_id']
const clientSecret = 'env:CLIENT_SECRET'

/** An operator knows the authorization server of a client that was registered there; the suite leaves it to be found. */
async function issuer(): Promise<string> {
  const place = new URL('/.well-known/oauth-protected-resource/mcp', url)
  const { authorization_servers: servers } = (await (await fetch(place)).json()) as { authorization_servers: [string] }
  return servers[0]
}

const credentials: Readonly<Record<string, () => Promise<object>>> = {
  'auth/pre-registration': async () => ({ kind: 'oauth', clientId, clientSecret, issuer: given['issuer'] }),
  'auth/client-credentials-basic': async () => ({ kind: 'client-credentials', clientId, clientSecret, issuer: await issuer() }),
  'auth/client-credentials-jwt': async () => ({
    kind: 'client-credentials',
    clientId,
    privateKey: 'env:PRIVATE_KEY',
    algorithm: given['signing_algorithm'],
    issuer: await issuer(),
  }),
  'auth/wif-jwt-bearer': async () => ({ kind: 'workload-identity', use: 'grant', tokenFile, clientId, issuer: await issuer() }),
  'auth/enterprise-managed-authorization': async () => ({
    kind: 'id-jag',
    clientId,
    clientSecret,
    issuer: await issuer(),
    idp: {
      clientId: given['idp_client_id'],
      clientSecret,
      authMethod: 'client_secret_post',
      tokenUrl: given['idp_token_endpoint'],
    },
  }),
}

/** Where something is wrong on purpose, the call has to end in just this. */
const refusals: Readonly<Record<string, string>> = {
  'auth/scope-retry-limit': 'CREDENTIAL_REFUSED',
  'auth/resource-mismatch': 'CREDENTIAL_UNAVAILABLE',
  'auth/metadata-issuer-mismatch': 'CREDENTIAL_UNAVAILABLE',
  'auth/iss-supported-missing': 'CONNECT_REFUSED',
  'auth/iss-wrong-issuer': 'CONNECT_REFUSED',
  'auth/iss-unexpected': 'CONNECT_REFUSED',
  'auth/iss-normalized': 'CONNECT_REFUSED',
}

const credential = (await credentials[scenario]?.()) ?? { kind: 'oauth' }
const document = configFor({ fixture: { url, trust: 'trusted', credential } })
const config = parseConfig(JSON.stringify(document), folder, readEnvironment({ ...process.env, ...secrets }))
const kept = new Map<string, string>()
const consent = await openLocalConsent({
  open: async (page) => void (await fetch(page)),
  say: (line) => process.stderr.write(`${line}\n`),
})
const gateway = await openGateway({
  config,
  credentials: {
    wayOut: () => (place, init) => fetch(place, init), // the suite's servers are on loopback, and not in the configuration
    store: {
      get: async (key) => kept.get(JSON.stringify(key)),
      put: async (key, value) => void kept.set(JSON.stringify(key), value),
      delete: async (key) => void kept.delete(JSON.stringify(key)),
    },
    consent: { ...consent, clientMetadataUrl },
    subjectToken: async () =>
      given['idp_id_token'] === undefined ? undefined : { token: given['idp_id_token'], type: 'id_token' },
  },
  tell: (event) => {
    if (event.kind !== 'outcome') process.stderr.write(`${JSON.stringify(event)}\n`)
  },
})
try {
  const { mcp } = await gateway.listen()
  const played = play(`http://127.0.0.1:${mcp.port}/fixture/mcp`)
  const wanted = refusals[scenario]
  if (wanted === undefined) await played
  else await assert.rejects(played, (error) => inspect(error, { depth: 9 }).includes(wanted))
} finally {
  await gateway.close()
  await consent.close()
  await rm(folder, { recursive: true, force: true })
}
