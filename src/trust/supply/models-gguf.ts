/**
 * GGUF: numbers and key-value pairs. One of the pairs may be a template that programs run through Jinja to write a prompt
 * (`tokenizer.chat_template`); in a program without a sandbox such a template runs code (CVE-2024-34359).
 */
import type { ByteSource } from './models-source.ts'

const pairsMax = 65_536
const readBytesMax = 134_217_728
const stringBytesMax = 16_777_216
const itemsMax = 10_000_000
const widths: Readonly<Record<number, number>> = { 0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8 }
const textType = 8
const listType = 9

export interface GgufReport {
  readonly faults: readonly string[]
  /** Parts of templates that reach for more than the values they are given. */
  readonly reaches: readonly string[]
}

class Broken extends Error {}

/** Names by which a template gets from a value to the interpreter. */
const reach =
  /__(?:class|globals|builtins|subclasses|mro|base|bases|import|init|getattribute)__|\bos\.(?:system|popen)\b|\bpopen\s*\(|\bsubprocess\b|\bself\._TemplateReference__/

export async function readGguf(source: ByteSource): Promise<GgufReport> {
  const bytes = await source.read(0, Math.min(source.size, readBytesMax))
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const isWhole = bytes.length === source.size
  const reaches: string[] = []
  let at = 4
  const take = (length: number): number => {
    if (length > bytes.length - at)
      throw new Broken(isWhole ? 'it ends too early' : `its pairs go on after ${readBytesMax} bytes`)
    at += length
    return at - length
  }
  try {
    const version = view.getUint32(take(4), true)
    if (version < 1 || version > 3) throw new Broken(`its version (${version}) is not known`)
    const wide = version > 1
    const count = (): number => (wide ? Number(view.getBigUint64(take(8), true)) : view.getUint32(take(4), true))
    const text = (): string => {
      const length = count()
      if (length > stringBytesMax) throw new Broken(`a text has more than ${stringBytesMax} bytes`)
      const from = take(length)
      return Buffer.from(bytes.buffer, bytes.byteOffset + from, length).toString('utf8')
    }
    const value = (type: number, depth: number): string | undefined => {
      if (type === textType) return text()
      if (type !== listType) {
        const width = widths[type]
        if (width === undefined) throw new Broken(`a value has a type (${type}) that is not known`)
        return void take(width)
      }
      const of = view.getUint32(take(4), true)
      const items = count()
      if (items > itemsMax || depth > 3) throw new Broken('a list is too long or too deep')
      const width = widths[of]
      if (width !== undefined) return void take(width * items)
      for (let left = items; left > 0; left--) value(of, depth + 1)
      return undefined
    }
    count()
    const pairs = count()
    if (pairs > pairsMax) throw new Broken(`it has more than ${pairsMax} pairs`)
    for (let left = pairs; left > 0; left--) {
      const name = text()
      const held = value(view.getUint32(take(4), true), 0)
      const [found] = (name.startsWith('tokenizer.chat_template') ? reach.exec(held ?? '') : null) ?? []
      if (found !== undefined) reaches.push(found)
    }
    return { faults: [], reaches }
  } catch (error) {
    if (!(error instanceof Broken)) throw error
    return { faults: [error.message], reaches }
  }
}
