/**
 * The keys an issuer signs with: found through its metadata (OpenID Connect Discovery 1.0; RFC 8414), kept, and fetched
 * again when they grow old or when a token names one that is not known, which strangers can make happen at will: at most
 * once in five minutes, once for all who wait. What was good stays good while the issuer cannot be reached, for a day.
 */
import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto'
import type { Clock } from '../../lib/clock.ts'
import { type JsonObject, parseStrict } from '../../lib/strict-json.ts'

export interface SigningKey {
  readonly key: KeyObject
  readonly kid: string | undefined
  /** As published; undefined where the issuer does not say. */
  readonly alg: string | undefined
  /** Entra: for whose tokens the key is, `{tenantid}` standing for any tenant. */
  readonly issuer: string | undefined
}

export interface IssuerDocument {
  readonly issuer: string
  readonly jwksUri: string
}

/** Gives the parsed body of a document. Rejects for anything but a 200 with JSON. */
export type GetJson = (url: string) => Promise<JsonObject>

export interface SigningKeysOptions {
  readonly metadataUrls: readonly string[]
  /** False refuses the document: it is not of the issuer that was asked for (RFC 8414, 3.3). */
  isIssuer(issuer: string): boolean
  readonly getJson: GetJson
  readonly clock: Clock
}

const freshMs = 3_600_000
const goodMs = 86_400_000
const strangersMs = 300_000
const keysMax = 100
const failuresMs = 5000

export class SigningKeys {
  readonly #options: SigningKeysOptions
  #keys: readonly SigningKey[] = []
  #issuer: string | undefined
  #fetchedAt = Number.NEGATIVE_INFINITY
  #failedAt = Number.NEGATIVE_INFINITY
  #strangersAt = Number.NEGATIVE_INFINITY
  #fetching: Promise<void> | undefined

  constructor(options: SigningKeysOptions) {
    this.#options = options
  }

  /** The issuer as its metadata calls it; undefined until keys were asked for. */
  get issuer(): string | undefined {
    return this.#issuer
  }

  /** The keys that may have signed a token with this `kid`. Rejects when there are none to go by. */
  async find(kid: string | undefined): Promise<readonly SigningKey[]> {
    const now = this.#options.clock.monotonic()
    if (now - this.#fetchedAt > freshMs) await this.#refresh(now)
    const found = this.#named(kid)
    if (found.length > 0 || now - this.#strangersAt < strangersMs) return found
    this.#strangersAt = now
    await this.#refresh(now)
    return this.#named(kid)
  }

  #named(kid: string | undefined): readonly SigningKey[] {
    return kid === undefined ? this.#keys : this.#keys.filter((key) => key.kid === kid)
  }

  async #refresh(now: number): Promise<void> {
    const isGood = now - this.#fetchedAt < goodMs
    if (isGood && now - this.#failedAt < failuresMs) return
    this.#fetching ??= this.#load().finally(() => {
      this.#fetching = undefined
    })
    try {
      await this.#fetching
    } catch (error) {
      this.#failedAt = now
      if (!isGood) throw error
    }
  }

  async #load(): Promise<void> {
    const { issuer, jwksUri } = await this.#document()
    const body = await this.#options.getJson(jwksUri)
    const { keys: published } = body
    if (!Array.isArray(published)) throw new Error(`${jwksUri} has no list of keys`)
    this.#keys = published
      .slice(0, keysMax)
      .map(imported)
      .filter((key) => key !== undefined)
    this.#issuer = issuer
    this.#fetchedAt = this.#options.clock.monotonic()
  }

  async #document(): Promise<IssuerDocument> {
    const { metadataUrls, getJson, isIssuer } = this.#options
    let failure: unknown
    for (const url of metadataUrls) {
      try {
        const { issuer, jwks_uri: jwksUri } = await getJson(url)
        if (typeof issuer !== 'string' || typeof jwksUri !== 'string') throw new Error(`${url} names no issuer or no keys`)
        if (!isIssuer(issuer)) throw new Error(`${url} is the document of another issuer`)
        return { issuer, jwksUri }
      } catch (error) {
        failure ??= error
      }
    }
    throw failure
  }
}

/** A public key for signatures, or undefined for any other entry: a secret or a symmetric key is never taken. */
function imported(jwk: unknown): SigningKey | undefined {
  if (typeof jwk !== 'object' || jwk === null) return undefined
  const { kty, use, kid, alg, issuer, d } = jwk as Readonly<Record<string, unknown>>
  const isPublic = (kty === 'RSA' || kty === 'EC' || kty === 'OKP') && d === undefined
  if (!isPublic || (use !== undefined && use !== 'sig')) return undefined
  try {
    const key = createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' })
    return { key, kid: textOrNothing(kid), alg: textOrNothing(alg), issuer: textOrNothing(issuer) }
  } catch {
    return undefined
  }
}

const textOrNothing = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)

/** RFC 8414, 3.1 and OpenID Connect Discovery 1.0, 4: where the metadata of an issuer may be. */
export function metadataUrlsOf(issuer: string): readonly string[] {
  const { origin, pathname } = new URL(issuer)
  const path = pathname === '/' ? '' : pathname.replace(/\/$/, '')
  return [
    `${origin}${path}/.well-known/openid-configuration`,
    `${origin}/.well-known/oauth-authorization-server${path}`,
    ...(path === '' ? [] : [`${origin}/.well-known/openid-configuration${path}`]),
  ]
}

/** The body of a response of our hardened fetch, as strict JSON. */
export function jsonGetter(get: (url: string) => Promise<Response>): GetJson {
  return async (url) => {
    const response = await get(url)
    if (response.status !== 200) throw new Error(`${url} answered HTTP ${response.status}`)
    const body = parseStrict(await response.text())
    if (typeof body !== 'object' || body === null || Array.isArray(body)) throw new Error(`${url} is not a JSON object`)
    return body as JsonObject
  }
}
