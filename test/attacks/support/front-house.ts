/**
 * The authorization server as it is wired in the gateway (the door, the front, the check of its tokens), with a clock that a
 * test can put forward and a way out to this machine: https at gateway.test, before the stand-in of Entra.
 */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createPlainServer } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Agent, fetch as undiciFetch } from 'undici'
import { type Front, openFront } from '../../../src/identity/front/front.ts'
import { type Identity, identityOf } from '../../../src/identity/identity.ts'
import { Revocations } from '../../../src/identity/revocations.ts'
import { type AuthorizationServerConfig, identitySchema } from '../../../src/identity/schema.ts'
import { HostCheck } from '../../../src/inbound/host-check.ts'
import { withSideDoor } from '../../../src/inbound/side-door.ts'
import type { Clock } from '../../../src/lib/clock.ts'
import { Secret } from '../../../src/lib/secret.ts'
import { openStore, type Store } from '../../../src/storage/embedded.ts'
import { type KeyRing, keyRing } from '../../../src/vault/key-file.ts'
import { type CertificateAuthority, certificateAuthority } from '../../stand-ins/certificates.ts'
import { adjustableClock, type StandInClock } from '../../stand-ins/clock.ts'
import { ada, contoso } from '../../stand-ins/entra/contoso.ts'
import { type Entra, startEntra } from '../../stand-ins/entra/entra.ts'

export { until } from '../../e2e/support/until.ts'

export type Fetch = (url: string | URL, init?: object) => Promise<Response>

export interface FrontHouse {
  /** Our issuer: https://gateway.test:PORT. */
  readonly base: string
  readonly front: Front
  readonly store: Store
  /** Of the key that the front seals with. */
  readonly seals: KeyRing
  /** Takes over what was revoked in the store, as the gateway does when it changes. */
  obey(): Promise<void>
  readonly entra: Entra
  /** Ours; the provider and the library go by the machine's, so what they date is never late. */
  readonly clock: StandInClock
  readonly certificates: CertificateAuthority
  /** What was written down, `action principal detail`. */
  readonly notes: readonly string[]
  readonly errors: readonly unknown[]
  /** For whoever makes a client. */
  readonly hints: readonly string[]
  /** Every name is this machine; our authority is trusted. */
  readonly fetch: Fetch
  /** Who an access token is of at a server, or why it is refused. */
  whoIs(token: string, server?: string): Promise<string>
  close(): Promise<void>
}

export const gatewayApp = {
  clientId: '33333333-0000-4000-8000-00000000000a',
  tenant: contoso,
  name: 'Sekisho',
  secrets: ['secret-of-the-gateway~1'],
  groupClaims: 'sources',
} as const
export const bob = { ...ada, oid: '44444444-0000-4000-8000-00000000000b', name: 'Bob Writer', username: 'bob@contoso.test' }

export interface FrontHouseOptions {
  /** Of `identity`, besides the provider. */
  readonly changes?: object
  readonly registration?: object
  /** Hosts of client id metadata documents, served here with a certificate of `certificates`. */
  readonly documents?: readonly string[]
  readonly certificates?: CertificateAuthority
  /** Further addresses of the app at the provider. */
  readonly callbacks?: readonly string[]
  /** Awaited before the provider is asked about somebody again. */
  readonly beforeAsking?: () => Promise<void>
  /** False: plain http on loopback, where cookies have no prefix. */
  readonly isSecure?: boolean
  readonly waitingMax?: number
}

