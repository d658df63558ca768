/** Which key a server proves itself with: the SHA-256 of its SubjectPublicKeyInfo (RFC 7469, section 2.4), besides its certificate. */
import { hash, X509Certificate } from 'node:crypto'
import { checkServerIdentity, connect, type PeerCertificate } from 'node:tls'
import { Refusal } from '../../pipeline/refusal.ts'

/** What is expected; undefined where any key will do whose certificate verifies. */
export interface KeyPin {
  spki: string | undefined
}

const spkiOf = (certificate: PeerCertificate): string => {
  const der = new X509Certificate(certificate.raw).publicKey.export({ type: 'spki', format: 'der' })
  return `sha256:${hash('sha256', der, 'hex')}`
}

/** For the `checkServerIdentity` of a connection: the name first, as always, and then the key. */
export function pinned(server: string, pin: KeyPin) {
  return (host: string, certificate: PeerCertificate): Error | undefined => {
    const wrong = checkServerIdentity(host, certificate)
    if (wrong || pin.spki === undefined || spkiOf(certificate) === pin.spki) return wrong
    const cause = 'it proves itself with another TLS key than was locked'
    return new Refusal('SERVER_NOT_ADMITTED', {
      detail: server,
      cause,
      fix: `Find out whether its key was changed on purpose; then: sekisho supply lock ${server} --pin-tls`,
    })
  }
}

const answerWithinMs = 10_000

/** Asks for it, directly. Rejects where the certificate does not verify. */
export function tlsKeyOf(url: string, ca?: string): Promise<string> {
  const { hostname, port } = new URL(url)
  const host = hostname.replace(/^\[|\]$/g, '')
  return new Promise((resolve, reject) => {
    const options = { host, port: Number(port || 443), servername: host, rejectUnauthorized: true, ...(ca && { ca }) }
    const socket = connect(options, () => {
      const certificate = socket.getPeerCertificate()
      socket.destroy()
      resolve(spkiOf(certificate))
    })
    socket.setTimeout(answerWithinMs, () => socket.destroy(new Error(`${host} did not answer within ${answerWithinMs} ms`)))
    socket.once('error', reject)
  })
}
