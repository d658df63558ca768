/**
 * A stand-in for Azure Key Vault, as far as a key-encryption key and referenced secrets need it: the 401 challenge, GET of a
 * key, wrapkey and unwrapkey, GET of a secret. Tokens are checked against the Entra stand-in it belongs to.
 */
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose'
import { type Entra, vaultAudience } from '../entra/entra.ts'
import { type Fault, type Got, type JournalEntry, json, listen, type Reply, type Route } from '../listener.ts'
import { crypt, type KeyPair, makeKey, shelf, type Version } from './store.ts'

export type Permission = 'keys/get' | 'keys/wrapKey' | 'keys/unwrapKey' | 'secrets/get'
export interface KeyVaultOptions {
  readonly entra: Entra
  /** The tenant it trusts. */
  readonly tenant: string
  /** By object id of the principal; everybody of the tenant may do everything where it is not given. */
  readonly access?: Readonly<Record<string, readonly Permission[]>>
  readonly port?: number
}
export type Endpoint = 'key' | 'wrapkey' | 'unwrapkey' | 'secret'

export interface KeyVault {
  readonly url: string
  /** Makes a key, or its next version; returns the id of the version. RSA of 2048 bits unless said otherwise. */
  rotateKey(name: string, modulusBits?: number): string
  /** A secret, or its next version; returns the id of the version. */
  setSecret(name: string, value: string): string
  /** All versions where none is named. */
  disableKey(name: string, version?: string): void
  enableKey(name: string, version?: string): void
  disableSecret(name: string, version?: string): void
  fail(endpoint: Endpoint, fault: Fault): void
  heal(endpoint?: Endpoint): void
  journal(endpoint?: Endpoint): readonly JournalEntry[]
  close(): Promise<void>
}

const pathOf = /^\/(keys|secrets)\/([0-9A-Za-z-]{1,127})(?:\/([0-9a-f]{32})?)?(?:\/?(wrapkey|unwrapkey))?\/?$/

