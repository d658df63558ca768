/**
 * The authorization server and its pages as one handler of HTTP requests: what comes in, whose address it is given, and
 * which of the two it goes to. Whether a request may come in at all was decided at the door.
 */
import { hash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import type Provider from 'oidc-provider'
import type { Clock } from '../../lib/clock.ts'
import type { SafeFetchOptions } from '../../lib/safe-fetch.ts'
import { reachProvider, reachStrangers } from '../reach.ts'
import type { Issued } from '../revocations.ts'
import type { AuthorizationServerConfig } from '../schema.ts'
import type { TokenIssuer } from '../tokens/issuer.ts'
import { Accounts } from './accounts.ts'
import { keepClient } from './adapter.ts'
import { Allowance } from './allowance.ts'
import { authorizationServer, ownScopes, root, sessionCookie, waitingS } from './authorization-server.ts'
import { Browsers } from './browsers.ts'
import { RegistrationRate } from './clients.ts'
import { ConnectLinks } from './connect-links.ts'
import { Consents } from './consents.ts'
import { jarOf, withoutCookie } from './cookies.ts'
import { Interaction } from './interaction.ts'
import { Login } from './login.ts'
import { ownTokens } from './own-tokens.ts'
import { pageHeaders } from './pages/layout.ts'
import { type Problem, problemAnswer, problemPage } from './pages/messages.ts'
import { type Connections, isPage, pageRoutes } from './pages/routes.ts'
import { languageOf } from './pages/words.ts'
import { type RecordStore, Records, type Seals } from './records.ts'
import { ownKeys, type SigningPair, signingPairs } from './signing.ts'
import { believed, signingNumbers } from './signing-numbers.ts'
import { takeBackConsent } from './take-back.ts'
import { type ProviderTokens, Vouching } from './vouching.ts'
import { Waiting } from './waiting.ts'

export interface FrontOptions {
  readonly config: AuthorizationServerConfig
  /** Scheme, host and port under which clients reach us; our issuer. */
  readonly base: string
  readonly store: RecordStore
  readonly seals: Seals
  readonly clock: Clock
  readonly proxy: SafeFetchOptions['proxy']
  /** Takes back everything that was issued to a user for one client up to now. */
  revoke(holder: string, by: string, reason: string): Promise<void>
  /** Whether a code or a refresh token is no longer good although it has not expired. */
  isRevoked(issued: Issued): boolean
  isServer(id: string): boolean
  /** How many requests for access and logins may wait at a time. */
  readonly waitingMax?: number
  readonly connections: Connections
  /** Where the provider's tokens are kept. */
  readonly tokens: ProviderTokens
  note(action: string, principal: string, detail: string): Promise<void>
  /** Of somebody who is not known: anybody can make as many of these as they like. `remote`: their address. */
  noteStranger(action: string, detail: string, remote: string | undefined): void
  failed(error: unknown): void
  /** A line for whoever makes a client, in the output of the gateway. */
  hint(line: string): void
}

export interface Front {
  /** Our own tokens, for checking. */
  readonly issuer: TokenIssuer
  readonly consents: Consents
  /** A token of the provider for one of its people, to be exchanged there for another; undefined where there is none. */
  subjectToken(account: string): Promise<string | undefined>
  /** True for a path that is answered here. */
  serves(path: string): boolean
  /** `remote`: where the request came from, past trusted proxies. */
  handle(request: IncomingMessage, response: ServerResponse, remote?: string): Promise<void>
  /** Looks again which keys sign and count; the gateway calls it when the store has changed. */
  review(): Promise<void>
  close(): void
}

/** As they are written here. The library takes capitals and a slash at the end as well, past whatever is asked before it. */
const served =
  /^(\/oauth\/(authorize(\/[\w-]+)?|token|register|revoke|jwks)|\/\.well-known\/(oauth-authorization-server|openid-configuration))$/
const purgeMs = 60_000
/** Of a request for access. Clients send a few hundred; each is kept while it waits. */
const [requestCharsMax, stateCharsMax] = [4096, 2048]
/** Begun from one address: at once, and then every minute. Behind a proxy that is not trusted everybody is one address. */
const begunMax = { burst: 600, perMinute: 60 }
/** Registrations of one address that come to nothing: as many as may come to something. */
const attemptsMax = ({ perHour }: AuthorizationServerConfig['registration']) => ({
  burst: Math.max(60, perHour),
  perMinute: Math.max(1, perHour / 60),
})
const hintsMax = { burst: 10, perMinute: 10 }
const waitingMaxUsual = 20_000

export async function openFront(options: FrontOptions): Promise<Front> {
  const { config, base, store, seals, clock, note, failed } = options
  const isSecure = base.startsWith('https:')
  const records = new Records(store, seals, clock)
  const isRevoked = (issued: Issued): boolean => options.isRevoked(issued)
  const [accounts, consents] = [new Accounts(records), new Consents(records, clock, isRevoked)]
  const browsers = new Browsers({
    records,
    clock,
    isRevoked,
    key: seals.derive('identity/browsers'),
  })
  const waiting = new Waiting(options.waitingMax ?? waitingMaxUsual, waitingS * 1000)
  const rate = new RegistrationRate(config.registration.perHour)
  const [begun, attempts, hints] = [
    new Allowance(begunMax),
    new Allowance(attemptsMax(config.registration)),
    new Allowance(hintsMax),
  ]
  const login = new Login({
    provider: config.provider,
    redirectUri: `${base}${root}/callback`,
    fetch: reachProvider(config.provider, options.proxy),
    now: () => clock.now(),
  })
  let numbers = await signingNumbers(records)
  const pairsOf = signingPairs((purpose) => seals.derive(purpose))
  const pairsNow = (): readonly SigningPair[] => pairsOf(believed(numbers, clock.now()))

  const { recheckMinutes } = config
  const vouching = new Vouching({ accounts, tokens: options.tokens, login, clock, recheckMinutes, note, failed })

  /** Its keys are given to it once, so that other keys make another server; what it remembers is in the records. */
  function opened(pairs: readonly SigningPair[]) {
    const provider = authorizationServer({
      config,
      base,
      isServer: (id) => options.isServer(id),
      records,
      clock,
      pairs,
      waiting,
      mayRegister: () => rate.take(clock.now()),
      cookieKey: seals.derive('identity/cookies').toString('base64url'),
      fetch: reachStrangers(config.registration, options.proxy, config.registration.ca),
      isRevoked,
      account: (id, isRefresh) => (isRefresh ? vouching.account(id) : accounts.find(id)),
      proof: async (grantId) => ({
        contexts: [],
        authenticatedAt: undefined,
        ...((await records.get('grant', grantId)) as object),
      }),
      isBack: (uid, result, cookies) => interaction.isBack(uid, result, jarOf(cookies, isSecure)),
      async ended(grantId) {
        const holder = (await records.take('grant', grantId))?.['holder']
        if (typeof holder === 'string') await options.revoke(holder, 'gateway', 'a grant has ended')
      },
      errorPage: (accepted) => ({ headers: pageHeaders, html: String(problemPage(languageOf(accepted), 'client')) }),
    })
    tellOf(provider, options)
    provider.on('authorization.error', ({ oidc, ip }, { error }) => {
      if (error === 'invalid_redirect_uri' && hints.take(ip, clock.now()) === 0)
        options.hint(mismatch(oidc.client?.clientId, oidc.params?.['redirect_uri'], oidc.client?.redirectUris))
    })
    provider.on('grant.success', ({ oidc }) => {
      const id = oidc.client?.clientId
      if (id !== undefined) void keepClient(records, id, config.registration.unusedDays).catch(failed)
    })
    return { provider, kids: kidsIn(pairs), answer: provider.callback() }
  }
  let server = opened(pairsNow())
  const interaction = new Interaction({
    get provider() {
      return server.provider
    },
    records,
    browsers,
    consents,
    accounts,
    isRevoked,
    login,
    clock,
    waiting,
    csrfKey: seals.derive('identity/csrf'),
    scopes: ownScopes,
    keepTokens: (account, tokens) => vouching.keepTokens(account, tokens),
    note,
    noteStranger: options.noteStranger.bind(options),
  })
  const takeBack = (account: string, clientId: string): Promise<void> => {
    const user = `user:${account}`
    const act = { action: 'consent.revoked', by: user, at: clock.now(), detail: `${user} ${clientId}` }
    return takeBackConsent({ records, consents, revoke: options.revoke }, account, clientId, act)
  }
  const nameOf = async (account: string): Promise<string> => (await accounts.find(account))?.shownName ?? account
  const app = pageRoutes({
    interaction,
    consents,
    base,
    isSecure,
    config,
    takeBack,
    connections: options.connections,
    links: new ConnectLinks(seals, clock),
    nameOf,
    failed,
  })
  const showPage = getRequestListener(app.fetch, { overrideGlobalObjects: false })
  async function review(): Promise<void> {
    numbers = await signingNumbers(records)
    const pairs = pairsNow()
    if (kidsIn(pairs) !== server.kids) server = opened(pairs)
  }
  const purger = setInterval(() => void Promise.all([records.purge(), review()]).catch(failed), purgeMs)
  purger.unref()

  return {
    issuer: ownTokens(base, ownKeys(pairsNow)),
    consents,
    subjectToken: (account) => vouching.subjectToken(account),
    serves: (path) => path.startsWith(`${root}/`) || (path.startsWith('/.well-known/o') && served.test(path)),
    async handle(request, response, remote) {
      const url = request.url ?? '/'
      const path = url.split('?', 1)[0] as string
      const { method } = request
      const isBeginning = path === `${root}/authorize` ? method === 'GET' : isPage(path) && method === 'POST'
      if (isBeginning) {
        const waitS = begun.take(remote, clock.now())
        if (waitS > 0) return turnAway(request, response, 'often', waitS)
        response.once('finish', () => response.statusCode >= 400 && begun.giveBack(remote))
        if (isTooLong(url)) return turnAway(request, response, 'long')
        if (!waiting.hasRoom(clock.now())) return turnAway(request, response, 'crowded')
      }
      if (isPage(path) || !served.test(path)) return void showPage(request, response)
      if (path === `${root}/authorize` && request.method !== 'GET') return refuse(response, 405, 'only GET is served here')
      if (path === `${root}/register` && request.method === 'POST') {
        const isEntitled = showsToken(request, config)
        const waitS = rate.waitS(clock.now()) || (isEntitled ? 0 : attempts.take(remote, clock.now()))
        if (waitS > 0) return refuse(response, 429, 'too many registrations; try again later', { 'retry-after': String(waitS) })
        response.once('finish', () => !isEntitled && response.statusCode === 201 && attempts.giveBack(remote))
      }
      if (path === `${root}/authorize`) request.url = plainly(url, config)
      addressedTo(base, request, remote)
      withoutSession(request)
      await server.answer(request, response)
    },
    review,
    close: () => clearInterval(purger),
  }
  function turnAway(request: IncomingMessage, response: ServerResponse, problem: Problem, waitS?: number): void {
    const { status, headers } = problemAnswer(problem, waitS)
    response.writeHead(status, headers)
    response.end(String(problemPage(languageOf(request.headers['accept-language']), problem)))
  }
  function refuse(response: ServerResponse, status: number, text: string, headers: Record<string, string> = {}): void {
    response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers })
    response.end(
      JSON.stringify({ error: status === 429 ? 'temporarily_unavailable' : 'invalid_request', error_description: text }),
    )
  }
}

