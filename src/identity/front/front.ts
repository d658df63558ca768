/**
 * The authorization server and its pages as one handler of HTTP requests: what comes in, whose address it is given, and
 * which of the two it goes to. Whether a request may come in at all was decided at the door.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { getRequestListener, type HttpBindings } from '@hono/node-server'
import { type Context, Hono } from 'hono'
import type Provider from 'oidc-provider'
import type { Clock } from '../../lib/clock.ts'
import type { SafeFetchOptions } from '../../lib/safe-fetch.ts'
import { reachProvider, reachStrangers } from '../reach.ts'
import type { AuthorizationServerConfig } from '../schema.ts'
import { holderOf } from '../tokens/access-tokens.ts'
import type { TokenIssuer } from '../tokens/issuer.ts'
import { standardIssuer } from '../tokens/openid.ts'
import { type Account, Accounts } from './accounts.ts'
import { authorizationServer, ownScopes, root } from './authorization-server.ts'
import { Browsers } from './browsers.ts'
import { RegistrationRate } from './clients.ts'
import { Consents } from './consents.ts'
import { type Jar, jarOf } from './cookies.ts'
import { type Asked, Interaction, type Step } from './interaction.ts'
import { Login, LoginFailed } from './login.ts'
import { consentPage } from './pages/consent.ts'
import { pageHeaders } from './pages/layout.ts'
import { consentsPage, goingPage, type Problem, problemPage, signInPage } from './pages/messages.ts'
import { languageOf } from './pages/words.ts'
import { type RecordStore, Records, type Seals } from './records.ts'
import { placeOf } from './redirect-uris.ts'
import { ownKeys, signingPairs } from './signing.ts'

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
  note(action: string, principal: string, detail: string): Promise<void>
  failed(error: unknown): void
}

export interface Front {
  /** Our own tokens, for checking. */
  readonly issuer: TokenIssuer
  readonly consents: Consents
  /** True for a path that is answered here. */
  serves(path: string): boolean
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>
  close(): void
}

type Env = { Bindings: HttpBindings }

const wellKnown = ['/.well-known/oauth-authorization-server', '/.well-known/openid-configuration']
const formBytesMax = 16_384
const graceS = 86_400
const purgeMs = 600_000

export async function openFront(options: FrontOptions): Promise<Front> {
  const { config, base, store, seals, clock, note, failed } = options
  const isSecure = base.startsWith('https:')
  const records = new Records(store, seals, clock)
  const [accounts, consents, browsers] = [new Accounts(records), new Consents(records, clock), new Browsers(records)]
  const login = new Login({
    provider: config.provider,
    redirectUri: `${base}${root}/callback`,
    fetch: reachProvider(config.provider, options.proxy),
    now: () => clock.now(),
  })
  const number = Number((await records.get('signing', 'number'))?.['number'] ?? 1)
  const pairs = signingPairs((purpose) => seals.derive(purpose), number)

  async function keepTokens(account: string, tokens: { readonly refreshToken: string | undefined }): Promise<void> {
    if (tokens.refreshToken !== undefined)
      await records.put('provider-token', account, { refreshToken: tokens.refreshToken }, config.refreshDays * 86_400)
  }

  /** Where it is due, the provider is asked whether it still vouches for the person; silence is trusted for a day. */
  async function account(id: string, isRefresh: boolean): Promise<Account | undefined> {
    const known = await accounts.find(id)
    const ageS = known === undefined ? 0 : clock.now() / 1000 - known.checkedAt
    if (known === undefined || !isRefresh || ageS < config.recheckMinutes * 60) return known
    const { refreshToken } = (await records.get('provider-token', id)) ?? {}
    if (typeof refreshToken !== 'string') return known
    try {
      const again = await login.again(refreshToken)
      if (again.account.id !== id) throw new LoginFailed('refused')
      await accounts.keep(again.account)
      await keepTokens(id, again)
      return again.account
    } catch (error) {
      if (!(error instanceof LoginFailed)) throw error
      failed(error)
      if (error.reason === 'unavailable' && ageS < graceS) return known
      await accounts.forget(id)
      await records.delete('provider-token', id)
      await note('login.lapsed', `user:${id}`, error.reason)
      return undefined
    }
  }

  const provider = authorizationServer({
    config,
    base,
    records,
    clock,
    pairs,
    cookieKey: seals.derive('identity/cookies').toString('base64url'),
    fetch: reachStrangers(config.registration, options.proxy, config.registration.ca),
    account,
    errorPage: (accepted) => ({ headers: pageHeaders, html: String(problemPage(languageOf(accepted), 'client')) }),
  })
  tellOf(provider, options)
  const interaction = new Interaction({
    provider,
    records,
    browsers,
    consents,
    accounts,
    login,
    clock,
    csrfKey: seals.derive('identity/csrf'),
    scopes: ownScopes,
    keepTokens,
    note,
  })
  async function takeBack(holder: string, by: string): Promise<void> {
    for (const { grantId } of await records.list('grant', `grants of ${holder}`)) await records.deleteGroup(`grant ${grantId}`)
    await records.deleteGroup(`grants of ${holder}`)
    await options.revoke(holder, by, 'consent taken back')
  }
  const app = pages({ interaction, consents, base, isSecure, config, takeBack, note, failed })
  const showPage = getRequestListener(app.fetch, { overrideGlobalObjects: false })
  const answer = provider.callback()
  const rate = new RegistrationRate(config.registration.perHour)
  const purger = setInterval(() => void records.purge().catch(failed), purgeMs)
  purger.unref()

  return {
    issuer: standardIssuer(
      base,
      ownKeys(() => pairs),
      { groupsClaim: 'groups', rolesClaim: 'roles' },
    ),
    consents,
    serves: (path) => path.startsWith(`${root}/`) || wellKnown.includes(path),
    async handle(request, response) {
      const url = request.url ?? '/'
      const path = url.split('?', 1)[0] as string
      if (isPage(path)) return void showPage(request, response)
      if (path === `${root}/authorize` && request.method !== 'GET') return refuse(response, 405, 'only GET is served here')
      if (path === `${root}/register` && request.method === 'POST') {
        const waitS = rate.take(clock.now())
        if (waitS > 0) return refuse(response, 429, 'too many registrations; try again later', { 'retry-after': String(waitS) })
      }
      if (path === `${root}/authorize`) request.url = withScope(url, config)
      addressedTo(base, request)
      await answer(request, response)
    },
    close: () => clearInterval(purger),
  }
  function refuse(response: ServerResponse, status: number, text: string, headers: Record<string, string> = {}): void {
    response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers })
    response.end(
      JSON.stringify({ error: status === 429 ? 'temporarily_unavailable' : 'invalid_request', error_description: text }),
    )
  }
  function isPage(path: string): boolean {
    return path.startsWith(`${root}/interaction/`) || path === `${root}/callback` || path === `${root}/consents`
  }
}

