/**
 * The three calls of the Azure Key Vault REST API (2025-07-01) that a key provider needs: get a key, wrap, unwrap. What is
 * throttled or out of order is tried again, as long as `Retry-After` says or a little longer each time; what is refused is not.
 */
import { z } from 'zod'
import { FetchRefused } from '../../lib/fetch-refused.ts'
import { VaultKeyMissing, VaultKeyRefused, VaultUnavailable } from '../errors.ts'

/** How Key Vault is reached, and who we are there. */
export interface KeyVaultAccess {
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>
  /**
   * An access token for the scope, kept and renewed by whoever gives it. Rejects with VaultUnavailable or VaultKeyRefused
   * where it can say why there is none.
   */
  readonly token: (scope: string) => Promise<string>
}

export interface KeyVaultKey {
  /** With its version. */
  readonly kid: string
  readonly kty: string
  readonly operations: readonly string[]
  readonly enabled: boolean
}

const version = 'api-version=2025-07-01'
const algorithm = 'RSA-OAEP-256'
const requestTimeoutMs = 5000
const attemptsMax = 4
const waitMsFirst = 500
const waitMsMax = 10_000
const answerCharsMax = 65_536

const keySchema = z.object({
  key: z.object({ kid: z.string(), kty: z.string(), key_ops: z.array(z.string()).default([]) }),
  attributes: z.object({ enabled: z.boolean().default(true) }).prefault({}),
})
const valueSchema = z.object({ kid: z.string(), value: z.base64url().min(1) })
const errorSchema = z.object({
  error: z.object({ code: z.string(), innererror: z.object({ code: z.string() }).optional() }),
})

export class KeyVaultClient {
  readonly #access: KeyVaultAccess
  readonly #wait: (ms: number) => Promise<void>
  readonly #now: () => number

  constructor(access: KeyVaultAccess, wait: (ms: number) => Promise<void>, now: () => number) {
    this.#access = access
    this.#wait = wait
    this.#now = now
  }

