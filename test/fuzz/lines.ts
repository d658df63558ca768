/** Bytes → LineSplitter: however they are cut into chunks, the lines and faults are the same, and no long line is kept. */
import { isUtf8 } from 'node:buffer'
import { isDeepStrictEqual } from 'node:util'
import { LineSplitter } from '../../src/lib/lines.ts'
import { type Fuzzer, must, type Target } from './fuzzer.ts'
import { messageTexts } from './messages.ts'
import { chunked, cuts, mutated, type Vocabulary } from './mutate.ts'
import type { Random } from './random.ts'

interface Input {
  readonly bytes: Uint8Array
  readonly cuts: readonly number[]
  readonly lineBytesMax: number
}

const vocabulary: Vocabulary = {
  seeds: [
    'one\ntwo\r\n\nthree\n',
    `${messageTexts.slice(0, 4).join('\n')}\n`,
    '\r\n\r\r\n \n\t\n',
    '世界\n\ud83d\ude00\r\nno end',
    'a\u0085b\u2028c\n\u00a0\n',
  ],
  token: /\r\n|\r|\n|[^\r\n]{1,8}/gu,
  words: ['\n', '\r', '\r\n', '\n\n', ' ', '\u0000', '世', '\u2028', '\ufeff', 'x'.repeat(100), '{"a":1}\n'],
}

function make(random: Random): Input {
  const bytes = Buffer.from(mutated(random, vocabulary, 6))
  for (let count = random.few(3); count > 0 && bytes.length > 0; count--) bytes[random.below(bytes.length)] = random.below(256)
  return { bytes, cuts: cuts(random, bytes.length), lineBytesMax: random.once(3) ? random.below(40) : 1_000_000 }
}

export interface Splitter {
  push(chunk: Uint8Array): void
}
export type NewSplitter = (lineBytesMax: number, onLine: (line: string) => void, onFault: (fault: string) => void) => Splitter

/** `splitter` is replaced only to show that the fuzzer finds what it looks for. */
export const linesFuzzer = (splitter: NewSplitter = (...options) => new LineSplitter(...options)): Fuzzer => ({
  name: 'lines',
  share: { cases: 12, seconds: 4 },
  open: (): Target<Input> => ({
    lanes: 1,
    make,
    check: (input) => accepts(input, splitter),
    show: ({ bytes, cuts: places, lineBytesMax }) =>
      `${JSON.stringify({ text: Buffer.from(bytes).toString('latin1'), cuts: places, lineBytesMax })}\n`,
    close: () => undefined,
  }),
})

function accepts({ bytes, cuts: places, lineBytesMax }: Input, splitter: NewSplitter): boolean {
  const wanted = expected(bytes, lineBytesMax)
  for (const chunks of [[bytes], chunked(bytes, places)]) {
    const got: string[] = []
    const lines = splitter(
      lineBytesMax,
      (line) => got.push(`line ${line}`),
      (fault) => got.push(`fault ${fault}`),
    )
    // A copy: a splitter that keeps a chunk must not mind what becomes of the buffer it came from.
    for (const chunk of chunks) lines.push(Uint8Array.from(chunk))
    must(
      isDeepStrictEqual(got, wanted),
      () => `in ${chunks.length} chunks: ${JSON.stringify(got)}, and not ${JSON.stringify(wanted)}`,
    )
  }
  return wanted.some((one) => one.startsWith('line'))
}

function expected(bytes: Uint8Array, lineBytesMax: number): string[] {
  const lines: Uint8Array[] = []
  let from = 0
  for (let at = 0; at < bytes.length; at++) {
    if (bytes[at] !== 0x0a) continue
    lines.push(bytes.subarray(from, at))
    from = at + 1
  }
  return lines.flatMap((line) => {
    if (line.length > lineBytesMax) return ['fault too-long']
    if (!isUtf8(line)) return ['fault not-utf8']
    const text = Buffer.from(line).toString('utf8').trimEnd()
    return text === '' ? [] : [`line ${text}`]
  })
}
