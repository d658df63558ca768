/**
 * The authorization endpoint, `/{tenant}/oauth2/v2.0/authorize`: what is checked, what is asked of the person and in which
 * order, and how the answer goes back. Until client and redirect URI are known to belong together nothing is sent to the
 * client; after that everything is.
 */
import { randomUUID } from 'node:crypto'
import type { Got, Reply } from '../listener.ts'
import { readClaims, stepUp } from './conditions.ts'
import { missingConsent } from './consent.ts'
import { type App, isShared, type RedirectKind, redirectKindOf, type Tenant } from './directory.ts'
import { type Code, type Session, secretText } from './grants.ts'
import { approvalPage, consentPage, formPostPage, problemPage, signInPage } from './page.ts'
import { described, Refused, refuse } from './refusals.ts'
import { checkResourceParameter, readScopes, type Scopes } from './scopes.ts'
import { clientInfo } from './token.ts'
import { clientIn, type World } from './world.ts'

/** A request to sign in, from the first look at it to the answer. */
export interface Flow {
  readonly id: string
  /** The first part of the path, as the caller wrote it. */
  readonly segment: string
  readonly tenant: Tenant | undefined
  readonly client: App
  readonly kind: RedirectKind
  readonly redirectUri: string
  readonly query: URLSearchParams
  /** Only the browser that began it may go on with it. */
  readonly browser: string
  /** What the person did: a prompt is answered once. */
  readonly done: Set<'login' | 'consent'>
}

/** Throws what has to stay on a page here. */
export function readFlow(world: World, segment: string, { query, form }: Got, browser: string): Flow {
  const all = new URLSearchParams([...query, ...form])
  for (const name of new Set(all.keys())) if (name !== 'resource' && all.getAll(name).length > 1) refuse(9000411, name)
  const tenant = isShared(segment) ? undefined : world.directory.tenant(segment)
  const client = clientIn(world.directory, tenant, all.get('client_id') ?? refuse(900144, 'client_id'))
  const redirectUri = all.get('redirect_uri') ?? refuse(900144, 'redirect_uri')
  const kind = redirectKindOf(client, redirectUri) ?? refuse(50011, redirectUri, client.clientId)
  return { id: randomUUID(), segment, tenant, client, kind, redirectUri, query: all, browser, done: new Set() }
}

/** The next thing to do: a page for the person, or the answer for the client. */
export function proceed(world: World, flow: Flow, session: Session | undefined, problem?: string): Reply {
  const { query, tenant } = flow
  try {
    checkRequest(query, flow.kind)
    const text = query.get('scope') ?? refuse(900144, 'scope')
    const scopes = readScopes(text, flow.client, world.directory, tenant)
    checkResourceParameter(query.getAll('resource'), scopes.asked, world.resourceParameter)
    const prompt = query.get('prompt')
    const person = personFor(world, flow, session)
    if (person === undefined) {
      if (prompt === 'none') return refuse(50058)
      return signInPage(stepOf(flow, 'login'), flow.client, peopleFor(world, flow), query.get('login_hint') ?? '', problem)
    }
    return withPerson(world, flow, person, scopes, prompt)
  } catch (error) {
    if (!(error instanceof Refused)) throw error
    return refusedTo(world, flow, error)
  }
}

function withPerson(world: World, flow: Flow, session: Session, scopes: Scopes, prompt: string | null): Reply {
  const { client, query } = flow
  const { user, signIn } = session
  const situation = { user: user.oid, client: client.clientId, resources: scopes.asked.map(({ resource }) => resource.clientId) }
  const steps = world.conditions.missing(situation, signIn.acrs, readClaims(query.get('claims')).acrs)
  if (steps.length > 0) {
    if (prompt === 'none') throw stepUp(situation.resources[0] ?? client.clientId, steps)
    return approvalPage(stepOf(flow, 'SAS/ProcessAuth'), user, steps)
  }
  const missing = missingConsent(world.grants, user, client, scopes)
  const isAsked = prompt === 'consent' && !flow.done.has('consent')
  if (missing.length > 0 && prompt === 'none') refuse(65001, client.clientId, client.name)
  if (missing.length > 0 || isAsked) return consentPage(stepOf(flow, 'Consent/Set'), client, user, missing)
  return answered(flow, [
    ['code', codeFor(world, flow, session)],
    ...(query.get('client_info') === '1' ? [['client_info', clientInfo(session)] as const] : []),
    ...stateOf(flow),
    ['session_state', randomUUID()],
  ])
}