const isTooLong = (url: string): boolean =>
  url.length > requestCharsMax || (new URL(url, 'http://x').searchParams.get('state')?.length ?? 0) > stateCharsMax

/** The library looks at it again; here it says alone that this is no stranger, whose attempts are counted. */
function showsToken({ headers }: IncomingMessage, { registration: { initialAccessToken } }: AuthorizationServerConfig): boolean {
  if (initialAccessToken === undefined) return false
  const digest = (text: string): Buffer => hash('sha256', text, 'buffer')
  return timingSafeEqual(digest(headers.authorization ?? ''), digest(`Bearer ${initialAccessToken.reveal()}`))
}

/** Everything in it is a stranger's, and goes to a terminal. */
function mismatch(client: unknown, asked: unknown, registered: readonly string[] = []): string {
  const shown = (text: unknown): string =>
    String(text)
      .slice(0, 200)
      .replace(/[^\x20-\x7e]/g, '?')
  const known = registered.slice(0, 3).map(shown).join(', ')
  return `the client ${shown(client)} asked to be answered at ${shown(asked)}, which is not what it has registered (${known}): they are compared letter by letter, but for the port on loopback`
}

const kidsIn = (pairs: readonly SigningPair[]): string => pairs.map(({ kid }) => kid).join(' ')