export async function openFrontHouse({
  changes = {},
  registration = {},
  documents = [],
  callbacks = [],
  certificates = certificateAuthority(),
  beforeAsking = async () => undefined,
  isSecure = true,
  waitingMax,
}: FrontHouseOptions = {}): Promise<FrontHouse> {
  const folder = mkdtempSync(join(tmpdir(), 'sekisho-front-'))
  const ca = join(folder, 'ca.pem')
  writeFileSync(ca, certificates.cert)
  const toUs = (_host: string, _options: object, found: (error: null, addresses: object[]) => void): void =>
    found(null, [{ address: '127.0.0.1', family: 4 }])
  const agent = new Agent({ connect: { ca: certificates.cert, lookup: toUs as never } })
  const fetchHere: Fetch = async (url, init) =>
    (await undiciFetch(url, { ...init, dispatcher: agent } as never)) as unknown as Response

  let serve: Parameters<typeof createServer>[1] = (_request, response) => void response.writeHead(503).end()
  const handler: typeof serve = (request, response) => serve?.(request, response)
  const server = isSecure
    ? createServer(certificates.issue('gateway.test', { hosts: ['gateway.test'] }), handler)
    : createPlainServer(handler)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const base = isSecure ? `https://gateway.test:${port}` : `http://127.0.0.1:${port}`

  const clock = adjustableClock()
  const ticking: Clock = { now: clock.now, monotonic: clock.now }
  const entra = await startEntra({
    tenants: [{ id: contoso, name: 'Contoso', domain: 'contoso.test' }],
    apps: [{ ...gatewayApp, redirectUris: { web: [`${base}/oauth/callback`, ...callbacks] } }],
    users: [ada, bob],
    authority: certificates,
  })
  const parsed = identitySchema.parse({
    mode: 'authorization-server',
    ...changes,
    registration: { perHour: 10_000, ca, metadataDocuments: documents.length > 0 ? documents : 'any', ...registration },
    provider: { kind: 'entra', tenant: contoso, authority: entra.url, clientId: gatewayApp.clientId, ca },
  }) as AuthorizationServerConfig
  const provider = { ...parsed.provider, clientSecret: new Secret('env:SECRET', gatewayApp.secrets[0]) }
  const config = { ...parsed, provider } as AuthorizationServerConfig
  const store = await openStore('sqlite::memory:', ticking)
  const seals = keyRing(randomBytes(32))
  const revoked = new Revocations()
  const obey = async (): Promise<void> => {
    revoked.replace(await store.revocations())
    await front.review()
  }
  const [notes, hints, errors]: [string[], string[], unknown[]] = [[], [], []]
  const failed = (error: unknown): void => void errors.push(error)
  const tokens = new Map<string, string>()
  const front = await openFront({
    config,
    base,
    store,
    seals,
    clock: ticking,
    proxy: {},
    revoke: async (holder, by, reason) => {
      await store.revoke('holder', holder, by, reason)
      revoked.replace(await store.revocations())
    },
    isRevoked: (issued) => revoked.covers(issued),
    tokens: {
      async get({ owner }) {
        await beforeAsking()
        return tokens.get(owner)
      },
      put: async ({ owner }, value) => void tokens.set(owner, value),
      delete: async ({ owner }) => tokens.delete(owner),
    },
    ...(waitingMax !== undefined && { waitingMax }),
    connections: { has: () => true, begin: async () => base, complete: async () => 'x' },
    note: async (action, principal, detail) => void notes.push(`${action} ${principal} ${detail}`),
    noteStranger: (action, detail, remote) => void notes.push(`${action} unidentified ${detail} ${remote}`),
    isServer: (id) => id !== 'nowhere',
    failed,
    hint: (line) => void hints.push(line),
  })
  const identity: Identity = identityOf({
    config,
    clock: ticking,
    proxy: {},
    base: () => base,
    isRevoked: (principal) => revoked.has(principal),
    ownTokens: () => front.issuer,
    ownSubjectToken: (account) => front.subjectToken(account),
    failed,
  })
  const hosts = new HostCheck({
    listen: { host: '127.0.0.1', port },
    publicUrl: base,
    allowedHosts: [],
    allowedOrigins: [],
    trustedProxies: [],
    secure: isSecure,
  })
  serve = withSideDoor({
    hosts,
    side: () => front,
    main: (_request, response) => void response.writeHead(404).end(),
    failed,
    turnedAway: ({ code }, remote) => void notes.push(`turned-away ${remote} ${code}`),
  })
  return {
    base,
    front,
    store,
    seals,
    obey,
    entra,
    clock,
    certificates,
    notes,
    errors,
    hints,
    fetch: fetchHere,
    async whoIs(token, server = 'x') {
      const request = { method: 'POST', path: `/${server}/mcp`, certificateThumbprint: () => undefined }
      try {
        return (await identity.identify({ headers: { authorization: `Bearer ${token}` }, entrance: server, request })).id
      } catch (error) {
        return (error as { readonly code?: string }).code ?? String(error)
      }
    },
    async close() {
      front.close()
      await Promise.all([entra.close(), agent.destroy()])
      await new Promise((resolve) => {
        server.close(resolve)
        server.closeAllConnections()
      })
      await store.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
