/**
 * A package as a registry delivers it: gzip around tar (POSIX.1-2017, pax Interchange Format; ustar). It is read and never unpacked, so that
 * a path in it writes nowhere; one that would lead out of the package, a link or a device condemns the whole.
 */
import { hash } from 'node:crypto'
import { gunzipSync } from 'node:zlib'
import type { FileLine } from './manifest.ts'
import { NotAdmitted } from './not-admitted.ts'

const bytesMax = 1024 * 1024 * 1024
const blockBytes = 512
const entriesMax = 200_000
/** What a pax header may say of an entry that its own header says too. */
const decisive = ['path', 'size']

/** Files by their path in the package, without the folder that they all share. Throws {@link NotAdmitted}. */
export function readTarball(compressed: Buffer, name: string): ReadonlyMap<string, Buffer> {
  const refuse = (why: string, file?: string): NotAdmitted =>
    new NotAdmitted({ package: name, file, why, fix: 'do not install it; tell the registry, and whoever publishes it' })
  let tar: Buffer
  try {
    tar = gunzipSync(compressed, { maxOutputLength: bytesMax })
  } catch {
    throw refuse('is not a gzip file of a sensible size')
  }
  const files = new Map<string, Buffer>()
  /** Of the next entry. */
  let said: { readonly path: string | undefined; readonly bytes: string | undefined } | undefined
  for (let at = 0, entries = 0; at + blockBytes <= tar.length; entries++) {
    const header = tar.subarray(at, at + blockBytes)
    if (header.every((byte) => byte === 0)) break
    if (entries > entriesMax) throw refuse(`has more than ${entriesMax} entries`)
    if (octal(header, 148, 8) !== checksum(header)) throw refuse('is not a tar file: a checksum of an entry is wrong')
    const bytes = octal(header, 124, 12)
    if (!(bytes >= 0) || at + blockBytes + bytes > tar.length) throw refuse('is cut off')
    const content = tar.subarray(at + blockBytes, at + blockBytes + bytes)
    at += blockBytes + Math.ceil(bytes / blockBytes) * blockBytes
    const type = String.fromCharCode(header[156] as number)
    if (type === 'x' || type === 'g') {
      const records = paxRecords(content)
      if (records === undefined) throw refuse('has a pax header that can be read in more than one way')
      if (type === 'g' && decisive.some((key) => records.has(key))) throw refuse('has one name or size for all its entries')
      if (said !== undefined) throw refuse('has two headers that name one entry')
      if (type === 'x') said = { path: records.get('path'), bytes: records.get('size') }
      continue
    }
    if (type === 'L') {
      if (said !== undefined) throw refuse('has two headers that name one entry')
      said = { path: text(content, 0, content.length), bytes: undefined }
      continue
    }
    if (said?.bytes !== undefined && said.bytes !== String(bytes)) throw refuse('has an entry of two sizes')
    const path = said?.path ?? ustarPath(header)
    said = undefined
    if (type === '5') continue
    const inner = within(path)
    if (inner === undefined) throw refuse('leads out of the package', path.slice(0, 200))
    if (type !== '0' && type !== '\0' && type !== '7') throw refuse('is a link or a device', path.slice(0, 200))
    files.set(inner, content)
  }
  return files
}

const text = (from: Buffer, at: number, length: number): string =>
  from.toString('utf8', at, at + length).split('\0', 1)[0] as string

const octal = (header: Buffer, at: number, length: number): number => {
  // Larger than 8 GiB is written in binary; nothing here is.
  const digits = text(header, at, length).trim()
  return /^[0-7]*$/.test(digits) ? Number.parseInt(digits || '0', 8) : Number.NaN
}

/** With the field of the checksum read as spaces. */
function checksum(header: Buffer): number {
  let sum = 8 * 0x20
  for (const [at, byte] of header.entries()) if (at < 148 || at >= 156) sum += byte
  return sum
}

function ustarPath(header: Buffer): string {
  const prefix = text(header, 257, 5) === 'ustar' ? text(header, 345, 155) : ''
  const name = text(header, 0, 100)
  return prefix === '' ? name : `${prefix}/${name}`
}

/**
 * Records are `LENGTH KEY=VALUE\n` (pax, Extended Header). Undefined for what programs read in more than one way: a key twice, of which
 * some take the first; a line break in a value, after which some see another record; a length that is none.
 */
function paxRecords(content: Buffer): ReadonlyMap<string, string> | undefined {
  const records = new Map<string, string>()
  for (let at = 0; at < content.length; ) {
    const space = content.indexOf(0x20, at)
    const length = content.toString('latin1', at, space < 0 ? at : Math.min(space, at + 10))
    const end = at + Number(length)
    const [, key, value = ''] = /^([^=\n]+)=([^\n]*)\n$/.exec(content.toString('utf8', space + 1, end)) ?? []
    if (!/^[1-9]\d*$/.test(length) || end > content.length || key === undefined || records.has(key)) return undefined
    records.set(key, value)
    at = end
  }
  return records
}

function within(path: string): string | undefined {
  const parts = path.split('/').filter((part) => part !== '.' && part !== '')
  if (path.startsWith('/') || /[\\\0]/.test(path) || /^[a-z]:/i.test(path) || parts.includes('..')) return undefined
  return parts.length < 2 ? undefined : parts.slice(1).join('/')
}

/**
 * The first file by which what is installed differs from what was delivered. Modes are the installer's; of a bundled dependency, which is a
 * package of its own when it is installed, nothing is said here.
 */
export function differenceFrom(
  delivered: ReadonlyMap<string, Buffer>,
  installed: readonly FileLine[],
): { readonly file: string; readonly why: 'added' | 'changed' | 'gone' } | undefined {
  const found = new Map(installed.map((line) => [line.path, line.digest]))
  const expected = new Map<string, Buffer>()
  for (const [path, content] of delivered) {
    if (path.startsWith('node_modules/')) continue
    // npm installs what was packed as .gitignore under another name, unless that is taken.
    const isIgnore = /(^|\/)\.gitignore$/.test(path)
    const renamed = path.replace(/\.gitignore$/, '.npmignore')
    if (isIgnore && !found.has(path) && delivered.has(renamed)) continue
    expected.set(isIgnore && !found.has(path) ? renamed : path, content)
  }
  for (const [path, content] of expected) {
    const digest = found.get(path)
    if (digest === undefined) return { file: path, why: 'gone' }
    if (digest !== hash('sha256', content, 'hex')) return { file: path, why: 'changed' }
  }
  const added = installed.find(({ path }) => !expected.has(path))
  return added && { file: added.path, why: 'added' }
}