/**
 * A client that does not say what it wants gets the least. An answer goes into the query: a fragment would be carried along
 * by every further redirect of the client's (RFC 9700, 4.1.3), and the library refuses only a mode that it does not know.
 */
function plainly(url: string, { askAtLogin }: AuthorizationServerConfig): string {
  const parsed = new URL(url, 'http://x')
  const { searchParams } = parsed
  const isPlain = searchParams.getAll('response_mode').every((mode) => mode === 'query')
  const wanted = searchParams.get('scope') ?? askAtLogin.map((one) => `mcp:${one}`).join(' ')
  // One that asks for a better login need not know OpenID (RFC 9470, 4).
  const isFresh = searchParams.has('acr_values') || searchParams.has('max_age')
  const scope = isFresh && !wanted.split(' ').includes('openid') ? `openid ${wanted}` : wanted
  if (searchParams.get('scope') === scope && isPlain) return url
  if (!isPlain) searchParams.set('response_mode', 'unsupported')
  searchParams.set('scope', scope)
  return parsed.pathname + parsed.search
}

/** Links are made from our own address, and never from what a request says of it; nor is its own address what it says. */
function addressedTo(base: string, request: IncomingMessage, remote: string | undefined): void {
  const { host, protocol } = new URL(base)
  for (const name of Object.keys(request.headers)) if (name.startsWith('x-forwarded-')) delete request.headers[name]
  request.headers['host'] = host
  request.headers['x-forwarded-host'] = host
  request.headers['x-forwarded-proto'] = protocol.slice(0, -1)
  if (remote !== undefined) request.headers['x-forwarded-for'] = remote
}

