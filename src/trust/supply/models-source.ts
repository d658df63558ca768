/** A file of any size, of which only what is asked for is read. */
export interface ByteSource {
  readonly size: number
  /** Exactly `length` bytes. Rejects where there are fewer. */
  read(offset: number, length: number): Promise<Uint8Array>
}

export const bytesSource = (bytes: Uint8Array): ByteSource => ({
  size: bytes.length,
  async read(offset, length) {
    if (offset < 0 || length < 0 || offset + length > bytes.length) throw new RangeError('reading beyond the end')
    return bytes.subarray(offset, offset + length)
  },
})
