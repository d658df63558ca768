/**
 * Between a client's request and its code: the question to the person, always before the provider (CD-C1, CD-C2).
 *
 *   client → authorize → [consent page → allow] → provider → callback → code for the client
 *
 * A consent belongs to the browser it was given in, and after the login to the person. The page is left out only when this
 * browser's person has agreed to the same before, and the client is one that no other program can pass for; should somebody
 * else come back from the provider, it is asked after all.
 * The state that leads back from the provider is made after the consent, is in a cookie of this browser, and works once.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import type Provider from 'oidc-provider'
import type { Clock } from '../../lib/clock.ts'
import type { JsonObject } from '../../lib/strict-json.ts'
import type { Issued } from '../revocations.ts'
import { holderOf } from '../tokens/access-tokens.ts'
import type { Accounts } from './accounts.ts'
import { type Browser, type Browsers, browserCookie } from './browsers.ts'
import { type Consent, type Consents, digestOf, type Wish } from './consents.ts'
import type { Jar } from './cookies.ts'
import { type LoggedIn, type Login, type LoginAttempt, LoginFailed } from './login.ts'
import type { Records } from './records.ts'
import type { Waiting } from './waiting.ts'

export interface InteractionOptions {
  readonly provider: Provider
  readonly records: Records
  readonly browsers: Browsers
  readonly consents: Consents
  readonly accounts: Accounts
  readonly login: Login
  readonly clock: Clock
  readonly waiting: Waiting
  readonly csrfKey: Buffer
  /** The wishes for one scope are ours; others mean nothing here. */
  readonly scopes: readonly string[]
  isRevoked(issued: Issued): boolean
  /** Keeps what the provider gave us for a person. */
  keepTokens(account: string, tokens: LoggedIn): Promise<void>
  note(action: string, principal: string, detail: string): Promise<void>
  noteStranger(action: string, detail: string, remote: string | undefined): void
}

/** What a page needs to know of one request for access. */
export interface Asked {
  readonly uid: string
  readonly wish: Wish
  readonly standing: 'document' | 'registered-itself' | 'operator'
  readonly documentHost: string | undefined
  /** Who gets the code is who it says it is: otherwise nothing passes without a page (RFC 8252, 8.6). */
  readonly isProven: boolean
  readonly mayRefresh: boolean
  readonly wantsFresh: Readonly<Record<string, string>>
}

/** Why a person is asked a second time: somebody else signed in, or the client says something else of itself now. */
export type Again = 'another' | 'changed'

/** Where the browser goes next. */
export type Step =
  | {
      readonly kind: 'ask'
      readonly asked: Asked
      /** Digest of the wish that the page shows; the csrf is for it alone. */
      readonly shown: string
      readonly csrf: string
      readonly again: Again | undefined
      /** What the person in this browser has agreed to before, with the very same client. */
      readonly held: Consent | undefined
      readonly cookies: readonly string[]
    }
  | { readonly kind: 'provider'; readonly url: URL; readonly cookies: readonly string[] }
  | { readonly kind: 'back'; readonly url: string; readonly cookies: readonly string[] }
  | { readonly kind: 'denied'; readonly url: string }
  | { readonly kind: 'problem'; readonly problem: 'expired' | 'forged' | 'denied' | 'unavailable' | 'refused' | 'crowded' }

interface Pending extends LoginAttempt {
  readonly browser: string
  /** The interaction to go back to; undefined for somebody who comes to a page of their own. */
  readonly uid: string | undefined
  /** That page. */
  readonly page: string
  readonly wish: Wish | undefined
  /** Whose browser it was. */
  readonly expected: string | undefined
  /** The person pressed Allow for this wish; otherwise it rests on what they agreed to before. */
  readonly isAllowed: boolean
}

/** What a browser is sent to the provider for. */
interface Errand {
  readonly asked?: Asked
  readonly isAllowed?: boolean
  readonly page?: string
  /** Of the provider, for somebody who comes to a page of their own. */
  readonly wishes?: Asked['wantsFresh']
  readonly cookies?: readonly string[]
}

const loginS = 600
/** Of one login, so that two tabs do not take each other's. */
const stateCookieOf = (state: string): string => `sekisho_login_${/^[\w-]{8}/.exec(state)?.[0] ?? 'none'}`
const isOf = ({ id, was }: Browser, secret: string): boolean => id === secret || was.includes(secret)

