/**
 * How the house is wired: the only file that knows every room. It decides nothing; it hands each room what it asks for.
 */
import { hostname } from 'node:os'
import type { Readable, Writable } from 'node:stream'
import { configuredAdmission } from './admin/configured-admission.ts'
import { configuredTrust } from './admin/configured-trust.ts'
import { configuredVault } from './admin/configured-vault.ts'
import { openAudit } from './audit/audit.ts'
import type { Outcome } from './audit/entry.ts'
import { auditMetrics } from './audit/metrics.ts'
import type { AuditSink } from './audit/sink.ts'
import { syslogSink } from './audit/sinks/syslog.ts'
import { recordActs } from './audit/unrecorded-acts.ts'
import { ownFiles } from './config/own-files.ts'
import { mustBeReloadable } from './config/reloadable.ts'
import { ruleBook } from './config/rule-book.ts'
import type { Config } from './config/schema.ts'
import { ConnectLinks } from './identity/front/connect-links.ts'
import { type Front, openFront } from './identity/front/front.ts'
import { identityGuard } from './identity/guard.ts'
import { type IdentityOptions, personOf } from './identity/identity.ts'
import { ownerOf } from './identity/owner.ts'
import { Presence } from './identity/presence.ts'
import { Revocations } from './identity/revocations.ts'
import { listenAdmin } from './inbound/admin.ts'
import { AllServers } from './inbound/aggregate/all-servers.ts'
import { baseOf } from './inbound/base.ts'
import { Endpoint } from './inbound/endpoint.ts'
import { answerFetch } from './inbound/fetch.ts'
import { HostCheck } from './inbound/host-check.ts'
import { handle, type Listener, listen } from './inbound/listener.ts'
import type { Address } from './inbound/schema.ts'
import { Sessions } from './inbound/sessions.ts'
import { withSideDoor } from './inbound/side-door.ts'
import { StdioDoor } from './inbound/stdio.ts'
import { systemClock } from './lib/clock.ts'
import { fraction } from './lib/random.ts'
import { safeFetch } from './lib/safe-fetch.ts'
import { version } from './lib/version.ts'
import { limitsGuard } from './limits/guard.ts'
import { Broker, type BrokerOptions } from './outbound/credentials/broker.ts'
import { openLocalConsent } from './outbound/credentials/local-consent.ts'
import { openBrowser } from './outbound/credentials/open-browser.ts'
import { descriptionPath, pageConsent } from './outbound/credentials/page-consent.ts'
import { clientMetadata } from './outbound/credentials/registration.ts'
import { type Fetch, Upstreams } from './outbound/upstreams.ts'
import { exchange, type Frame, type Gate, type Reply } from './pipeline/exchange.ts'
import type { Guard } from './pipeline/guard.ts'
import type { Principal } from './pipeline/parcel.ts'
import type { Refusal } from './pipeline/refusal.ts'
import { route } from './pipeline/route.ts'
import { stages } from './pipeline/stages.ts'
import { policyGuard } from './policy/guard.ts'
import { openStore } from './storage/embedded.ts'
import { changedNotice, lists, nameable } from './trust/definition.ts'
import { trustGuard } from './trust/guard.ts'
import { openKeyFile } from './vault/key-file.ts'
import { needsKeyFile } from './vault/key-providers/file.ts'
import type { KeyVaultAccess } from './vault/key-providers/key-vault-client.ts'

/** What the gateway tells whoever runs it. Nothing in it is a secret. */
export type GatewayEvent =
  | { readonly kind: 'outcome'; readonly outcome: Outcome }
  | { readonly kind: 'server'; readonly server: string; readonly line: string }
  | { readonly kind: 'turned-away'; readonly code: Refusal['code']; readonly remote: string | undefined }
  | { readonly kind: 'failed'; readonly exchange: string; readonly error: unknown }

export interface GatewayOptions {
  readonly config: Config
  /** Servers in this process, by the id they have in the configuration. */
  readonly fetches?: Readonly<Record<string, Fetch>> | undefined
  /** Further checks, asked after ours, and further places for the record. */
  readonly guards?: readonly Guard[] | undefined
  readonly sinks?: readonly AuditSink[] | undefined
  /** What credentials of servers are had with, in place of the usual: a way out, a place for tokens, a browser, the caller's token. */
  readonly credentials?: Partial<Pick<BrokerOptions, 'wayOut' | 'store' | 'consent' | 'subjectToken'>> | undefined
  /** A person sits at this machine: where they have to consent, their browser is opened. Told what they have to know of it. */
  readonly desk?: { say(line: string): void } | undefined
  /** For a vault whose key is in Azure Key Vault: how it is reached and who we are there, in place of what the configuration says. */
  readonly keyVault?: KeyVaultAccess | undefined
  /** How whoever is refused something that changed is told to look at it. */
  readonly lookWith?: string | undefined
  tell?(event: GatewayEvent): void
}