/** A client that does not say what it wants gets the least. */
function withScope(url: string, { askAtLogin }: AuthorizationServerConfig): string {
  const parsed = new URL(url, 'http://x')
  if (parsed.searchParams.has('scope')) return url
  parsed.searchParams.set('scope', askAtLogin.map((one) => `mcp:${one}`).join(' '))
  return parsed.pathname + parsed.search
}

/** Links are made from our own address, and never from what a request says of it. */
function addressedTo(base: string, request: IncomingMessage): void {
  const { host, protocol } = new URL(base)
  for (const name of Object.keys(request.headers)) if (name.startsWith('x-forwarded-')) delete request.headers[name]
  request.headers['host'] = host
  request.headers['x-forwarded-host'] = host
  request.headers['x-forwarded-proto'] = protocol.slice(0, -1)
}

/** What happens in the library is written down like everything else. */
function tellOf(provider: Provider, { note, failed }: FrontOptions): void {
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
    told(
      'token.refused',
      'unknown',
      `${ctx.oidc?.client?.clientId ?? ''} ${error.error}: ${error.error_detail ?? error.error_description ?? ''}`,
    ),
  )
  provider.on('registration_create.success', (_ctx, client) =>
    told('client.registered', 'unknown', `${client.clientId} ${(client.redirectUris ?? []).join(' ')}`),
  )
  provider.on('server_error', (_ctx, error) => failed(error))
}

interface PagesOptions {
  readonly interaction: Interaction
  readonly consents: Consents
  readonly base: string
  readonly isSecure: boolean
  readonly config: AuthorizationServerConfig
  takeBack(holder: string, by: string): Promise<void>
  note(action: string, principal: string, detail: string): Promise<void>
  failed(error: unknown): void
}

