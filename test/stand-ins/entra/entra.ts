/**
 * A stand-in for Microsoft Entra ID, in this process and on loopback: good enough that MSAL and the Azure SDKs drive it, and
 * with levers for what a real tenant does on its worst day. It knows no passwords; never let it be reached from elsewhere.
 */
import { randomBytes, randomInt } from 'node:crypto'
import { type CertificateAuthority, certificateAuthority } from '../certificates.ts'
import { adjustableClock, type StandInClock } from '../clock.ts'
import { type Fault, type Got, type JournalEntry, json, listen, type Route } from '../listener.ts'
import { browserDoors } from './browser-doors.ts'
import { type Condition, conditions } from './conditions.ts'
import { type App, directory, isShared, type ManagedIdentity, servicePrincipalOf, type Tenant, type User } from './directory.ts'
import { grants } from './grants.ts'
import { graphError, graphPath, memberObjects } from './graph.ts'
import { type Issue, issued } from './issue.ts'
import { keySet } from './keys.ts'
import { appService, imds, type ManagedIdentitySource } from './managed-identity.ts'
import { type Issuers, metadata } from './metadata.ts'
import { Refused, refusalReply } from './refusals.ts'
import type { ResourceParameter } from './scopes.ts'
import { token } from './token.ts'
import type { World } from './world.ts'

export interface EntraOptions {
  readonly tenants: readonly Tenant[]
  readonly apps: readonly App[]
  readonly users: readonly User[]
  readonly managedIdentities?: readonly ManagedIdentity[]
  /** Groups of service principals, by client id. */
  readonly groupsOfApps?: Readonly<Record<string, readonly string[]>>
  /** `must-match` unless said otherwise. */
  readonly resourceParameter?: ResourceParameter
  readonly clock?: { now(): number }
  /** From 0 to 1. */
  readonly random?: () => number
  /** Shared, where several stand-ins are to be trusted together. */
  readonly authority?: CertificateAuthority
  /** Without TLS, for a demonstration. MSAL refuses such an authority. */
  readonly plainHttpOnLoopback?: boolean
  readonly port?: number
  readonly host?: '127.0.0.1' | 'localhost'
  /** v1 is `https://sts.windows.net/{tenantid}/` as it is in Azure; v2 is where the stand-in is. */
  readonly issuers?: Partial<Issuers>
}
export type Endpoint = 'metadata' | 'keys' | 'authorize' | 'step' | 'logout' | 'token' | 'graph' | ManagedIdentitySource

export interface Entra {
  /** Without a slash at the end. Graph is here too. */
  readonly url: string
  /** PEM of the authority to trust; empty where it speaks plain http. */
  readonly ca: string
  readonly certificates: CertificateAuthority
  readonly clock: StandInClock
  readonly issuers: Issuers
  authority(tenant: string): string
  /** The environment of a process that has a managed identity. */
  environment(source: ManagedIdentitySource): Record<string, string>
  /** Keys as they are published now. */
  jwks(version?: 1 | 2): { readonly keys: readonly Record<string, unknown>[] }
  rollKeys(how: 'overlap' | 'emergency'): void
  /** Publishes a key that may sign for another tenant only, as the consumers' keys stand among all others. Returns its id. */
  foreignIssuerKey(tenant?: string): string
  /** A token of any kind, right or wrong, signed by any of the keys. */
  issue(wanted: Issue): string
  requireClaims(condition: Condition, acrs: string): void
  block(condition: Condition): void
  clearConditions(): void
  /** By object id. */
  disableUser(oid: string): void
  enableUser(oid: string): void
  revokeSessions(oid: string): void
  fail(endpoint: Endpoint, fault: Fault): void
  heal(endpoint?: Endpoint): void
  /** In the order in which they were answered; requests for managed identities stand after the others. */
  journal(endpoint?: Endpoint): readonly JournalEntry[]
  close(): Promise<void>
}

/** The audience of tokens for Azure Key Vault. */
export const vaultAudience = 'https://vault.azure.net'

/** The consumers' tenant (personal accounts). */
export const consumers = '9188040d-6c67-4c5b-b112-36a304b66dad'

const anyTenant = '{tenantid}'
const steps = { login: 'login', 'SAS/ProcessAuth': 'approve', 'Consent/Set': 'consent' } as const

