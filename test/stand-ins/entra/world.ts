/** All that the endpoints share: the set-up, the state, and how a token is made of them. */
import { createHash } from 'node:crypto'
import type { StandInClock } from '../clock.ts'
import type { Conditions } from './conditions.ts'
import type { App, Directory, Tenant } from './directory.ts'
import type { Grants } from './grants.ts'
import { type Algorithm, compact, type KeyName, type KeySet } from './keys.ts'
import { refuse } from './refusals.ts'
import type { ResourceParameter } from './scopes.ts'
import { type AccessWanted, accessToken, type Content, type Minting } from './tokens.ts'

export interface World {
  /** Where the stand-in is, without a slash at the end. */
  readonly url: string
  readonly clock: StandInClock
  readonly directory: Directory
  readonly grants: Grants
  readonly keys: KeySet
  readonly conditions: Conditions
  readonly minting: Minting
  readonly resourceParameter: ResourceParameter
  readonly isSecure: boolean
}

/** What may be changed in a token to make it wrong. */
export interface Mutation {
  /** Members in place of ours; undefined takes one out. */
  readonly claims?: Readonly<Record<string, unknown>>
  readonly header?: Readonly<Record<string, unknown>>
  readonly key?: KeyName
  readonly algorithm?: Algorithm
  /** In place of all claims, as it stands. */
  readonly payloadText?: string
}

export function signed({ keys }: Pick<World, 'keys'>, content: Content, mutation: Mutation = {}): string {
  const key = keys.named(mutation.key ?? 'current')
  const algorithm = mutation.algorithm ?? 'RS256'
  const { x5t, ...rest } = content.header
  const header = { ...rest, alg: algorithm, ...(x5t === undefined ? {} : { x5t: key.kid }), kid: key.kid, ...mutation.header }
  const payload = mutation.payloadText ?? JSON.stringify({ ...content.claims, ...mutation.claims })
  const nonce = content.header['nonce']
  if (nonce === undefined) return compact(header, payload, key, algorithm)
  return withNonce(compact({ ...header, nonce: hashed(nonce) }, payload, key, algorithm), () => nonce)
}

const hashed = (nonce: string): string => createHash('sha256').update(nonce).digest('base64url')

function withNonce(token: string, change: (nonce: string) => string): string {
  const [header = '', ...rest] = token.split('.')
  const members = JSON.parse(Buffer.from(header, 'base64url').toString('utf8')) as Record<string, string>
  const changed = JSON.stringify({ ...members, nonce: change(members['nonce'] ?? '') })
  return [Buffer.from(changed, 'utf8').toString('base64url'), ...rest].join('.')
}

/** A token for Graph as its signature means it: the nonce is hashed, so that nobody but Graph can check what it was given. */
export const asGraphReadsIt = (token: string): string => withNonce(token, hashed)

/** An access token, remembered where it names a person: revoking the sign-in has to find it. */
export function issueAccess(world: World, wanted: AccessWanted): { readonly token: string; readonly expiresInSeconds: number } {
  const content = accessToken(world.minting, wanted)
  if (wanted.person) world.grants.issued.set(content.claims['uti'] as string, wanted.person)
  return { token: signed(world, content), expiresInSeconds: content.lifetimeSeconds }
}

/** The tenant of a path and a client: the shared ones need a multi-tenant app. Throws AADSTS90002, 700016 and 50194. */
export function clientIn(directory: Directory, tenant: Tenant | undefined, clientId: string): App {
  const app = directory.app(clientId, tenant)
  if (tenant === undefined && app.multiTenant !== true) refuse(50194, app.clientId, app.name)
  return app
}
