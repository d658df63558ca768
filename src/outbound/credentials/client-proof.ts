/** How we prove to a token endpoint who we are (RFC 6749 section 2.3, RFC 7523 section 2.2, OpenID Connect Core section 9). */
import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { importPKCS8, SignJWT } from 'jose'
import type { Clock } from '../../lib/clock.ts'
import { TokenRefused } from './failure.ts'
import type { ClientProof } from './schema.ts'
import type { ProveClient } from './token-endpoint.ts'

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const assertionS = 300
const tokenFileCharsMax = 16_384

export interface Audience {
  /** Who an assertion is for: the issuer where it is known, else the token endpoint. */
  readonly audience: string
  /** `token_endpoint_auth_methods_supported`; undefined where the server does not say (RFC 8414 section 2: basic). */
  readonly methods?: readonly string[] | undefined
}

export function clientProof(client: ClientProof, { audience, methods }: Audience, clock: Clock): ProveClient {
  const { clientId, clientSecret, privateKey, tokenFile } = client
  if (privateKey !== undefined) return async (form) => assert(form, await signed(client, privateKey.reveal(), audience, clock))
  if (tokenFile !== undefined)
    return async (form) => {
      form.set('client_id', clientId)
      assert(form, await readToken(tokenFile))
    }
  if (clientSecret === undefined) return (form) => form.set('client_id', clientId)
  return secretProof(clientId, clientSecret.reveal(), client.authMethod ?? methodOf(methods))
}

function methodOf(methods: readonly string[] | undefined): string {
  const known = ['client_secret_basic', 'client_secret_post'].find((method) => methods === undefined || methods.includes(method))
  if (known === undefined)
    throw new TokenRefused(
      'no_common_method',
      'the authorization server accepts neither client_secret_basic nor client_secret_post',
    )
  return known
}

export const secretProof = (clientId: string, secret: string, method: string): ProveClient =>
  method === 'client_secret_post'
    ? (form) => {
        form.set('client_id', clientId)
        form.set('client_secret', secret)
      }
    : (_, headers) => {
        const pair = `${formEncoded(clientId)}:${formEncoded(secret)}` // RFC 6749 section 2.3.1
        headers['authorization'] = `Basic ${Buffer.from(pair).toString('base64')}`
      }

const formEncoded = (text: string): string => new URLSearchParams({ '': text }).toString().slice(1)

function assert(form: URLSearchParams, assertion: string): void {
  form.set('client_assertion_type', assertionType)
  form.set('client_assertion', assertion)
}

async function signed({ clientId, algorithm, keyId }: ClientProof, pem: string, audience: string, clock: Clock): Promise<string> {
  const now = Math.floor(clock.now() / 1000)
  try {
    return await new SignJWT({})
      .setProtectedHeader({ alg: algorithm, typ: 'JWT', ...(keyId !== undefined && { kid: keyId }) })
      .setIssuer(clientId)
      .setSubject(clientId)
      .setAudience(audience)
      .setJti(randomUUID())
      .setIssuedAt(now)
      .setNotBefore(now)
      .setExpirationTime(now + assertionS)
      .sign(await importPKCS8(pem, algorithm))
  } catch {
    throw new TokenRefused('unusable_key', `"privateKey" is not a PKCS #8 key for ${algorithm}`) // its text stays out of errors
  }
}

/** Read anew each time: the platform replaces it before it runs out. */
export async function readToken(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new TokenRefused('no_token_file', `"tokenFile" cannot be read (${error.code})`)
  })
  const token = text.trim()
  if (token === '' || token.length > tokenFileCharsMax || /\s/.test(token))
    throw new TokenRefused('no_token_file', '"tokenFile" does not hold one token')
  return token
}
