/** Tarballs as registries deliver them, and as no registry should: every field of a header can be set to what it must not be. */
import { gzipSync } from 'node:zlib'

export interface Entry {
  readonly path: string
  readonly content?: string
  /** '0' a file, '1' a hard link, '2' a symbolic link, '5' a folder, 'x' a pax header, 'L' a long name. */
  readonly type?: string
  readonly link?: string
  /** Written as it is, instead of the right one. */
  readonly checksum?: number
  readonly bytes?: number
}

export const tarball = (...entries: readonly Entry[]): Buffer =>
  gzipSync(Buffer.concat([...entries.map(entryOf), Buffer.alloc(1024)]))

function entryOf({ path, content = '', type = '0', link = '', checksum, bytes }: Entry): Buffer {
  const body = Buffer.from(content)
  const header = Buffer.alloc(512)
  header.write(path.slice(0, 100), 0)
  header.write('0000644\0', 100)
  header.write(`${(bytes ?? body.length).toString(8).padStart(11, '0')}\0`, 124)
  header.write('00000000000\0', 136)
  header.write('        ', 148)
  header.write(type, 156)
  header.write(link, 157)
  header.write('ustar\x0000', 257)
  const sum = checksum ?? header.reduce((all, byte) => all + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return Buffer.concat([header, body, Buffer.alloc((512 - (body.length % 512)) % 512)])
}

/** `path` of the next entry, as pax writes it. */
export const pax = (path: string): Entry => paxHeader(['path', path])

/** Records of the next entry; as type 'g', of all that follow. */
export const paxHeader = (...records: readonly (readonly [key: string, value: string])[]): Entry => ({
  path: 'PaxHeader',
  type: 'x',
  content: records.map(([key, value]) => recordOf(` ${key}=${value}\n`)).join(''),
})

function recordOf(rest: string): string {
  let length = Buffer.byteLength(rest) + 1
  while (Buffer.byteLength(`${length}${rest}`) !== length) length = Buffer.byteLength(`${length}${rest}`)
  return `${length}${rest}`
}
