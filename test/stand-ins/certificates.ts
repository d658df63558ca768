/**
 * Throw-away certificates (RFC 5280) as PEM strings, made in this process: a stand-in has to start on a machine without
 * openssl too. An authority of our own signs for 127.0.0.1 and localhost; whoever calls has to be told to trust it.
 */
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign, X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { bits, explicit, integer, nothing, objectId, octets, sequence, set, tagged, text, time, yes } from './der.ts'

/** Both PEM. */
export interface Pair {
  readonly cert: string
  readonly key: string
}
export interface Wanted {
  /** Names and addresses that it is good for. */
  readonly hosts?: readonly string[]
  /** -1: it has expired. */
  readonly days?: number
}
export interface CertificateAuthority extends Pair {
  issue(name: string, wanted?: Wanted): Pair
}

interface Request {
  readonly subject: string
  readonly issuer: string
  readonly publicKey: KeyObject
  readonly signer: KeyObject
  readonly signerPublicKey: KeyObject
  readonly isAuthority: boolean
  readonly hosts: readonly string[]
  readonly days: number
}

const dayMs = 86_400_000
const daysUsual = 2
const loopback = ['127.0.0.1', 'localhost']

const ellipticKeys = () => generateKeyPairSync('ec', { namedCurve: 'P-256' })
const pemOf = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }) as string

export function certificateAuthority(name = 'Stand-in test authority'): CertificateAuthority {
  const { publicKey, privateKey } = ellipticKeys()
  const by = { issuer: name, signer: privateKey, signerPublicKey: publicKey }
  return {
    cert: certificate({ ...by, subject: name, publicKey, isAuthority: true, hosts: [], days: daysUsual }),
    key: pemOf(privateKey),
    issue: (subject, { hosts = loopback, days = daysUsual } = {}) => {
      const own = ellipticKeys()
      const cert = certificate({ ...by, subject, publicKey: own.publicKey, isAuthority: false, hosts, days })
      return { cert, key: pemOf(own.privateKey) }
    },
  }
}

/** RSA and self-signed, as keys that sign tokens have theirs: nobody follows a chain, the thumbprint is what counts. */
export function selfSigned(
  name: string,
  modulusBits = 2048,
): Pair & { readonly privateKey: KeyObject; readonly publicKey: KeyObject } {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: modulusBits })
  const own = { subject: name, issuer: name, publicKey, signer: privateKey, signerPublicKey: publicKey }
  const cert = certificate({ ...own, isAuthority: false, hosts: [], days: daysUsual })
  return { cert, key: pemOf(privateKey), privateKey, publicKey }
}

/** SHA-1 and SHA-256 of the certificate as base64url: `x5t` and `x5t#S256` (RFC 7515, 4.1.7 and 4.1.8). */
export function thumbprints(cert: string): { readonly x5t: string; readonly x5tS256: string; readonly x5c: string } {
  const { raw } = new X509Certificate(cert)
  const digest = (algorithm: string): string => createHash(algorithm).update(raw).digest('base64url')
  return { x5t: digest('sha1'), x5tS256: digest('sha256'), x5c: raw.toString('base64') }
}

function certificate({ subject, issuer, publicKey, signer, signerPublicKey, isAuthority, hosts, days }: Request): string {
  const algorithm =
    signer.asymmetricKeyType === 'rsa'
      ? sequence(objectId('1.2.840.113549.1.1.11'), nothing)
      : sequence(objectId('1.2.840.10045.4.3.2'))
  const notAfter = Date.now() + days * dayMs
  const serial = randomBytes(16)
  serial[0] = ((serial[0] as number) & 0x7f) | 0x40
  const signed = sequence(
    explicit(0, integer(Buffer.from([2]))),
    integer(serial),
    algorithm,
    nameOf(issuer),
    sequence(time(Math.min(Date.now(), notAfter) - dayMs), time(notAfter)),
    nameOf(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    explicit(3, sequence(...extensions({ publicKey, signerPublicKey, isAuthority, hosts }))),
  )
  const der = sequence(signed, algorithm, bits(sign('sha256', signed, signer)))
  const lines = der.toString('base64').match(/.{1,64}/g) as string[]
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}

const nameOf = (common: string): Buffer => sequence(set(sequence(objectId('2.5.4.3'), text(common))))
const keyIdOf = (key: KeyObject): Buffer =>
  createHash('sha1')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest()

type About = Pick<Request, 'publicKey' | 'signerPublicKey' | 'isAuthority' | 'hosts'>
function extensions({ publicKey, signerPublicKey, isAuthority, hosts }: About): readonly Buffer[] {
  const extension = (id: string, value: Buffer, critical = false): Buffer =>
    sequence(objectId(id), ...(critical ? [yes] : []), octets(value))
  const usage = isAuthority ? bits(Buffer.from([0b00000110]), 1) : bits(Buffer.from([0b10000000]), 7)
  const names = hosts.map((host) =>
    isIP(host) === 0 ? tagged(0x82, Buffer.from(host, 'ascii')) : tagged(0x87, addressBytes(host)),
  )
  const purposes = sequence(objectId('1.3.6.1.5.5.7.3.1'), objectId('1.3.6.1.5.5.7.3.2'))
  return [
    extension('2.5.29.19', isAuthority ? sequence(yes) : sequence(), true),
    extension('2.5.29.15', usage, true),
    ...(isAuthority ? [] : [extension('2.5.29.37', purposes)]),
    ...(names.length > 0 ? [extension('2.5.29.17', sequence(...names))] : []),
    extension('2.5.29.14', octets(keyIdOf(publicKey))),
    extension('2.5.29.35', sequence(tagged(0x80, keyIdOf(signerPublicKey)))),
  ]
}

/** The bytes of an address; one of version 6 in eight groups, as a URL spells it with `::` written out. */
function addressBytes(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split('.').map(Number))
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::')
  const groups = (part: string | undefined): number[] => (part ? part.split(':').map((group) => Number.parseInt(group, 16)) : [])
  const [first, last] = [groups(head), groups(tail)]
  const all = [...first, ...Array<number>(8 - first.length - last.length).fill(0), ...last]
  return Buffer.from(all.flatMap((group) => [group >> 8, group & 0xff]))
}
