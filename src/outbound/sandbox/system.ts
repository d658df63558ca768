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

/** What the kernel tells everybody, or root, about itself and about others. Written to or not, it is nothing to a server. */
const told = [
  'kcore',
  'keys',
  'key-users',
  'kallsyms',
  'timer_list',
  'sched_debug',
  'latency_stats',
  'kmsg',
  'sysrq-trigger',
].map((name) => join('/proc', name))

/** Where no file of a person or of a service is kept; what lies in it is visible to every server. */
export const systemFolders: readonly string[] = [...programs, ...merged]

export interface SystemView {
  readonly folders: readonly string[]
  readonly links: readonly Link[]
  /** Files in whose place there is nothing. */
  readonly hidden: readonly string[]
}

export function systemView(): SystemView {
  // A program reads the name of the time zone off the link.
  const links = [...merged, '/etc/localtime'].flatMap((path) => (isLink(path) ? [{ path, target: readlinkSync(path) }] : []))
  const linked = new Set(links.map(({ path }) => path))
  const folders = [...programs, ...merged, ...settings].filter((path) => !linked.has(path) && existsSync(path))
  return { links, folders, hidden: told.filter(existsSync) }
}

const isLink = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false