/** Throws what is wrong with the request itself. */
function checkRequest(query: URLSearchParams, kind: RedirectKind): void {
  const type = query.get('response_type') ?? refuse(900144, 'response_type')
  const mode = query.get('response_mode') ?? 'query'
  if (type !== 'code') refuse(700054, type)
  if (!['query', 'fragment', 'form_post'].includes(mode)) refuse(70007, mode)
  const challenge = query.get('code_challenge')
  const method = query.get('code_challenge_method') ?? 'plain'
  if (challenge === null && kind === 'spa') refuse(9002325)
  if (challenge !== null && !/^[\w.~-]{43,128}$/.test(challenge)) refuse(501491)
  if (method !== 'plain' && method !== 'S256') refuse(501491)
}

/** Who is meant: the one who is signed in, unless the request wants somebody else or wants it anew. */
export function personFor(world: World, { tenant, query, done }: Flow, session: Session | undefined): Session | undefined {
  if (session === undefined || world.grants.isDisabled(session.user)) return undefined
  if (tenant !== undefined && session.user.tenant !== tenant.id) return undefined
  if (done.has('login')) return session
  const hint = query.get('login_hint')
  if (['login', 'select_account'].includes(query.get('prompt') ?? '')) return undefined
  return hint === null || hint.toLowerCase() === session.user.username.toLowerCase() ? session : undefined
}

const peopleFor = (world: World, { tenant }: Flow) =>
  world.directory.users.filter((user) => tenant === undefined || user.tenant === tenant.id)
const stepOf = ({ segment, id }: Flow, step: string) => ({ action: `/${segment}/${step}`, flow: id })
const stateOf = ({ query }: Flow): readonly (readonly [string, string])[] => {
  const state = query.get('state')
  return state === null ? [] : [['state', state]]
}

function codeFor(world: World, { client, kind, redirectUri, query }: Flow, { user, signIn }: Session): string {
  const value = query.get('code_challenge')
  const code: Code = {
    ...{ user, signIn, client, kind, redirectUri },
    issuedAtMs: world.clock.now(),
    nonce: query.get('nonce') ?? undefined,
    scope: query.get('scope') as string,
    challenge: value === null ? undefined : { value, method: query.get('code_challenge_method') === 'S256' ? 'S256' : 'plain' },
    claims: query.get('claims'),
    redeemed: false,
  }
  const text = secretText('1.', 300)
  world.grants.codes.set(text, code)
  return text
}

/** An error for the client (RFC 6749, 4.1.2.1); a block by policy stays with the person. */
export function refusedTo(world: World, flow: Flow, refused: Refused): Reply {
  if (refused.code === 53003) return problemPage(refused.message, 403)
  const { error_description, error_uri } = described(refused, world.clock.now())
  // A browser is told of missing consent in OAuth's word for it, a token endpoint is not.
  const error = refused.code === 65001 ? 'consent_required' : refused.error
  return answered(flow, [
    ['error', error],
    ['error_description', String(error_description)],
    ['error_uri', String(error_uri)],
    ...(refused.claims === undefined ? [] : [['claims', refused.claims] as const]),
    ...stateOf(flow),
  ])
}

function answered({ query, redirectUri }: Flow, members: readonly (readonly [string, string])[]): Reply {
  const mode = query.get('response_mode') ?? 'query'
  if (mode === 'form_post') return formPostPage(redirectUri, members)
  const text = new URLSearchParams(members as readonly [string, string][]).toString()
  const mark = mode === 'fragment' ? '#' : redirectUri.includes('?') ? '&' : '?'
  return { status: 302, headers: { location: `${redirectUri}${mark}${text}`, 'cache-control': 'no-store, no-cache' } }
}
