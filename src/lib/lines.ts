/** Bytes in, lines out: splits at LF, drops a CR before it, refuses lines that are too long or not UTF-8. */
import { isUtf8 } from 'node:buffer'

export type LineFault = 'too-long' | 'not-utf8'

export class LineSplitter {
  readonly #lineBytesMax: number
  readonly #onLine: (line: string) => void
  readonly #onFault: (fault: LineFault) => void
  #parts: Uint8Array[] = []
  #size = 0
  #skipping = false

  /** A faulty line is left out and told to `onFault`; the next line is read as usual. */
  constructor(lineBytesMax: number, onLine: (line: string) => void, onFault: (fault: LineFault) => void) {
    this.#lineBytesMax = lineBytesMax
    this.#onLine = onLine
    this.#onFault = onFault
  }

  push(chunk: Uint8Array): void {
    let start = 0
    for (let end = chunk.indexOf(0x0a, start); end !== -1; end = chunk.indexOf(0x0a, start)) {
      this.#add(chunk.subarray(start, end))
      this.#finish()
      start = end + 1
    }
    if (start < chunk.length) this.#add(chunk.subarray(start))
  }

  #add(part: Uint8Array): void {
    this.#size += part.length
    if (this.#size > this.#lineBytesMax) {
      this.#skipping = true
      this.#parts = []
    } else if (!this.#skipping) this.#parts.push(part)
  }

  #finish(): void {
    const bytes = this.#parts.length === 1 ? (this.#parts[0] as Uint8Array) : Buffer.concat(this.#parts)
    const skipped = this.#skipping
    this.#parts = []
    this.#size = 0
    this.#skipping = false
    if (skipped) this.#onFault('too-long')
    else if (!isUtf8(bytes)) this.#onFault('not-utf8')
    else {
      const line = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8').trimEnd()
      if (line !== '') this.#onLine(line)
    }
  }
}
