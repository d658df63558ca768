/** The public key that a server shows in its TLS handshake, as a pin (RFC 7469, section 2.4). Nothing is asked of the server. */
import { createHash, type X509Certificate } from 'node:crypto'
import { connect } from 'node:tls'

export interface TlsKeyOptions {
  /** PEM of certificate authorities besides those of Node. */
  readonly ca?: string | undefined
  readonly timeoutMs?: number
}

/** `sha256/` and base64. Rejects where there is no valid certificate: a key that nobody vouches for is none. */
export function tlsKeyOf(url: string, { ca, timeoutMs = 10_000 }: TlsKeyOptions = {}): Promise<string> {
  const { protocol, hostname, port } = new URL(url)
  if (protocol !== 'https:') return Promise.reject(new Error(`${hostname} is reached without TLS`))
  const host = hostname.replace(/^\[|\]$/g, '')
  return new Promise((resolve, reject) => {
    const isName = !/^[\d.]+$|:/.test(host)
    const socket = connect({
      host,
      port: Number(port || 443),
      ...(isName && { servername: host }),
      ...(ca !== undefined && { ca }),
    })
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error(`${hostname} did not answer within ${timeoutMs} ms`)))
    socket.once('error', reject)
    socket.once('secureConnect', () => {
      const certificate = socket.getPeerX509Certificate()
      socket.destroy()
      if (certificate === undefined) reject(new Error(`${hostname} shows no certificate`))
      else resolve(pinOf(certificate))
    })
  })
}

export const pinOf = ({ publicKey }: X509Certificate): string =>
  `sha256/${createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('base64')}`