export class Interaction {
  readonly #options: InteractionOptions
  constructor(options: InteractionOptions) {
    this.#options = options
  }

  /** The browser arrives with a request for access. */
  async begin(request: IncomingMessage, response: ServerResponse, jar: Jar, isAnother: boolean): Promise<Step> {
    const asked = await this.#asked(request, response)
    if (asked === undefined) return { kind: 'problem', problem: 'expired' }
    const { browser, cookies } = await this.browser(jar)
    const { account } = browser
    if (!isAnother && account !== undefined && asked.isProven && (await this.#options.consents.covers(account, asked.wish)))
      return this.#toProvider(browser, jar, { asked, isAllowed: false, cookies })
    return this.#ask(browser, asked, isAnother ? 'another' : undefined, cookies)
  }

  /** The person has decided. */
  async decide(request: IncomingMessage, response: ServerResponse, jar: Jar, form: URLSearchParams): Promise<Step> {
    const asked = await this.#asked(request, response)
    const browser = await this.#options.browsers.find(jar.get(browserCookie))
    if (asked === undefined || browser === undefined) return { kind: 'problem', problem: 'expired' }
    const shown = form.get('shown') ?? ''
    if (!this.isOurs(browser, `${asked.uid} ${shown}`, form)) return { kind: 'problem', problem: 'forged' }
    const isAllowed = form.get('decision') === 'allow'
    // Who says yes to one thing has not said yes to another; a no is a no to both.
    if (isAllowed && shown !== shownOf(asked)) return this.#ask(browser, asked, 'changed', [])
    if (isAllowed) return this.#toProvider(browser, jar, { asked, isAllowed: true })
    await this.#note('consent.denied', browser, wishText(asked.wish), request.socket.remoteAddress)
    const url = await this.#finish(asked.uid, { error: 'access_denied', error_description: 'the person said no' })
    return { kind: 'denied', url }
  }

  async #ask(browser: Browser, asked: Asked, again: Again | undefined, cookies: readonly string[]): Promise<Step> {
    const shown = shownOf(asked)
    const { account } = browser
    const held = account === undefined ? undefined : await this.#options.consents.held(account, asked.wish)
    return { kind: 'ask', asked, shown, csrf: this.csrf(browser, `${asked.uid} ${shown}`), again, held, cookies }
  }

  /** The browser is back from the provider. */
  async callback(url: URL, jar: Jar): Promise<Step> {
    const { records, browsers, login, waiting } = this.#options
    const state = url.searchParams.get('state') ?? ''
    const cookie = stateCookieOf(state)
    const removed = jar.set(cookie, '', 0)
    const isSame = state !== '' && jar.get(cookie) === state
    const pending = isSame ? ((await records.take('login', state)) as unknown as Pending | undefined) : undefined
    waiting.ended(state)
    const browser = await browsers.find(jar.get(browserCookie))
    if (pending === undefined || browser === undefined || !isOf(browser, pending.browser))
      return { kind: 'problem', problem: 'expired' }
    let loggedIn: LoggedIn
    try {
      loggedIn = await login.complete(url, pending)
    } catch (error) {
      if (!(error instanceof LoginFailed)) throw error
      const why = `${error.reason}: ${String((error.cause as Error | undefined)?.message ?? '')}`
      await this.#note('login.failed', browser, why)
      if (error.reason === 'denied' && pending.uid !== undefined)
        return {
          kind: 'back',
          url: await this.#finish(pending.uid, {
            error: 'access_denied',
            error_description: 'the identity provider refused the login',
          }),
          cookies: [removed],
        }
      return { kind: 'problem', problem: error.reason }
    }
    return this.#loggedIn(pending, browser, loggedIn, jar, removed)
  }

  /** Somebody comes to a page of their own, and has to be known for it. */
  async signIn(jar: Jar, form: URLSearchParams, page: string, wishes: Asked['wantsFresh'] = {}): Promise<Step> {
    const browser = await this.#options.browsers.find(jar.get(browserCookie))
    if (browser === undefined || !this.isOurs(browser, page, form)) return { kind: 'problem', problem: 'forged' }
    return this.#toProvider(browser, jar, { page, wishes })
  }

  /** The person leaves their own pages; what they have allowed stays. */
  async signOut(browser: Browser, jar: Jar): Promise<Step> {
    await this.#options.browsers.close(browser)
    return { kind: 'back', url: 'consents', cookies: [jar.set(browserCookie, '', 0)] }
  }

  /** The browser that this is, or a new one. */
  async browser(jar: Jar): Promise<{ readonly browser: Browser; readonly cookies: readonly string[] }> {
    const known = await this.#options.browsers.find(jar.get(browserCookie))
    if (known !== undefined) return { browser: known, cookies: [] }
    const { browser, lifetimeS } = await this.#options.browsers.open()
    return { browser, cookies: [jar.set(browserCookie, browser.id, lifetimeS)] }
  }

  csrf({ id }: Pick<Browser, 'id'>, what: string): string {
    return createHmac('sha256', this.#options.csrfKey).update(`${id} ${what}`).digest('base64url')
  }

  isOurs(browser: Browser, what: string, form: URLSearchParams): boolean {
    const given = Buffer.from(form.get('csrf') ?? '')
    return [browser.id, ...browser.was].some((id) => {
      const expected = Buffer.from(this.csrf({ id }, what))
      return expected.length === given.length && timingSafeEqual(expected, given)
    })
  }

  /**
   * Whether this is the browser in which the person of a finished interaction logged in. The library's cookies of one
   * interaction have a path, so they cannot be `__Host-`: another host of our domain can set them, and so have somebody
   * log in for an authorization that was begun, and is ended, in another browser.
   */
  isBack(uid: string, result: Readonly<Record<string, unknown>>, jar: Jar): boolean {
    const id = jar.get(browserCookie)
    return id !== undefined && result['browser'] === this.csrf({ id }, `back in ${uid}`)
  }

  async #toProvider(
    browser: Browser,
    jar: Jar,
    { asked, isAllowed = false, page = 'consents', wishes = {}, cookies = [] }: Errand,
  ): Promise<Step> {
    const { login, records, clock, waiting } = this.#options
    const attempt = login.newAttempt()
    if (!waiting.hasRoom(clock.now())) return { kind: 'problem', problem: 'crowded' }
    try {
      const url = await login.urlFor(attempt, asked?.wantsFresh ?? wishes)
      const pending: Pending = {
        ...attempt,
        browser: browser.id,
        uid: asked?.uid,
        page,
        wish: asked?.wish,
        expected: browser.account,
        isAllowed,
      }
      waiting.begun(attempt.state, clock.now())
      await records.put('login', attempt.state, { ...pending } as unknown as JsonObject, loginS)
      return { kind: 'provider', url, cookies: [...cookies, jar.set(stateCookieOf(attempt.state), attempt.state, loginS)] }
    } catch (error) {
      if (error instanceof LoginFailed) return { kind: 'problem', problem: error.reason }
      throw error
    }
  }

  async #loggedIn(pending: Pending, before: Browser, loggedIn: LoggedIn, jar: Jar, removed: string): Promise<Step> {
    const { browsers, consents, accounts, keepTokens, note } = this.#options
    const { account } = loggedIn
    const { uid, page, wish, expected, isAllowed } = pending
    await browsers.close(before)
    const { browser, lifetimeS } = await browsers.open(account.id, before)
    const cookies = [removed, jar.set(browserCookie, browser.id, lifetimeS)]
    await accounts.keep(account)
    await keepTokens(account.id, loggedIn)
    await note('login', `user:${account.id}`, '')
    if (uid === undefined || wish === undefined) return { kind: 'back', url: page, cookies }
    // What somebody else agreed to does not bind this person.
    if (expected !== undefined && expected !== account.id) return { kind: 'back', url: `interaction/${uid}?another`, cookies }
    const isNew = !(await consents.covers(account.id, wish))
    // What was agreed to before may have been taken back meanwhile, and nobody has pressed Allow since.
    if (isNew && !isAllowed) return { kind: 'back', url: `interaction/${uid}`, cookies }
    if (isAllowed) await consents.give(account.id, wish)
    if (isNew) await note('consent.given', `user:${account.id}`, wishText(wish))
    return { kind: 'back', url: await this.#grant(uid, wish, loggedIn, browser), cookies }
  }

  async #grant(uid: string, wish: Wish, { account }: LoggedIn, browser: Browser): Promise<string> {
    const { provider, records } = this.#options
    const grant = new provider.Grant({ accountId: account.id, clientId: wish.clientId })
    grant.addOIDCScope('openid offline_access')
    for (const resource of wish.resources)
      grant.addResourceScope(resource, wish.scopes.filter((one) => one !== 'offline_access').join(' '))
    const user = `user:${account.id}`
    const holder = holderOf(user, wish.clientId)
    await this.#pastRevocation({ user, client: wish.clientId, holder, tokenId: undefined })
    const grantId = await grant.save()
    const { contexts, authenticatedAt } = account
    const proof = { contexts, ...(authenticatedAt !== undefined && { authenticatedAt }) }
    await records.put('grant', grantId, { grantId, holder, ...proof }, 365 * 86_400, `grants of ${holder}`)
    return this.#finish(uid, {
      login: { accountId: account.id, remember: false, ...(authenticatedAt !== undefined && { ts: authenticatedAt }) },
      consent: { grantId },
      browser: this.csrf(browser, `back in ${uid}`),
    })
  }

  async #note(action: string, { account }: Browser, detail: string, remote?: string): Promise<void> {
    if (account === undefined) this.#options.noteStranger(action, detail, remote)
    else await this.#options.note(action, `user:${account}`, detail)
  }

  /** Times in tokens have whole seconds, so what was revoked just now would take with it what is issued in the same second. */
  async #pastRevocation(who: Omit<Issued, 'issuedAt'>): Promise<void> {
    const { clock, isRevoked } = this.#options
    const issuedAt = Math.floor(clock.now() / 1000)
    if (isRevoked({ ...who, issuedAt })) await wait(Math.max((issuedAt + 1) * 1000 - clock.now(), 0) + 2) // timers may be early
  }

  /** Hands the result to the authorization server, and gives the place where it goes on. */
  async #finish(uid: string, result: JsonObject): Promise<string> {
    const interaction = await this.#options.provider.Interaction.find(uid)
    if (interaction === undefined) return `interaction/${uid}`
    interaction.result = result as never
    await interaction.save(Math.max(interaction.exp - Math.floor(this.#options.clock.now() / 1000), 1))
    return interaction.returnTo
  }

  /** The request that this browser is in the middle of; undefined when there is none, or none of this browser. */
  async #asked(request: IncomingMessage, response: ServerResponse): Promise<Asked | undefined> {
    const { provider, scopes } = this.#options
    let uid: string
    let params: Readonly<Record<string, unknown>>
    try {
      ;({ uid, params } = await provider.interactionDetails(request, response))
    } catch (error) {
      if ((error as { readonly name?: unknown }).name === 'SessionNotFound') return undefined
      throw error
    }
    const clientId = String(params['client_id'])
    const client = await provider.Client.find(clientId)
    if (client === undefined) return undefined
    const metadata = client.metadata() as unknown as JsonObject
    const isDocument = clientId.startsWith('https://')
    const mayRefresh = client.grantTypeAllowed('refresh_token')
    const wanted = String(params['scope'] ?? '').split(' ')
    const redirectUri = String(params['redirect_uri'])
    const resources = [params['resource'] ?? []].flat().map(String)
    return {
      uid,
      wish: {
        clientId,
        clientName: typeof client.clientName === 'string' ? client.clientName : '',
        redirectUri,
        resources,
        scopes: [...scopes.filter((scope) => wanted.includes(scope)), ...(mayRefresh ? ['offline_access'] : [])],
        clientDigest: digestOf(JSON.parse(JSON.stringify(metadata)) as JsonObject),
      },
      standing: isDocument
        ? 'document'
        : 'clientIdIssuedAt' in client && client['clientIdIssuedAt'] !== undefined
          ? 'registered-itself'
          : 'operator',
      documentHost: isDocument ? new URL(clientId).host : undefined,
      isProven: client.tokenEndpointAuthMethod !== 'none' || new URL(redirectUri).protocol === 'https:',
      mayRefresh,
      wantsFresh: {
        ...(params['max_age'] !== undefined && { max_age: String(params['max_age']) }),
        ...(params['acr_values'] !== undefined && { acr_values: String(params['acr_values']) }),
        ...(params['prompt'] === 'login' && { prompt: 'login' }),
      },
    }
  }
}

const shownOf = ({ wish }: Asked): string => digestOf({ ...wish })
const wishText = ({ clientId, scopes, resources }: Wish): string =>
  `${clientId} for ${scopes.join(' ')} on ${resources.join(' ')}`
