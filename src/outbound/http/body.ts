import { isUtf8 } from 'node:buffer'
import { Refusal } from '../../pipeline/refusal.ts'

/** A whole body as text. Throws RESULT_TOO_LARGE above `bytesMax`, UPSTREAM_INVALID where it is not UTF-8. */
export async function readText(body: AsyncIterable<Uint8Array>, bytesMax: number): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.length
    if (size > bytesMax) throw new Refusal('RESULT_TOO_LARGE', { detail: bytesMax })
    chunks.push(chunk)
  }
  const bytes = chunks.length === 1 ? Buffer.from(chunks[0] as Uint8Array) : Buffer.concat(chunks)
  if (!isUtf8(bytes)) throw new Refusal('UPSTREAM_INVALID', { detail: 'the body is not UTF-8' })
  return bytes.toString('utf8')
}
