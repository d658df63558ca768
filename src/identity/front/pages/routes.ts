/**
 * The pages that a person sees, as routes: a request for one is read here and its step taken in interaction.ts. A form is
 * believed only from our own page: by its Origin here, and by its csrf there.
 */
import type { HttpBindings } from '@hono/node-server'
import { type Context, Hono } from 'hono'
import { Refusal } from '../../../pipeline/refusal.ts'
import type { AuthorizationServerConfig } from '../../schema.ts'
import { root } from '../authorization-server.ts'
import type { ConnectLinks } from '../connect-links.ts'
import type { Consents } from '../consents.ts'
import { type Jar, jarOf } from '../cookies.ts'
import type { Interaction, Step } from '../interaction.ts'
import { placeOf } from '../redirect-uris.ts'
import { connectedPage, connectPage, notConnectedPage } from './connect.ts'
import { consentPage, serversIn } from './consent.ts'
import { pageHeaders } from './layout.ts'
import { consentsPage, deniedPage, goingPage, type Problem, problemAnswer, problemPage, signInPage } from './messages.ts'
import { languageOf } from './words.ts'

type Env = { Bindings: HttpBindings }

const formBytesMax = 16_384

/** True for a path that is a page; the rest is the authorization server's own. */
export const isPage = (path: string): boolean =>
  path.startsWith(`${root}/interaction/`) ||
  path === `${root}/callback` ||
  path === `${root}/consents` ||
  path === `${root}/connected` ||
  path.startsWith(`${root}/connect/`)

/** The consents of people to our own use of servers in their name (outbound/credentials). Both reject with a Refusal. */
export interface Connections {
  /** Whether it is a server that people connect to, each with an account of their own. */
  has(server: string): boolean
  /** Where the person consents. */
  begin(server: string, account: string): Promise<string>
  /** What the browser came back with; the server that is connected now. */
  complete(answer: URLSearchParams, account: string): Promise<string>
}

const serverId = /^[a-z][a-z0-9-]{0,23}$/

export interface PagesOptions {
  readonly interaction: Interaction
  readonly consents: Consents
  readonly base: string
  readonly isSecure: boolean
  readonly config: AuthorizationServerConfig
  takeBack(account: string, clientId: string): Promise<void>
  readonly connections: Connections
  readonly links: Pick<ConnectLinks, 'userOf'>
  /** What a person is called on their own pages. */
  nameOf(account: string): Promise<string>
  failed(error: unknown): void
}

export function pageRoutes({
  interaction,
  consents,
  base,
  isSecure,
  config,
  takeBack,
  connections,
  links,
  nameOf,
  failed,
}: PagesOptions): Hono<Env> {
  const app = new Hono<Env>()
  const jar = (c: Context<Env>): Jar => jarOf(c.req.header('cookie'), isSecure)
  const language = (c: Context<Env>) => languageOf(c.req.header('accept-language'))
  const providerHost = new URL(config.provider.kind === 'entra' ? config.provider.authority : config.provider.issuer).host
  const problem = (c: Context<Env>, what: Problem): Response => {
    const { status, headers } = problemAnswer(what)
    return c.body(String(problemPage(language(c), what)), status as 400, headers)
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
    const onward = new URL(step.url, `${base}${root}/`)
    if (step.kind === 'denied') return page(c, deniedPage(language(c), onward), [])
    const response = c.redirect(onward.href, 303)
    for (const cookie of step.cookies) response.headers.append('set-cookie', cookie)
    response.headers.set('referrer-policy', 'no-referrer')
    response.headers.set('cache-control', 'no-store')
    return response
  }
  async function connecting(c: Context<Env>, step: () => Promise<unknown>): Promise<Response> {
    try {
      return page(c, await step(), [])
    } catch (error) {
      if (error instanceof Refusal) return page(c, notConnectedPage(language(c), error.message), [])
      throw error
    }
  }
  const viewOf = (c: Context<Env>, { asked, shown, csrf, again, held }: Extract<Step, { readonly kind: 'ask' }>) => ({
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
    held: held && { scopes: held.scopes, servers: serversIn(held.resources) },
    shown,
    csrf,
    again,
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
    const [person, given] = [await nameOf(account), await consents.of(account)]
    const view = { language: language(c), person, consents: given, action: `${root}/consents`, csrf }
    return page(c, consentsPage(view), cookies)
  })
  app.post(`${root}/consents`, async (c) => {
    if (isForeign(c, base)) return problem(c, 'forged')
    const form = await formOf(c)
    const { browser } = await interaction.browser(jar(c))
    const client = form.get('client')
    if (form.has('leave') && interaction.isOurs(browser, 'consents', form))
      return taken(c, await interaction.signOut(browser, jar(c)))
    if (browser.account === undefined || client === null) return taken(c, await interaction.signIn(jar(c), form, 'consents'))
    if (!interaction.isOurs(browser, 'consents', form)) return problem(c, 'forged')
    await takeBack(browser.account, client)
    return c.redirect(`${base}${root}/consents`, 303)
  })
  /** What a request for the page of a server is about; undefined for a link that is over or was not made here. */
  async function connection(c: Context<Env>) {
    const server = c.req.param('server') ?? ''
    const link = c.req.query('for')
    const user = link === undefined ? undefined : links.userOf(server, link)
    if (link !== undefined && user === undefined) return undefined
    const { browser, cookies } = await interaction.browser(jar(c))
    const { account } = browser
    const isAnother = account !== undefined && user !== undefined && user !== `user:${account}`
    const at = `connect/${server}${link === undefined ? '' : `?for=${encodeURIComponent(link)}`}`
    return { server, browser, cookies, account, isAnother, at }
  }
  app.use(`${root}/connect/:server`, async (c, next) => {
    const server = c.req.param('server')
    return serverId.test(server) && connections.has(server) ? next() : problem(c, 'unknown')
  })
  app.get(`${root}/connect/:server`, async (c) => {
    const about = await connection(c)
    if (about === undefined) return problem(c, 'expired')
    const { server, browser, cookies, account, isAnother, at } = about
    const person = account === undefined ? undefined : await nameOf(account)
    const [action, csrf] = [`${root}/${at}`, interaction.csrf(browser, at)]
    return page(c, connectPage({ language: language(c), server, action, csrf, person, isAnother }), cookies)
  })
  app.post(`${root}/connect/:server`, async (c) => {
    if (isForeign(c, base)) return problem(c, 'forged')
    const form = await formOf(c)
    const about = await connection(c)
    if (about === undefined) return problem(c, 'expired')
    const { server, browser, account, isAnother, at } = about
    if (!interaction.isOurs(browser, at, form)) return problem(c, 'forged')
    // The provider has to ask: by itself it would say again who it took this browser for.
    if (isAnother) return taken(c, await interaction.signIn(jar(c), form, at, { prompt: 'login' }))
    if (account === undefined) return taken(c, await interaction.signIn(jar(c), form, at))
    return connecting(c, async () => goingPage(language(c), new URL(await connections.begin(server, account))))
  })
  app.get(`${root}/connected`, async (c) => {
    const { browser } = await interaction.browser(jar(c))
    const { account } = browser
    if (account === undefined) return problem(c, 'expired')
    const answer = new URL(c.req.url).searchParams
    return connecting(c, async () => connectedPage(language(c), await connections.complete(answer, account)))
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