/**
 * The library remembers who logged in last, and ends that in a way of its own when somebody else does. Nothing here rests on
 * it: every authorization is a login (interaction.ts).
 */
function withoutSession({ headers }: IncomingMessage): void {
  if (headers.cookie !== undefined) headers.cookie = withoutCookie(headers.cookie, sessionCookie)
}

/** What happens in the library is written down like everything else. */
function tellOf(provider: Provider, { note, noteStranger, failed }: FrontOptions): void {
  const told = (action: string, principal: string, detail: string): void => void note(action, principal, detail).catch(failed)
  provider.on('grant.success', (ctx) => {
    const { Account: account, Client: client } = ctx.oidc.entities
    told(
      'token.issued',
      `user:${account?.accountId ?? 'unknown'}`,
      `${client?.clientId ?? ''} ${String(ctx.oidc.params?.['grant_type'] ?? '')}`,
    )
  })
  provider.on('grant.revoked', (ctx, grantId) =>
    told('grant.revoked', `user:${ctx.oidc.entities.Account?.accountId ?? 'unknown'}`, grantId.slice(0, 8)),
  )
  provider.on('grant.error', (ctx, error) =>
    noteStranger(
      'token.refused',
      `${ctx.oidc?.client?.clientId ?? ''} ${error.error}: ${error.error_detail ?? error.error_description ?? ''}`,
      ctx.ip,
    ),
  )
  provider.on('registration_create.success', (_ctx, client) =>
    told('client.registered', 'unknown', `${client.clientId} ${(client.redirectUris ?? []).join(' ')}`),
  )
  provider.on('server_error', (_ctx, error) => failed(error))
}