export async function startEntra(options: EntraOptions): Promise<Entra> {
  const { managedIdentities = [], issuers: given = {}, host = '127.0.0.1' } = options
  const certificates = options.authority ?? certificateAuthority()
  const clock = adjustableClock(options.clock)
  // The address is known once somebody listens; nobody asks before.
  let world: World
  let doors: ReturnType<typeof browserDoors>
  const principals = new Map(
    options.tenants.flatMap(({ id }) =>
      options.apps.map((app) => [`${id}/${servicePrincipalOf(app, id)}`, options.groupsOfApps?.[app.clientId] ?? []] as const),
    ),
  )

  function route({ path, method }: Got): Route<Endpoint> | undefined {
    if (graphPath.test(path)) return { endpoint: 'graph', answer: (got) => memberObjects(world, got, principals) }
    const [, segment = '', rest = ''] = /^\/([^/]+)\/(.+)$/.exec(path) ?? []
    switch (rest) {
      case '.well-known/openid-configuration':
        return { endpoint: 'metadata', answer: () => discovered(segment, 1) }
      case 'v2.0/.well-known/openid-configuration':
        return { endpoint: 'metadata', answer: () => discovered(segment, 2) }
      case 'discovery/v2.0/keys':
        return { endpoint: 'keys', answer: () => json(world.keys.published(2)) }
      case 'discovery/keys':
        return { endpoint: 'keys', answer: () => json(world.keys.published(1)) }
      case 'oauth2/v2.0/authorize':
        return { endpoint: 'authorize', answer: (got) => doors.authorize(segment, got) }
      case 'oauth2/v2.0/token':
        return { endpoint: 'token', answer: (got) => token(world, segment, got) }
      case 'oauth2/v2.0/logout':
        return { endpoint: 'logout', answer: (got) => doors.logout(got) }
      case 'login':
      case 'SAS/ProcessAuth':
      case 'Consent/Set':
        return method === 'POST' ? { endpoint: 'step', answer: (got) => doors.step(steps[rest], got) } : undefined
      default:
        return undefined
    }
  }

  function discovered(segment: string, version: 1 | 2) {
    try {
      const tenant = isShared(segment) ? anyTenant : world.directory.tenant(segment).id
      return json(metadata(world.url, segment, tenant, version, world.minting.issuers))
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      return refusalReply(error, clock.now())
    }
  }

  const isSecure = options.plainHttpOnLoopback !== true
  const tls = isSecure ? { tls: certificates.issue('login.stand-in.test') } : {}
  const listener = await listen<Endpoint>({ route, faulty, host, port: options.port ?? 0, ...tls })
  const { url } = listener
  const issuers: Issuers = { v1: `https://sts.windows.net/${anyTenant}/`, v2: `${url}/${anyTenant}/v2.0`, ...given }
  const random = options.random ?? (() => randomInt(2 ** 32) / 2 ** 32)
  world = {
    url,
    clock,
    isSecure,
    directory: directory(options.tenants, options.apps, options.users),
    grants: grants(),
    keys: keySet(issuers.v2),
    conditions: conditions(),
    minting: { issuers, now: clock.now, random, pairwiseSecret: randomBytes(32).toString('hex') },
    resourceParameter: options.resourceParameter ?? 'must-match',
  }
  doors = browserDoors(world)

  const identitySecret = randomBytes(16).toString('hex')
  const machine = await listen<Endpoint>({
    faulty,
    route: ({ path }) => {
      if (/^\/metadata\/identity\/oauth2\/token\/?$/.test(path))
        return { endpoint: 'imds', answer: (got) => imds(world, managedIdentities, got) }
      if (path !== '/msi/token') return undefined
      return { endpoint: 'app-service', answer: (got) => appService(world, managedIdentities, identitySecret, got) }
    },
  })
  const ofMachine = (endpoint: Endpoint): boolean => endpoint === 'imds' || endpoint === 'app-service'
  const at = (endpoint: Endpoint) => (ofMachine(endpoint) ? machine : listener)

  return {
    url,
    ca: isSecure ? certificates.cert : '',
    certificates,
    clock,
    issuers,
    authority: (tenant) => `${url}/${tenant}`,
    environment: (source) =>
      source === 'imds'
        ? { AZURE_POD_IDENTITY_AUTHORITY_HOST: machine.url }
        : { IDENTITY_ENDPOINT: `${machine.url}/msi/token`, IDENTITY_HEADER: identitySecret },
    jwks: (version = 2) => world.keys.published(version),
    rollKeys: (how) => world.keys.roll(how),
    foreignIssuerKey: (tenant = consumers) => world.keys.addForeign(issuers.v2.replace(anyTenant, tenant)).kid,
    issue: (wanted) => issued(world, wanted),
    requireClaims: (condition, acrs) => world.conditions.requireClaims(condition, acrs),
    block: (condition) => world.conditions.block(condition),
    clearConditions: () => world.conditions.clear(),
    disableUser: (oid) => world.grants.disable(oid),
    enableUser: (oid) => world.grants.enable(oid),
    revokeSessions: (oid) => world.grants.revoke(oid, clock.now()),
    fail: (endpoint, fault) => at(endpoint).fail(endpoint, fault),
    heal: (endpoint) => void (endpoint === undefined ? [listener, machine] : [at(endpoint)]).map((one) => one.heal(endpoint)),
    journal: (endpoint) =>
      [...listener.journal, ...machine.journal].filter((one) => endpoint === undefined || one.endpoint === endpoint),
    close: async () => void (await Promise.all([listener.close(), machine.close()])),
  }
}

/** What each front says when it is not well. */
function faulty(status: number, endpoint: Endpoint): string {
  if (endpoint === 'graph')
    return graphError(status, status === 429 ? 'TooManyRequests' : 'ServiceUnavailable', 'Try again later.').body as string
  if (endpoint !== 'token') return JSON.stringify({ error: status === 429 ? 'too_many_requests' : 'temporarily_unavailable' })
  const error = status === 429 ? 'invalid_request' : 'temporarily_unavailable'
  return JSON.stringify({
    error,
    error_description: 'AADSTS90033: A transient error has occurred. Please try again.',
    error_codes: [90033],
  })
}
