/**
 * The entries of a zip archive (APPNOTE 6.3.10), as far as a model needs them. Whoever loads a model may believe the local header
 * where we believe the directory, so a difference between the two is a fault, as is whatever else would be read in two ways.
 */
import { inflateRawSync } from 'node:zlib'
import type { ByteSource } from './models-source.ts'

export interface ZipEntry {
  readonly name: string
  readonly size: number
  readonly compressedSize: number
  readonly method: number
  readonly encrypted: boolean
  readonly headerAt: number
}
export interface ZipDirectory {
  readonly entries: readonly ZipEntry[]
  /** What is wrong with the archive as a whole. */
  readonly faults: readonly string[]
}

const entriesMax = 100_000
const directoryBytesMax = 67_108_864
const endBytes = 22
const commentBytesMax = 65_535

export class ZipRefused extends Error {
  override readonly name = 'ZipRefused'
}

const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length)

/** Rejects with {@link ZipRefused} for what cannot be read at all. */
export async function readZip(source: ByteSource, limits = { entriesMax, directoryBytesMax }): Promise<ZipDirectory> {
  const { count, size, offset } = await endOf(source)
  if (count > limits.entriesMax) throw new ZipRefused(`it has more than ${limits.entriesMax} entries`)
  if (size > limits.directoryBytesMax) throw new ZipRefused(`its directory has more than ${limits.directoryBytesMax} bytes`)
  if (offset + size > source.size) throw new ZipRefused('its directory reaches beyond the end')
  const bytes = await source.read(offset, size)
  const entries: ZipEntry[] = []
  const faults: string[] = []
  for (let at = 0; at + 46 <= bytes.length; ) {
    const head = view(bytes.subarray(at))
    if (head.getUint32(0, true) !== 0x02014b50) break
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((place) => head.getUint16(place, true)) as [
      number,
      number,
      number,
    ]
    const name = Buffer.from(bytes.subarray(at + 46, at + 46 + nameLength)).toString('utf8')
    const extra = bytes.subarray(at + 46 + nameLength, at + 46 + nameLength + extraLength)
    const wide = zip64(extra, head.getUint32(24, true), head.getUint32(20, true), head.getUint32(42, true))
    entries.push({ name, ...wide, method: head.getUint16(10, true), encrypted: (head.getUint16(8, true) & 1) === 1 })
    at += 46 + nameLength + extraLength + commentLength
  }
  if (entries.length !== count) faults.push(`its end speaks of ${count} entries, and its directory has ${entries.length}`)
  const names = new Set<string>()
  for (const { name } of entries) {
    const folded = name.toLowerCase()
    if (names.has(folded)) faults.push(`the entry ${shown(name)} is there twice`)
    names.add(folded)
    if (/(^|[\\/])\.\.([\\/]|$)|^[\\/]|^[A-Za-z]:|\0/.test(name)) faults.push(`the entry ${shown(name)} leads out of the archive`)
  }
  return { entries, faults }
}

const shown = (name: string): string => JSON.stringify(name.slice(0, 100))

/** The end record: the last one that reaches the end of the file exactly. */
async function endOf(source: ByteSource): Promise<{ count: number; size: number; offset: number }> {
  const length = Math.min(source.size, endBytes + commentBytesMax)
  const tail = await source.read(source.size - length, length)
  const at = Buffer.from(tail.buffer, tail.byteOffset, tail.length).lastIndexOf('PK\x05\x06', undefined, 'latin1')
  if (at === -1 || at + endBytes > tail.length) throw new ZipRefused('it has no end record')
  const end = view(tail.subarray(at))
  if (at + endBytes + end.getUint16(20, true) !== tail.length) throw new ZipRefused('something follows its end')
  const plain = { count: end.getUint16(10, true), size: end.getUint32(12, true), offset: end.getUint32(16, true) }
  if (plain.count !== 0xffff && plain.size !== 0xffffffff && plain.offset !== 0xffffffff) return plain
  const locatorAt = source.size - length + at - 20
  if (locatorAt < 0) return plain
  const locator = view(await source.read(locatorAt, 20))
  if (locator.getUint32(0, true) !== 0x07064b50) return plain
  const wideAt = Number(locator.getBigUint64(8, true))
  if (wideAt + 56 > source.size) throw new ZipRefused('its zip64 end is beyond the end')
  const wide = view(await source.read(wideAt, 56))
  if (wide.getUint32(0, true) !== 0x06064b50) throw new ZipRefused('its zip64 end is none')
  const [count, size, offset] = [32, 40, 48].map((place) => Number(wide.getBigUint64(place, true))) as [number, number, number]
  return { count, size, offset }
}

function zip64(extra: Uint8Array, size: number, compressedSize: number, headerAt: number) {
  const values = { size, compressedSize, headerAt }
  for (let at = 0; at + 4 <= extra.length; ) {
    const part = view(extra.subarray(at))
    const length = part.getUint16(2, true)
    if (part.getUint16(0, true) === 1) {
      let from = 4
      for (const key of ['size', 'compressedSize', 'headerAt'] as const)
        if (values[key] === 0xffffffff && from + 8 <= 4 + length && at + from + 8 <= extra.length) {
          values[key] = Number(part.getBigUint64(from, true))
          from += 8
        }
    }
    at += 4 + length
  }
  return values
}

/** What an entry holds, at most `bytesMax` of it. Rejects with {@link ZipRefused} where that is not certain. */
export async function readEntry(source: ByteSource, entry: ZipEntry, bytesMax: number): Promise<Uint8Array> {
  const { name, size, compressedSize, method, encrypted, headerAt } = entry
  if (encrypted) throw new ZipRefused('it is encrypted')
  if (headerAt + 30 > source.size) throw new ZipRefused('its header is beyond the end')
  const head = view(await source.read(headerAt, 30))
  if (head.getUint32(0, true) !== 0x04034b50) throw new ZipRefused('it has no header')
  const nameLength = head.getUint16(26, true)
  const from = headerAt + 30 + nameLength + head.getUint16(28, true)
  if (from + compressedSize > source.size) throw new ZipRefused('it reaches beyond the end')
  const local = Buffer.from(await source.read(headerAt + 30, nameLength)).toString('utf8')
  if (local !== name) throw new ZipRefused(`its header calls it ${shown(local)}`)
  if (head.getUint16(8, true) !== method || (head.getUint16(6, true) & 1) === 1)
    throw new ZipRefused('its header and the directory differ')
  if (size > bytesMax) throw new ZipRefused(`it has more than ${bytesMax} bytes`)
  const bytes = await source.read(from, compressedSize)
  if (method === 0 && size === compressedSize) return bytes
  if (method !== 8)
    throw new ZipRefused(method === 0 ? 'its sizes differ' : `it is compressed in a way (${method}) that is not read here`)
  const inflated = inflate(bytes, size)
  if (inflated.length !== size) throw new ZipRefused('it is not as long as it says')
  return inflated
}

function inflate(bytes: Uint8Array, size: number): Uint8Array {
  try {
    return inflateRawSync(bytes, { maxOutputLength: size + 1 })
  } catch {
    throw new ZipRefused('it cannot be inflated, or is longer than it says')
  }
}