function pages({ interaction, consents, base, isSecure, config, takeBack, note, failed }: PagesOptions): Hono<Env> {
  const app = new Hono<Env>()
  const jar = (c: Context<Env>): Jar => jarOf(c.req.header('cookie'), isSecure)
  const language = (c: Context<Env>) => languageOf(c.req.header('accept-language'))
  const providerHost = new URL(config.provider.kind === 'entra' ? config.provider.authority : config.provider.issuer).host
  const problem = (c: Context<Env>, what: Problem): Response => {
    const status = { expired: 400, forged: 403, denied: 403, unavailable: 503, refused: 502, unknown: 404, client: 400 }[what]
    return c.body(String(problemPage(language(c), what)), status as 400, { ...pageHeaders })
  }
  const page = (c: Context<Env>, text: unknown, cookies: readonly string[]): Response => {
    const response = c.body(String(text), 200, { ...pageHeaders })
    for (const cookie of cookies) response.headers.append('set-cookie', cookie)
    return response
  }
  function taken(c: Context<Env>, step: Step): Response {
    if (step.kind === 'problem') return problem(c, step.problem)
    if (step.kind === 'ask') return page(c, consentPage(viewOf(c, step)), step.cookies)
    if (step.kind === 'provider') return page(c, goingPage(language(c), step.url), step.cookies)
    const response = c.redirect(new URL(step.url, `${base}${root}/`).href, 303)
    for (const cookie of step.cookies) response.headers.append('set-cookie', cookie)
    response.headers.set('referrer-policy', 'no-referrer')
    response.headers.set('cache-control', 'no-store')
    return response
  }
  const viewOf = (
    c: Context<Env>,
    { asked, csrf, isAnother }: { readonly asked: Asked; readonly csrf: string; readonly isAnother: boolean },
  ) => ({
    language: language(c),
    clientName: asked.wish.clientName,
    clientId: asked.wish.clientId,
    standing: asked.standing,
    documentHost: asked.documentHost,
    redirectHost: placeOf(asked.wish.redirectUri).host,
    isLoopback: placeOf(asked.wish.redirectUri).isLoopback,
    scopes: asked.wish.scopes,
    servers: serversIn(asked.wish.resources),
    providerHost,
    action: `${root}/interaction/${asked.uid}`,
    csrf,
    isAnother,
  })

  app.get(`${root}/interaction/:uid`, async (c) =>
    taken(c, await interaction.begin(c.env.incoming, c.env.outgoing, jar(c), c.req.query('another') !== undefined)),
  )
  app.post(`${root}/interaction/:uid`, async (c) => {
    if (isForeign(c, base)) return problem(c, 'forged')
    return taken(c, await interaction.decide(c.env.incoming, c.env.outgoing, jar(c), await formOf(c)))
  })
  app.get(`${root}/callback`, async (c) =>
    taken(c, await interaction.callback(new URL(c.req.url.replace(/^[^?]*/, `${base}${root}/callback`)), jar(c))),
  )
  app.get(`${root}/consents`, async (c) => {
    const { browser, cookies } = await interaction.browser(jar(c))
    const csrf = interaction.csrf(browser, 'consents')
    const { account } = browser
    if (account === undefined) return page(c, signInPage(language(c), `${root}/consents`, csrf), cookies)
    return page(c, consentsPage(language(c), await consents.of(account), `${root}/consents`, csrf), cookies)
  })
  app.post(`${root}/consents`, async (c) => {
    if (isForeign(c, base)) return problem(c, 'forged')
    const form = await formOf(c)
    const { browser } = await interaction.browser(jar(c))
    const client = form.get('client')
    if (browser.account === undefined || client === null) return taken(c, await interaction.signIn(jar(c), form))
    if (!interaction.isOurs(browser, 'consents', form)) return problem(c, 'forged')
    const user = `user:${browser.account}`
    await consents.revoke(browser.account, client)
    await takeBack(holderOf(user, client), user)
    await note('consent.revoked', user, client)
    return c.redirect(`${base}${root}/consents`, 303)
  })
  app.notFound((c) => problem(c, 'unknown'))
  app.onError((error, c) => {
    failed(error)
    return problem(c, 'refused')
  })
  return app
}

/** A form that another site's page sent: its Origin says so, and so does the browser. */
function isForeign(c: Context<Env>, base: string): boolean {
  const [origin, site] = [c.req.header('origin'), c.req.header('sec-fetch-site')]
  return (origin !== undefined && origin !== base) || (site !== undefined && site !== 'same-origin')
}

async function formOf(c: Context<Env>): Promise<URLSearchParams> {
  const declared = Number(c.req.header('content-length') ?? Number.POSITIVE_INFINITY)
  const isForm = c.req.header('content-type')?.startsWith('application/x-www-form-urlencoded')
  return new URLSearchParams(isForm && declared <= formBytesMax ? await c.req.text() : '')
}

/** The servers named by the resources; none where one of them is the door to all. */
function serversIn(resources: readonly string[]): readonly string[] {
  const ids = resources.map((resource) => /^\/([^/]+)\/mcp$/.exec(new URL(resource).pathname)?.[1])
  return ids.some((id) => id === undefined) ? [] : (ids as string[])
}
