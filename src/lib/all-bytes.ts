/** All of a body at once. Rejects with what `tooLong` makes as soon as there is more than may be, and reads no further. */
export async function allBytes(body: AsyncIterable<Uint8Array>, bytesMax: number, tooLong: () => Error): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.length
    if (size > bytesMax) throw tooLong()
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
