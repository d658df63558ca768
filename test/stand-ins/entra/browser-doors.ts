/**
 * What a browser talks to: the authorization endpoint, the three forms, and signing out. Two cookies: one binds a form to
 * the browser that was shown it, the other (`ESTSAUTH`) is the sign-in that makes a second visit silent.
 */
import type { Got, Reply } from '../listener.ts'
import { type Flow, personFor, proceed, readFlow, refusedTo } from './authorize.ts'
import { readClaims } from './conditions.ts'
import { missingConsent } from './consent.ts'
import { redirectKindOf } from './directory.ts'
import { type Session, secretText } from './grants.ts'
import { problemPage, signedOutPage } from './page.ts'
import { Refused } from './refusals.ts'
import { readScopes } from './scopes.ts'
import type { World } from './world.ts'

const browserCookie = 'esctx'
const sessionCookie = 'ESTSAUTH'

export interface BrowserDoors {
  authorize(segment: string, got: Got): Reply
  /** A form that was sent. */
  step(name: 'login' | 'approve' | 'consent', got: Got): Reply
  logout(got: Got): Reply
}

export function browserDoors(world: World): BrowserDoors {
  const flows = new Map<string, Flow>()
  const attributes = `Path=/; HttpOnly; ${world.isSecure ? 'Secure; SameSite=None' : 'SameSite=Lax'}`
  const setting = (name: string, value: string): string => `${name}=${value}; ${attributes}`

  const sessionIn = (got: Got): Session | undefined => world.grants.sessions.get(cookie(got, sessionCookie) ?? '')

  function signedIn(session: Session): string {
    const id = secretText('0.', 60)
    world.grants.sessions.set(id, session)
    return setting(sessionCookie, id)
  }

  const signIn = (flow: Flow, got: Got): Reply => {
    const username = got.form.get('username') ?? ''
    const user = world.directory.named(username, flow.tenant)
    if (user === undefined) return proceed(world, flow, undefined, `We couldn't find an account with the username ${username}.`)
    if (world.grants.isDisabled(user)) return proceed(world, flow, undefined, new Refused(50057).message)
    flow.done.add('login')
    const session = { user, signIn: { authTimeMs: world.clock.now(), acrs: [], amr: ['pwd'] } }
    return withCookies(proceed(world, flow, session), signedIn(session))
  }

  const approve = (flow: Flow, got: Got, session: Session): Reply => {
    if (got.form.get('approve') !== 'yes') return refusedTo(world, flow, new Refused(65004))
    const scopes = readScopes(flow.query.get('scope') ?? '', flow.client, world.directory, flow.tenant)
    const resources = scopes.asked.map(({ resource }) => resource.clientId)
    const situation = { user: session.user.oid, client: flow.client.clientId, resources }
    const { acrs } = session.signIn
    const reached = world.conditions.missing(situation, acrs, readClaims(flow.query.get('claims')).acrs)
    const stronger = { authTimeMs: world.clock.now(), acrs: [...acrs, ...reached], amr: ['pwd', 'mfa'] }
    const next = { user: session.user, signIn: stronger }
    return withCookies(proceed(world, flow, next), signedIn(next))
  }

  const agree = (flow: Flow, got: Got, session: Session): Reply => {
    if (got.form.get('consent') !== 'accept') return refusedTo(world, flow, new Refused(65004))
    const scopes = readScopes(flow.query.get('scope') ?? '', flow.client, world.directory, flow.tenant)
    for (const { resource, names } of missingConsent(world.grants, session.user, flow.client, scopes))
      world.grants.consent(session.user, flow.client, resource, names)
    flow.done.add('consent')
    return proceed(world, flow, session)
  }

  return {
    authorize: (segment, got) => {
      const browser = cookie(got, browserCookie) ?? secretText('', 24)
      try {
        const flow = readFlow(world, segment, got, browser)
        flows.set(flow.id, flow)
        return withCookies(proceed(world, flow, sessionIn(got)), setting(browserCookie, browser))
      } catch (error) {
        if (!(error instanceof Refused)) throw error
        return problemPage(error.message)
      }
    },
    step: (name, got) => {
      const flow = flows.get(got.form.get('flow') ?? '')
      if (flow === undefined || flow.browser !== cookie(got, browserCookie))
        return problemPage('AADSTS165000: Invalid Request: Request tokens (token in the form and cookie) do not match.')
      if (name === 'login') return signIn(flow, got)
      const session = personFor(world, flow, sessionIn(got))
      if (session === undefined) return proceed(world, flow, undefined)
      return name === 'approve' ? approve(flow, got, session) : agree(flow, got, session)
    },
    logout: (got) => {
      const session = cookie(got, sessionCookie)
      if (session !== undefined) world.grants.sessions.delete(session)
      const gone = `${setting(sessionCookie, '')}; Max-Age=0`
      const back = got.query.get('post_logout_redirect_uri')
      const client = got.query.get('client_id')
      const isKnown = back !== null && client !== null && redirectKindOf(world.directory.app(client), back) !== undefined
      if (!isKnown) return withCookies(signedOutPage(), gone)
      const state = got.query.get('state')
      const location = state === null ? back : `${back}${back.includes('?') ? '&' : '?'}${new URLSearchParams({ state })}`
      return withCookies({ status: 302, headers: { location } }, gone)
    },
  }
}

const withCookies = (reply: Reply, ...set: readonly string[]): Reply => ({
  ...reply,
  headers: { ...reply.headers, 'set-cookie': [...(reply.headers?.['set-cookie'] ?? []), ...set] },
})

function cookie({ headers }: Got, name: string): string | undefined {
  const found = headers['cookie']?.split('; ').find((one) => one.startsWith(`${name}=`))
  return found?.slice(name.length + 1)
}