export interface Gateway {
  /** Opens the sockets of `listen` and `admin`. */
  listen(): Promise<{ readonly mcp: Address; readonly admin: Address }>
  fetch(request: Request): Promise<Response>
  /** Serves one local client; settles when it has gone. `server` undefined: all servers. `saysWhy`: the client is the operator. */
  connectStdio(input: Readable, output: Writable, server?: string, more?: { readonly saysWhy?: boolean }): Promise<void>
  /** The URL at which a caller consents to our use of a server in their name. Throws a Refusal. */
  connect(server: string, principal: Principal): Promise<string>
  /** Takes what the browser of that caller came back with; answers with the server that is connected now. Throws a Refusal. */
  connected(answer: URLSearchParams, principal: Principal): Promise<string>
  /** Takes over what may change while running: servers, roles, bindings, identity, limits of callers, guards, methods. */
  reload(config: Config): Promise<void>
  close(): Promise<void>
}

const isConnectable = (server: Config['servers'][string] | undefined): boolean =>
  server !== undefined && 'credential' in server && server.credential.kind === 'oauth'
const isListening = ({ message }: Frame): boolean => message.method === 'subscriptions/listen'

export async function openGateway({
  config,
  fetches,
  credentials = {},
  guards: further = [],
  sinks: furtherSinks = [],
  desk,
  keyVault,
  lookWith = 'sekisho pins show',
  tell = () => undefined,
}: GatewayOptions): Promise<Gateway> {
  await using opened = new AsyncDisposableStack() // closed again, last first, should the rest fail
  const store = await openStore(config.store)
  opened.defer(() => store.close())
  let base = baseOf(config)
  let front: Front | undefined
  const revoked = new Revocations()
  const isRevoked = (principal: Principal): boolean => revoked.has(principal) || rules.identity.isGone(principal)
  const identityFailed = (error: unknown): void => tell({ kind: 'failed', exchange: 'identity', error })
  const identityPorts: Omit<IdentityOptions, 'config'> = {
    clock: systemClock,
    proxy: config.proxy,
    base: () => base,
    isRevoked,
    failed: identityFailed,
    ownTokens: () => {
      if (front === undefined) throw new Error('the authorization server is not open yet')
      return front.issuer
    },
    ownSubjectToken: async (account) => front?.subjectToken(account),
  }
  let rules = ruleBook(config, identityPorts)
  opened.defer(() => front?.close())
  const presence = new Presence({ clock: systemClock, isRevoked })
  opened.defer(() => presence.close())
  const keys = await openKeyFile(config.vault.keyFile, { needed: needsKeyFile(await store.vault.keys()) })
  const { vault } = configuredVault({ config, records: store.vault, keyVault })
  await vault.check()
  const metrics = auditMetrics({
    isServer: (id) => Object.hasOwn(rules.config.servers, id),
    methods: (method) => rules.methods(method),
    status: () => audit.status(),
  })
  const finished = (outcome: Outcome): void => {
    metrics.finished(outcome)
    tell({ kind: 'outcome', outcome })
  }
  const { path, anchor, excerpts, sinks } = config.audit
  const audit = await openAudit({
    path,
    anchor,
    signingKey: keys.signingKey(),
    clock: systemClock,
    sinks: [...sinks.map((sink) => syslogSink({ ...sink, appName: 'sekisho', hostname: hostname(), version })), ...furtherSinks],
    excerptBytesMax: excerpts?.bytesMax,
    finished,
  })
  opened.defer(() => audit.close())
  const listeners: Listener[] = []
  opened.defer(async () => void (await Promise.all(listeners.map((listener) => listener.close()))))

  const local = desk && (await openLocalConsent({ open: openBrowser, say: (line) => desk.say(line) }))
  opened.defer(async () => local?.close())
  const links = new ConnectLinks(keys, systemClock)
  const linkFor = (server: string, user: string): string => links.make(server, user)
  const consent = local ?? (config.identity.mode === 'authorization-server' ? pageConsent(() => base, linkFor) : undefined)
  const broker = new Broker({
    wayOut: (own) => safeFetch({ ...own, proxy: config.proxy }),
    store: vault,
    consent,
    subjectToken: (principal) => rules.identity.subjectToken(principal),
    ...credentials,
    clock: systemClock,
    random: fraction,
    log: (server, line) => tell({ kind: 'server', server, line }),
  })
  const upstreams = await Upstreams.open({
    broker,
    ...(await configuredAdmission(config, {
      log: (server, line) => tell({ kind: 'server', server, line }),
      record: (action, server, detail) => audit.event({ action, principal: 'gateway', server, detail }),
    })),
    servers: config.servers,
    fetches,
    methods: (method) => rules.methods(method),
    clock: systemClock,
    seal: keys,
    proxy: config.proxy,
    limits: config.limits,
    log: (server, line) => tell({ kind: 'server', server, line }),
    sandbox: {
      withheld: () => ownFiles(rules.config),
      publicUrl: config.publicUrl,
      ownPorts: () => listeners.map(({ address }) => address.port),
      unconfined: (server, why) => audit.event({ action: 'server.unconfined', principal: 'gateway', server, detail: why }),
      egressRefused: (server, { host, port, why, times }) => {
        const detail = `${why}${times > 1 ? `, ${times} times` : ''}`
        const event = { action: 'server.egress.refused', principal: 'gateway', server, subject: `${host}:${port}`, detail }
        void audit.event(event).catch((error: unknown) => tell({ kind: 'failed', exchange: 'sandbox', error }))
      },
    },
    reading: (server, principal, why) => audit.event({ action: 'list.read', principal, server, detail: `for ${why}` }),
  })
  const doors = new Set<StdioDoor>()
  opened.defer(async () => void (await Promise.all([upstreams.close(), ...[...doors].map((door) => door.close())])))
  const pinsConfig = () => rules.config.pins
  const { trust, next: nextTrust } = await configuredTrust({
    config: () => rules.config,
    store,
    keys,
    read: async (call, kind) => nameable(kind, await upstreams.entries(call, lists[kind].method, lists[kind].items)),
    changed: (server, kind) => upstreams.announce(server, changedNotice(kind)),
    record: (event) => audit.event(event),
    log: (server, line) => tell({ kind: 'server', server, line }),
    failed: (error) => tell({ kind: 'failed', exchange: 'pins', error }),
  })
  const own = stages({
    limits: limitsGuard({ config: () => rules.config.limits, clock: systemClock }),
    policy: policyGuard(
      () => rules.policy,
      (server, tool, annotations) => rules.classes.seen(server, tool, annotations),
    ),
    trust: trustGuard({ trust, config: pinsConfig, lookWith }),
    identity: identityGuard({ demands: () => rules.identity.demands, base: () => base, clock: systemClock }),
  })
  const guards = [...own, ...further]
  const sessions = new Sessions({
    clock: systemClock,
    ownerOf,
    isRevoked,
    endedAt: (principal) => revoked.sessionsEndedAt(principal),
  })
  /** Obeys what operators have changed in the store, and then writes down who did it. */
  const obey = async (): Promise<void> => {
    if (revoked.replace(await store.revocations())) {
      presence.review()
      sessions.review()
    }
    await upstreams.disable((await store.disabledServers()).map(({ id }) => id))
    await trust.review()
    await front?.review()
    await recordInTurn()
  }
  let recording: Promise<unknown> = Promise.resolve()
  const recordInTurn = (): Promise<unknown> => (recording = recording.catch(() => undefined).then(() => recordActs(store, audit)))
  await obey()

  const directory = {
    methods: (method: string) => rules.methods(method),
    mustServe: (server: string) => upstreams.mustServe(server),
    classOf: (server: string, _principal: unknown, tool: string) => rules.classes.classOf(server, tool),
  }
  const gate: Gate = {
    guards,
    guardTimeoutMs: config.limits.guardTimeoutMs,
    mode: (guard, server, leg) => rules.mode(guard, server, leg),
    record: (frame) => audit.record(frame),
    identify: (credentials) => rules.identity.identify(credentials),
    enter: (frame, principal) => presence.enter(principal, frame.stop, frame.act === true || isListening(frame)),
    route: (frame, principal) => route(frame, principal, directory),
    forward: (call, answers, stop) => upstreams.forward(call, answers, stop),
    failed: (error, frame) => tell({ kind: 'failed', exchange: frame.exchange, error }),
  }
  const corridor = (frame: Frame, reply: Reply): Promise<void> => exchange(frame, reply, gate)
  const allServers = new AllServers({
    methods: directory.methods,
    listCharsMax: config.limits.resultBytesMax,
    pass: corridor,
    reachable: async (frame) => {
      const principal = await rules.identity.identify(frame.credentials)
      const isEnforced = (id: string): boolean => rules.mode('policy', id, 'call') === 'enforce'
      return upstreams.ids.filter(
        (id) => !isEnforced(id) || rules.policy.decide(principal, id, 'server', undefined, 'read').allowed,
      )
    },
  })
  const pass = (frame: Frame, reply: Reply): Promise<void> =>
    frame.server === undefined && !frame.fault ? allServers.pass(frame, reply) : corridor(frame, reply)

  const doorAt = (listen: Address): HostCheck => new HostCheck({ ...config, listen, secure: config.tls !== undefined })
  let hosts = doorAt(config.listen)
  const turnedAway = ({ code }: Refusal, remote: string | undefined): void => {
    metrics.turnedAway(code)
    tell({ kind: 'turned-away', code, remote })
  }
  const endpoint = new Endpoint({
    hosts: { admit: (headers, remote) => hosts.admit(headers, remote) },
    sessions,
    methods: directory.methods,
    limits: config.limits,
    document: (path) =>
      path === descriptionPath && consent?.clientMetadataUrl ? clientMetadata(consent) : rules.identity.metadata(path),
    identify: gate.identify,
    pass,
    reads: (principal, stop) => presence.enter(principal, stop, true),
    turnedAway,
  })
  opened.defer(() => {
    sessions.close()
    endpoint.close()
  })
  opened.defer(async () => void (await recording.catch(() => undefined)))
  opened.defer(store.watch(() => void obey().catch((error: unknown) => tell({ kind: 'failed', exchange: 'store', error }))))
  const open = opened.move()

  return {
    async listen() {
      const main = handle((arrival, departure) => endpoint.answer(arrival, departure))
      const side = withSideDoor({
        hosts: { admit: (headers, remote) => hosts.admit(headers, remote) },
        side: () => front,
        main,
        failed: identityFailed,
        turnedAway,
      })
      const mcp = await listen(config.listen, config.tls, side)
      listeners.push(mcp)
      hosts = doorAt({ ...config.listen, port: mcp.address.port })
      base = baseOf(config, mcp.address.port)
      if (config.identity.mode === 'authorization-server') {
        front = await openFront({
          config: config.identity,
          base,
          store,
          seals: keys,
          clock: systemClock,
          proxy: config.proxy,
          revoke: (holder, by, reason) => store.revoke('holder', holder, by, reason),
          isRevoked: (issued) => revoked.covers(issued),
          note: (action, principal, detail) => audit.event({ action, principal, detail }),
          noteStranger: (action, detail, remote) => audit.stranger({ action, detail }, remote),
          tokens: vault,
          connections: {
            has: (id) => isConnectable(rules.config.servers[id]),
            async begin(server, account) {
              upstreams.mustServe(server)
              return broker.begin(server, personOf(account))
            },
            complete: (answer, account) => broker.complete(answer, personOf(account)),
          },
          isServer: (id) => Object.hasOwn(rules.config.servers, id),
          failed: identityFailed,
          hint: identityFailed,
        })
      }
      const admin = await listenAdmin(config.admin.listen, {
        healthy: audit.healthy,
        metrics: () => metrics.text(),
        sessions: () => sessions.list(),
      })
      listeners.push(admin)
      const adminAt = { ...config.admin.listen, port: admin.address.port }
      return { mcp: { ...config.listen, port: mcp.address.port }, admin: adminAt }
    },
    fetch: (request) => answerFetch(endpoint, request),
    async connectStdio(input, output, server, { saysWhy } = {}) {
      const door = new StdioDoor({ input, output, server, saysWhy, methods: directory.methods, limits: config.limits, pass })
      doors.add(door)
      await door.closed
      doors.delete(door)
    },
    async connect(server, principal) {
      upstreams.mustServe(server)
      return broker.begin(server, principal)
    },
    connected: (answer, principal) => broker.complete(answer, principal),
    async reload(next) {
      mustBeReloadable(config, next)
      const fresh = ruleBook(next, identityPorts, rules)
      const signed = await nextTrust(next)
      await audit.event({ action: 'config.reloaded', principal: 'operator' })
      await upstreams.serve(next.servers, () => {
        rules = fresh
        signed.obey()
      })
      presence.review()
      sessions.review()
    },
    close: () => open.disposeAsync(),
  }
}
