/** What a fetch can be refused for, and what is made of an error on the way: its code, never its text or what came with it. */
export type FetchRefusalCode =
  /** Not a URL, or a host that is neither an address nor a name of the DNS. */
  | 'url'
  | 'scheme'
  | 'credentials'
  | 'port'
  /** It leads, or is known to lead, to this machine or into a network. */
  | 'address'
  /** The name has no address. */
  | 'name'
  /** One that is not followed. */
  | 'redirect'
  | 'size'
  | 'time'
  /** The answer is compressed. */
  | 'encoding'
  /** The certificate, or the handshake. */
  | 'tls'
  | 'unreachable'
  /** What came back is not HTTP. */
  | 'answer'
  /** What was to be sent is not a request. */
  | 'request'

/**
 * Why nothing was fetched. For the operator, as `message` and `code` tell which hosts and ports exist in his network; whoever
 * named the URL is told that it could not be fetched, and no more.
 */
export class FetchRefused extends Error {
  override readonly name = 'FetchRefused'
  readonly code: FetchRefusalCode
  readonly fix: string
  constructor(code: FetchRefusalCode, message: string, fix: string) {
    super(message)
    this.code = code
    this.fix = fix
  }
}

/** By the codes of Node, OpenSSL and undici, or the name of an error that has none. The first that fits. */
const failures: readonly (readonly [error: RegExp, code: FetchRefusalCode, says: string, fix: string])[] = [
  [/^(UND_ERR_HEADERS_OVERFLOW|HPE_HEADER_OVERFLOW)$/, 'size', 'sends more headers than are read', 'ask its operator'],
  [/^HTTPParserError$|^HPE_|^UND_ERR_RES_CONTENT_LENGTH_MISMATCH$/, 'answer', 'does not answer in HTTP', 'check host and port'],
  [
    /^UND_ERR_(CONNECT|HEADERS|BODY)_TIMEOUT$|^ETIMEDOUT$/,
    'time',
    'does not answer in time',
    'check that it can be reached from here',
  ],
  [
    /CERT|CRL|^(SELF_SIGNED|UNABLE_TO|INVALID_|PATH_LENGTH|HOSTNAME_)/,
    'tls',
    'has a certificate that does not verify',
    'renew it, or name the authority that issued it',
  ],
  [
    /^UND_ERR_(ABORTED|PRX_)/,
    'unreachable',
    'cannot be reached through the proxy',
    'check that the proxy runs, knows us and allows this host',
  ],
  [/^(ERR_TLS_|ERR_SSL_|EPROTO$)/, 'tls', 'does not speak TLS 1.2 or later', 'check its port and its TLS versions'],
]

/** `where` is an origin: a path or a query may hold what nobody else should read. */
export function failureOf(error: unknown, where: string): FetchRefused {
  if (error instanceof FetchRefused) return error
  const { code, name } = (error ?? {}) as NodeJS.ErrnoException
  const known = String(code ?? name)
  const [, ours, says, fix] = failures.find(([pattern]) => pattern.test(known)) ?? [
    known,
    'unreachable',
    'cannot be reached',
    'check that it runs, and that this machine may connect to it',
  ]
  return new FetchRefused(ours, `${where} ${says} (${known})`, fix)
}
