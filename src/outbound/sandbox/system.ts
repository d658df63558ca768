/**
 * What every program needs of the system, and nothing that is anybody's: programs and libraries, the certificates that TLS trusts,
 * the time zone. Of /etc only single files and folders; the rest of it, as /home, /root, /var, /run and /sys, is not there.
 */
import { existsSync, lstatSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'

export interface Link {
  readonly path: string
  readonly target: string
}

const programs = ['/usr', '/nix/store', '/gnu/store']
/** Folders in most systems of old, links into /usr in those of today. */
const merged = ['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32']
/** Not /etc/ssl as a whole: it has a folder for private keys. */
const settings = [
  ...['ld.so.cache', 'ld.so.conf', 'ld.so.conf.d', 'alternatives', 'localtime', 'timezone', 'mime.types', 'fonts'],
  ...['ssl/certs', 'ssl/cert.pem', 'ssl/openssl.cnf', 'pki/tls/certs', 'pki/tls/cert.pem', 'pki/tls/openssl.cnf'],
  ...['pki/ca-trust/extracted', 'ca-certificates', 'ca-certificates.conf', 'crypto-policies'],
].map((name) => join('/etc', name))

/** Where no file of a person or of a service is kept; what lies in it is visible to every server. */
export const systemFolders: readonly string[] = [...programs, ...merged]

export function systemView(): { readonly folders: readonly string[]; readonly links: readonly Link[] } {
  const links = merged.flatMap((path) => (isLink(path) ? [{ path, target: readlinkSync(path) }] : []))
  const linked = new Set(links.map(({ path }) => path))
  return { links, folders: [...programs, ...merged, ...settings].filter((path) => !linked.has(path) && existsSync(path)) }
}

const isLink = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false