export async function startKeyVault({ entra, tenant, access, port = 0 }: KeyVaultOptions): Promise<KeyVault> {
  const keys = shelf<KeyPair>()
  const secrets = shelf<string>()
  const tls = entra.ca === '' ? {} : { tls: entra.certificates.issue('vault.stand-in.test') }
  let url = ''

  function route({ path, method }: Got): Route<Endpoint> | undefined {
    const [, kind, name = '', version, operation] = pathOf.exec(path) ?? []
    if (kind === undefined) return undefined
    const withAccess = (permission: Permission, answer: (got: Got) => Reply) => async (got: Got) =>
      (await refused(got, permission)) ?? answer(got)
    if (kind === 'secrets')
      return operation || method !== 'GET'
        ? undefined
        : { endpoint: 'secret', answer: withAccess('secrets/get', () => secret(name, version)) }
    if (operation === undefined)
      return method === 'GET' ? { endpoint: 'key', answer: withAccess('keys/get', () => key(name, version)) } : undefined
    const how = operation as 'wrapkey' | 'unwrapkey'
    const permission = how === 'wrapkey' ? 'keys/wrapKey' : 'keys/unwrapKey'
    return method === 'POST'
      ? { endpoint: how, answer: withAccess(permission, (got) => operate(how, name, version, got.body)) }
      : undefined
  }

  /** The first call comes without a token, to learn from the challenge where to get one. */
  async function refused({ headers, query }: Got, permission: Permission): Promise<Reply | undefined> {
    const challenge = { 'www-authenticate': `Bearer authorization="${entra.authority(tenant)}", resource="${vaultAudience}"` }
    const [, token] = /^Bearer (\S+)$/i.exec(headers['authorization'] ?? '') ?? []
    if (token === undefined)
      return error(401, 'Unauthorized', 'AKV10000: Request is missing a Bearer or PoP token.', undefined, challenge)
    const principal = await principalOf(token)
    if (principal === undefined)
      return error(
        401,
        'Unauthorized',
        'AKV10022: The token is not valid for this vault: signature, audience, issuer or lifetime.',
        undefined,
        challenge,
      )
    if (query.get('api-version') === null) return error(400, 'BadParameter', 'The api-version query parameter is required.')
    if (access === undefined || access[principal]?.includes(permission)) return undefined
    return error(403, 'Forbidden', `Caller is not authorized to perform action ${permission}.`, 'ForbiddenByRbac')
  }

  async function principalOf(token: string): Promise<string | undefined> {
    const issuer = entra.issuers.v1.replace('{tenantid}', tenant)
    const currentDate = new Date(entra.clock.now())
    const options = {
      algorithms: ['RS256'],
      issuer,
      audience: [vaultAudience, `${vaultAudience}/`],
      currentDate,
      requiredClaims: ['exp'],
    }
    try {
      const { payload } = await jwtVerify(token, createLocalJWKSet(entra.jwks() as unknown as JSONWebKeySet), options)
      return String(payload['oid'])
    } catch {
      return undefined
    }
  }

  function key(name: string, version: string | undefined): Reply {
    const found = keys.get(name, version)
    if (found === undefined) return missing('key', name)
    const { n, e } = found.content.publicKey.export({ format: 'jwk' })
    const kid = `${url}/keys/${name}/${found.id}`
    const key_ops = ['encrypt', 'decrypt', 'sign', 'verify', 'wrapKey', 'unwrapKey']
    return json({ key: { kid, kty: 'RSA', key_ops, n, e }, attributes: { ...attributes(found), exportable: false }, tags: {} })
  }

  function operate(how: 'wrapkey' | 'unwrapkey', name: string, version: string | undefined, body: string): Reply {
    const found = keys.get(name, version)
    if (found === undefined) return missing('key', name)
    if (!found.enabled) return error(403, 'Forbidden', `Operation ${how} is not allowed on a disabled key.`, 'KeyDisabled')
    const { alg, value } = members(body)
    const result = typeof alg === 'string' && typeof value === 'string' ? crypt(how, found.content, alg, value) : undefined
    if (result === undefined) return error(400, 'BadParameter', 'The parameter is incorrect.')
    return json({ kid: `${url}/keys/${name}/${found.id}`, value: result })
  }

  function secret(name: string, version: string | undefined): Reply {
    const found = secrets.get(name, version)
    if (found === undefined) return missing('secret', name)
    if (!found.enabled) return error(403, 'Forbidden', 'Operation get is not allowed on a disabled secret.', 'SecretDisabled')
    return json({ value: found.content, id: `${url}/secrets/${name}/${found.id}`, attributes: attributes(found), tags: {} })
  }

  const listener = await listen<Endpoint>({ route, faulty, port, ...tls })
  url = listener.url
  return {
    url,
    rotateKey: (name, modulusBits = 2048) => keys.add(name, makeKey(modulusBits), entra.clock.now()),
    setSecret: (name, value) => secrets.add(name, value, entra.clock.now()),
    disableKey: (name, version) => keys.enable(name, false, version),
    enableKey: (name, version) => keys.enable(name, true, version),
    disableSecret: (name, version) => secrets.enable(name, false, version),
    fail: listener.fail,
    heal: listener.heal,
    journal: (endpoint) => listener.journal.filter((one) => endpoint === undefined || one.endpoint === endpoint),
    close: listener.close,
  }
}

const attributes = ({ enabled, createdAtMs }: Version<unknown>): Record<string, unknown> => {
  const created = Math.floor(createdAtMs / 1000)
  return { enabled, created, updated: created, recoveryLevel: 'Recoverable+Purgeable', recoverableDays: 90 }
}

function members(body: string): Record<string, unknown> {
  try {
    return JSON.parse(body) as Record<string, unknown>
  } catch {
    return {}
  }
}

const missing = (kind: 'key' | 'secret', name: string): Reply =>
  error(
    404,
    kind === 'key' ? 'KeyNotFound' : 'SecretNotFound',
    `A ${kind} with (name/id) ${name} was not found in this key vault.`,
  )

const error = (status: number, code: string, message: string, inner?: string, headers: Reply['headers'] = {}): Reply =>
  json({ error: { code, message, ...(inner === undefined ? {} : { innererror: { code: inner } }) } }, status, headers)

const faulty = (status: number): string =>
  error(status, status === 429 ? 'Throttled' : 'InternalServerError', 'Request was not processed. Try again later.')
    .body as string