  /** Its newest version. `key`: the URL without one. */
  async key(key: string): Promise<KeyVaultKey> {
    const { key: found, attributes } = read(keySchema, await this.#call(key, undefined, attemptsMax))
    return { kid: found.kid, kty: found.kty, operations: found.key_ops, enabled: attributes.enabled }
  }

  async wrap(kid: string, plaintext: Uint8Array): Promise<Uint8Array> {
    const body = { alg: algorithm, value: Buffer.from(plaintext).toString('base64url') }
    return Buffer.from(read(valueSchema, await this.#call(`${kid}/wrapkey`, body, attemptsMax)).value, 'base64url')
  }

  /** Undefined where this key did not wrap it. `hasOther`: there is another way, so that nothing is tried twice. */
  async unwrap(kid: string, wrapped: Uint8Array, hasOther: boolean): Promise<Buffer | undefined> {
    const body = { alg: algorithm, value: Buffer.from(wrapped).toString('base64url') }
    const answer = await this.#call(`${kid}/unwrapkey`, body, hasOther ? 1 : attemptsMax)
    return answer === undefined ? undefined : Buffer.from(read(valueSchema, answer).value, 'base64url')
  }

  /** The answer; undefined where the request itself was bad, as a value is that was changed. */
  async #call(url: string, body: object | undefined, attempts: number): Promise<unknown> {
    let waitMs = waitMsFirst
    for (let attempt = 1; ; attempt++) {
      const { answer, why, retryMs } = await this.#tried(url, body)
      if (why === undefined) return answer
      if (attempt >= attempts) throw new VaultUnavailable(`Azure Key Vault does not answer for ${url}: ${why}`, unavailableFix)
      await this.#wait(Math.min(retryMs ?? waitMs, waitMsMax))
      waitMs *= 2
    }
  }

  async #tried(url: string, body: object | undefined): Promise<{ answer?: unknown; why?: string; retryMs?: number | undefined }> {
    let response: Response
    let text: string
    try {
      const token = await this.#access.token(scopeOf(url))
      response = await this.#access.fetch(`${url}?${version}`, {
        method: body === undefined ? 'GET' : 'POST',
        headers: { authorization: `Bearer ${token}`, accept: 'application/json', 'content-type': 'application/json' },
        redirect: 'error', // another host would be handed our token
        signal: AbortSignal.timeout(requestTimeoutMs),
        ...(body && { body: JSON.stringify(body) }),
      })
      text = await response.text()
    } catch (error) {
      if (error instanceof VaultUnavailable || error instanceof VaultKeyRefused) throw error // whoever gives tokens tries again
      return { why: reasonOf(error) }
    }
    if (response.status === 408 || response.status === 429 || response.status >= 500)
      return { why: `status ${response.status}`, retryMs: retryAfterMs(response, this.#now()) }
    if (response.status === 400 && body !== undefined) return {}
    if (!response.ok) throw refusalOf(url, response.status, text)
    if (text.length > answerCharsMax) return { why: 'an answer that is too long' }
    try {
      return { answer: JSON.parse(text) }
    } catch {
      return { why: 'an answer that is no JSON' }
    }
  }
}

/** What does not fit is not repeated: it may hold a key. */
function read<Schema extends z.ZodType>(schema: Schema, answer: unknown): z.output<Schema> {
  const found = schema.safeParse(answer)
  if (!found.success)
    throw new VaultUnavailable('Azure Key Vault answers what we do not understand', 'check the address of the key')
  return found.data
}

const unavailableFix = 'check the network and the state of Azure; what was opened before stays usable for "cacheMs"'

/** The authority says which tokens it takes; a challenge could name another, and is not followed. */
const authorities = ['vault.azure.net', 'vault.azure.cn', 'vault.usgovcloudapi.net', 'managedhsm.azure.net'] as const
function scopeOf(url: string): string {
  const { hostname } = new URL(url)
  return `https://${authorities.find((authority) => hostname.endsWith(`.${authority}`)) ?? authorities[0]}/.default`
}

/** RFC 9110, section 10.2.3: seconds, or a date. */
function retryAfterMs(response: Response, now: number): number | undefined {
  const given = response.headers.get('retry-after')
  if (given === null) return undefined
  const ms = /^\d{1,6}$/.test(given) ? Number(given) * 1000 : Date.parse(given) - now
  return Number.isNaN(ms) ? undefined : Math.max(ms, 0)
}

/** The code alone: a message that is not ours may quote the request. */
function reasonOf(error: unknown): string {
  if (error instanceof FetchRefused) return error.message
  const { name, cause } = error as Error & { cause?: { code?: unknown } }
  return typeof cause?.code === 'string' ? cause.code : name
}

function refusalOf(url: string, status: number, text: string): Error {
  const code = codeIn(text)
  if (status === 404)
    return new VaultKeyMissing(`Azure Key Vault has no key ${url} (${code})`, 'recover or restore the key in Azure')
  if (status === 401)
    return new VaultKeyRefused(`Azure Key Vault does not know us (${code})`, 'check the credential of the gateway and its tenant')
  if (code === 'KeyDisabled')
    return new VaultKeyRefused(`the key ${url} is disabled in Azure Key Vault`, 'enable it, or rotate away from it before')
  return new VaultKeyRefused(
    `Azure Key Vault refuses the use of ${url} (${status} ${code})`,
    'give the gateway the role "Key Vault Crypto Service Encryption User" on the key, and check its dates and its firewall',
  )
}

function codeIn(text: string): string {
  try {
    const { error } = errorSchema.parse(JSON.parse(text))
    const code = error.innererror?.code ?? error.code
    return /^[A-Za-z]{1,64}$/.test(code) ? code : 'no code'
  } catch {
    return 'no code'
  }
}
