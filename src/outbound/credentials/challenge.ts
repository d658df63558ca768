/**
 * What a server says when it refuses a credential: the `Bearer` challenge of its `WWW-Authenticate` (RFC 9110 section 11.6.1,
 * RFC 6750 section 3, RFC 9728 section 5.1). Read in one pass, because the server wrote it.
 */
import type { HttpResponse } from '../http/transport.ts'

export interface Challenge {
  readonly status: number
  readonly error: string | undefined
  readonly scope: readonly string[] | undefined
  readonly resourceMetadata: string | undefined
  /** Base64 of JSON, as Entra sends it with `insufficient_claims`. */
  readonly claims: string | undefined
}

const headerCharsMax = 8192
const scopesMax = 100

/** The challenge in a response; undefined where the credential is not what it objects to. */
export function challengeOf(response: Pick<HttpResponse, 'status' | 'header'>): Challenge | undefined {
  const { status } = response
  if (status !== 401 && status !== 403) return undefined
  const parameters = bearerOf(response.header('www-authenticate') ?? '')
  const error = parameters?.get('error')
  if (status === 403 && error !== 'insufficient_scope') return undefined
  const scope = parameters?.get('scope')?.split(' ').filter(isScope)
  return {
    status,
    error,
    scope: scope && scope.length > 0 ? scope.slice(0, scopesMax) : undefined,
    resourceMetadata: parameters?.get('resource_metadata'),
    claims: parameters?.get('claims'),
  }
}

/** A scope token of RFC 6749 section 3.3. */
const isScope = (word: string): boolean => /^[\x21\x23-\x5b\x5d-\x7e]{1,256}$/.test(word)

const part =
  /\s*(?:,\s*)*([!#$%&'*+.^_`|~\w-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([!#$%&'*+.^_`|~\w-]+)(?=\s*(?:,|$)))|(?:\s+([\w.~+/-]+=*)(?=\s*(?:,|$)))?)/y

/** The parameters of the Bearer challenges, names in lower case, the first of each; a header that cannot be read has none. */
function bearerOf(header: string): ReadonlyMap<string, string> | undefined {
  if (header.length > headerCharsMax) return undefined
  let found: Map<string, string> | undefined
  let isOurs = false
  part.lastIndex = 0
  for (let match = part.exec(header); match !== null; match = part.exec(header)) {
    const [, name = '', quoted, token] = match
    const value = quoted?.replace(/\\(.)/g, '$1') ?? token
    if (value !== undefined) {
      if (isOurs && !found?.has(name.toLowerCase())) found?.set(name.toLowerCase(), value)
    } else {
      isOurs = name.toLowerCase() === 'bearer'
      if (isOurs) found ??= new Map()
    }
  }
  return found
}
