/** Tokens on demand, without anybody signing in: the right one, or one that is wrong in exactly one place. */
import type { App } from './directory.ts'
import { accessToken, idToken, type SignIn } from './tokens.ts'
import { type Mutation, signed, type World } from './world.ts'

export interface Issue extends Mutation {
  /** Client id. */
  readonly client: string
  /** Client id or App ID URI of the API; a v1 token has it as audience. An ID token is for the client. */
  readonly resource?: string
  /** Object id; without one the token is the app's own. */
  readonly user?: string | undefined
  /** All of the API unless said otherwise. */
  readonly scopes?: readonly string[]
  /** Where the user is in several, or an app asks elsewhere than at home. */
  readonly tenant?: string
  /** `access` unless said otherwise. */
  readonly kind?: 'access' | 'id'
  readonly acrs?: readonly string[]
  /** `cp1`. */
  readonly capabilities?: readonly string[]
  readonly nonce?: string
  readonly lifetimeSeconds?: number
}

export function issued(world: World, wanted: Issue): string {
  const { directory, minting, clock } = world
  const client = directory.app(wanted.client)
  const user = directory.users.find(({ oid, tenant }) => oid === wanted.user && (wanted.tenant ?? tenant) === tenant)
  if (wanted.user !== undefined && user === undefined) throw new Error(`no user has the object id ${wanted.user}`)
  const tenant = directory.tenant(wanted.tenant ?? user?.tenant ?? client.tenant)
  const signIn: SignIn = { authTimeMs: clock.now(), acrs: wanted.acrs ?? [], amr: ['pwd'] }
  if (wanted.kind === 'id') {
    if (user === undefined) throw new Error('an ID token is about a user: name one')
    const scopes = new Set(['openid', 'profile', 'email'])
    return signed(world, idToken(minting, { tenant, client, user, signIn, scopes, nonce: wanted.nonce }), wanted)
  }
  const identifier = wanted.resource ?? client.clientId
  const resource: App = directory.resource(identifier)
  const person = user && { user, signIn, scopes: wanted.scopes ?? resource.scopes ?? [] }
  const { lifetimeSeconds, capabilities = [] } = wanted
  const content = accessToken(minting, {
    ...{ tenant, client, resource, identifier, capabilities },
    proof: user ? '0' : '1',
    ...(person ? { person } : {}),
    ...(lifetimeSeconds === undefined ? {} : { lifetimeSeconds }),
  })
  return signed(world, content, wanted)
}
