/** Just enough of DER (X.690) to write a certificate. */
export const tagged = (tag: number, ...contents: readonly Uint8Array[]): Buffer => {
  const content = Buffer.concat(contents)
  return Buffer.concat([Buffer.from([tag, ...lengthOf(content.length)]), content])
}

/** Short form below 128, otherwise the number of bytes and the bytes (X.690, 8.1.3). */
function lengthOf(bytes: number): readonly number[] {
  if (bytes < 0x80) return [bytes]
  const digits: number[] = []
  for (let rest = bytes; rest > 0; rest = Math.floor(rest / 256)) digits.unshift(rest % 256)
  return [0x80 | digits.length, ...digits]
}

export const sequence = (...contents: readonly Uint8Array[]): Buffer => tagged(0x30, ...contents)
export const set = (...contents: readonly Uint8Array[]): Buffer => tagged(0x31, ...contents)
export const explicit = (number: number, ...contents: readonly Uint8Array[]): Buffer => tagged(0xa0 | number, ...contents)
export const octets = (content: Uint8Array): Buffer => tagged(0x04, content)
export const text = (value: string): Buffer => tagged(0x0c, Buffer.from(value, 'utf8'))
export const yes: Buffer = tagged(0x01, Buffer.from([0xff]))
export const nothing: Buffer = tagged(0x05)

/** `unused` bits at the end of the last byte do not belong to it. */
export const bits = (content: Uint8Array, unused = 0): Buffer => tagged(0x03, Buffer.from([unused]), content)

/** Unsigned: a leading zero keeps it positive. */
export const integer = (bytes: Uint8Array): Buffer => tagged(0x02, ...((bytes[0] ?? 0) >= 0x80 ? [Buffer.from([0])] : []), bytes)

export function objectId(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  const bytes = [40 * first + second, ...rest].flatMap((arc) => {
    const digits = [arc & 0x7f]
    for (let left = arc >>> 7; left > 0; left >>>= 7) digits.unshift(0x80 | (left & 0x7f))
    return digits
  })
  return tagged(0x06, Buffer.from(bytes))
}

/** UTCTime, whole seconds; good until 2049 (RFC 5280, 4.1.2.5.1). */
export const time = (ms: number): Buffer =>
  tagged(0x17, Buffer.from(`${new Date(ms).toISOString().slice(2, 19).replace(/[-:T]/g, '')}Z`, 'ascii'))
