/**
 * safetensors: eight bytes of length, a header in JSON, and numbers. Nothing in it is run; what is checked is that the header can be
 * read in one way only and that the numbers are where it says: no overlaps, no gaps to hide a second file in.
 */
import { JsonRefused, parseStrict } from '../../lib/strict-json.ts'
import type { ByteSource } from './models-source.ts'

export const headerBytesMax = 100_000_000
const bits: Readonly<Record<string, number>> = {
  ...{ BOOL: 8, U8: 8, I8: 8, F8_E4M3: 8, F8_E5M2: 8, F8_E8M0: 8, U16: 16, I16: 16, F16: 16, BF16: 16 },
  ...{ U32: 32, I32: 32, F32: 32, U64: 64, I64: 64, F64: 64, C64: 64, F4: 4, F6_E2M3: 6, F6_E3M2: 6 },
}

/** What is wrong with it; empty where nothing is. */
export async function safetensorsFaults(source: ByteSource): Promise<readonly string[]> {
  if (source.size < 10) return ['it is too short for a header']
  const first = await source.read(0, 8)
  const length = Number(new DataView(first.buffer, first.byteOffset, 8).getBigUint64(0, true))
  if (length > headerBytesMax) return [`its header has more than ${headerBytesMax} bytes`]
  if (8 + length > source.size) return ['its header reaches beyond the end']
  let header: unknown
  try {
    header = parseStrict(new TextDecoder('utf-8', { fatal: true }).decode(await source.read(8, length)).trimEnd(), 8)
  } catch (error) {
    return [`its header is ${error instanceof JsonRefused ? `refused: ${error.fault}` : 'not UTF-8'}`]
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header)) return ['its header is no object']
  const { __metadata__: metadata = {}, ...tensors } = header as Record<string, unknown>
  const faults = Object.values(metadata as object).every((value) => typeof value === 'string')
    ? []
    : ['its metadata is not all text']
  const spans: (readonly [number, number])[] = []
  for (const [name, tensor] of Object.entries(tensors)) {
    const fault = tensorFault(tensor, source.size - 8 - length)
    if (typeof fault === 'string') faults.push(`the tensor ${JSON.stringify(name.slice(0, 100))} ${fault}`)
    else spans.push(fault)
    if (faults.length > 20) return faults
  }
  let end = 0
  for (const [from, to] of spans.sort((a, b) => a[0] - b[0] || a[1] - b[1])) {
    if (from !== end) return [...faults, from < end ? 'two tensors overlap' : 'there is a gap between two tensors']
    end = to
  }
  if (faults.length === 0 && end !== source.size - 8 - length) faults.push('something follows its tensors')
  return faults
}

/** Its place, or what is wrong with it. */
function tensorFault(tensor: unknown, bytes: number): string | readonly [number, number] {
  const { dtype, shape, data_offsets: offsets } = (tensor ?? {}) as Record<string, unknown>
  if (typeof dtype !== 'string' || !Object.hasOwn(bits, dtype)) return 'has a type that does not exist'
  const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0
  if (!Array.isArray(shape) || !shape.every(isCount)) return 'has no shape'
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount)) return 'has no place'
  const [from, to] = offsets as [number, number]
  const wanted = Math.ceil((shape.reduce((product, one) => product * one, 1) * (bits[dtype] as number)) / 8)
  if (from > to || to > bytes) return 'is beyond the end'
  return wanted === to - from ? [from, to] : 'is not as long as its shape'
}
