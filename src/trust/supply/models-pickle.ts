/**
 * What a pickle would call if it were loaded, found out without loading it: the opcodes are read one by one, and only texts,
 * names and marks are followed on the stack. Loading runs a pickle as it is read, so what comes before a fault counts in full, and
 * a stream that cannot be read to its end is never clean.
 */
import { judgeGlobal } from './models-pickle-globals.ts'
import { type Opcode, opcodes } from './models-pickle-opcodes.ts'

export interface PickleFinding {
  readonly rule: 'model/harmful-call' | 'model/unknown-call' | 'model/hidden-call' | 'model/broken-pickle'
  readonly severity: 'medium' | 'high' | 'critical'
  /** `os.system`, or what is wrong. */
  readonly what: string
  /** In bytes, from the start of the stream. */
  readonly at: number
}
export interface PickleReport {
  readonly findings: readonly PickleFinding[]
  /** Every name that is mentioned: `torch._utils._rebuild_tensor_v2`. */
  readonly globals: readonly string[]
  /** Bytes up to and with STOP; undefined where there is none. */
  readonly length: number | undefined
}

const opcodesMax = 5_000_000
const findingsMax = 100
const nameCharsMax = 200
const stackMax = 1_000_000

type Value = { readonly text: string } | { readonly global: string } | 'mark' | 'other'
const isText = (value: Value | undefined): value is { readonly text: string } => typeof value === 'object' && 'text' in value

export function readPickle(bytes: Uint8Array, start = 0): PickleReport {
  const run = new PickleRun(bytes, start)
  const length = run.toTheEnd()
  return { findings: run.findings, globals: [...run.globals].sort(), length }
}

class Broken extends Error {}

class PickleRun {
  readonly findings: PickleFinding[] = []
  readonly globals = new Set<string>()
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #start: number
  #at: number
  #opcodeAt = 0
  #stack: Value[] = []
  readonly #memo = new Map<string, Value>()

  constructor(bytes: Uint8Array, start: number) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    this.#start = start
    this.#at = start
  }

  toTheEnd(): number | undefined {
    try {
      for (let count = 0; count < opcodesMax; count++) {
        this.#opcodeAt = this.#at - this.#start
        const opcode = opcodes.get(this.#byte())
        if (opcode === undefined) throw new Broken('a byte that is no opcode')
        if (opcode.effect === 'stop') return this.#at - this.#start
        this.#step(opcode)
        if (this.#stack.length > stackMax) throw new Broken(`more than ${stackMax} values on the stack`)
      }
      throw new Broken(`more than ${opcodesMax} opcodes`)
    } catch (error) {
      if (!(error instanceof Broken)) throw error
      this.#found('model/broken-pickle', 'high', error.message)
      return undefined
    }
  }

  #found(rule: PickleFinding['rule'], severity: PickleFinding['severity'], what: string): void {
    if (this.findings.length < findingsMax) this.findings.push({ rule, severity, what, at: this.#opcodeAt })
  }

  #byte(): number {
    const byte = this.#bytes[this.#at++]
    if (byte === undefined) throw new Broken('the stream ends without STOP')
    return byte
  }

  #skip(count: number): number {
    const from = this.#at
    if (count > this.#bytes.length - from) throw new Broken('an argument reaches beyond the end')
    this.#at += count
    return from
  }

  #line(): string {
    const end = this.#bytes.indexOf(0x0a, this.#at)
    if (end === -1) throw new Broken('a line without an end')
    const text = decoded(this.#bytes.subarray(this.#at, end))
    this.#at = end + 1
    return text
  }

  #argument({ argument }: Opcode): string {
    if (argument.kind === 'none') return ''
    if (argument.kind === 'lines') return argument.lines === 1 ? this.#line() : `${this.#line()}\n${this.#line()}`
    if (argument.kind === 'fixed') {
      const from = this.#skip(argument.bytes)
      return argument.bytes === 8 ? '' : String(this.#number(from, argument.bytes as 1 | 2 | 4))
    }
    const at = this.#skip(argument.bytes)
    const length = argument.bytes === 8 ? Number(this.#view.getBigUint64(at, true)) : this.#number(at, argument.bytes)
    const from = this.#skip(length)
    return argument.text ? decoded(this.#bytes.subarray(from, from + length)) : ''
  }

  #number(at: number, bytes: 1 | 2 | 4): number {
    if (bytes === 1) return this.#view.getUint8(at)
    return bytes === 2 ? this.#view.getUint16(at, true) : this.#view.getUint32(at, true)
  }

  #pop(): Value {
    const value = this.#stack.pop()
    if (value === undefined) throw new Broken('a value is taken that is not there')
    return value
  }

  /** What stands above the latest mark, which goes too. */
  #popToMark(): readonly Value[] {
    const mark = this.#stack.lastIndexOf('mark')
    if (mark === -1) throw new Broken('a mark is missing')
    return this.#stack.splice(mark).slice(1)
  }

  #step(opcode: Opcode): void {
    const said = this.#argument(opcode)
    const { effect } = opcode
    if (effect === 'nothing') return
    if (effect === 'push') this.#stack.push('other')
    else if (effect === 'push-text') this.#stack.push({ text: opcode.name === 'STRING' ? unquoted(said) : said })
    else if (effect === 'mark') this.#stack.push('mark')
    else if (effect === 'pop') this.#pop()
    else if (effect === 'pop-mark' || effect === 'extend') this.#popToMark()
    else if (effect === 'duplicate') this.#stack.push(this.#stack.at(-1) ?? 'other')
    else if (effect === 'collect') this.#popToMark(), this.#stack.push('other')
    else if (effect === 'take') this.#take(opcode.count)
    else if (effect === 'put') this.#memo.set(key(said), this.#stack.at(-1) ?? 'other')
    else if (effect === 'memoize') this.#memo.set(String(this.#memo.size), this.#stack.at(-1) ?? 'other')
    else if (effect === 'get') this.#get(said)
    else this.#names(opcode, said)
  }

  #take(count: number): void {
    for (let left = count; left > 0; left--) this.#pop()
    this.#stack.push('other')
  }

  #get(said: string): void {
    const value = this.#memo.get(key(said))
    if (value === undefined) throw new Broken('something is recalled that was never kept')
    this.#stack.push(value)
  }

  /** The opcodes that name code or call it. */
  #names({ effect, name, count }: Opcode, said: string): void {
    if (effect === 'global') this.#mention(...halves(said))
    else if (effect === 'stack-global') this.#stackGlobal()
    else if (effect === 'extension') {
      this.#found('model/hidden-call', 'high', `${name} names code by a number that only the loading program knows`)
      this.#stack.push('other')
    } else if (effect === 'instance') {
      this.#popToMark()
      this.#mention(...halves(said))
      this.#called(this.#pop())
    } else if (effect === 'call-marked') this.#called(this.#popToMark()[0])
    else if (effect === 'call') {
      for (let left = count; left > 0; left--) this.#pop()
      this.#called(this.#pop())
    } else if (effect === 'build') this.#pop()
  }

  #called(callable: Value | undefined): void {
    if (typeof callable !== 'object' || !('global' in callable))
      this.#found('model/hidden-call', 'high', 'something is called that was computed by another call')
    this.#stack.push('other')
  }

  #stackGlobal(): void {
    const name = this.#pop()
    const module = this.#pop()
    if (isText(name) && isText(module)) return this.#mention(module.text, name.text)
    this.#found('model/hidden-call', 'critical', 'the name of what is called is computed')
    this.#stack.push({ global: '?' })
  }

  #mention(module: string, name: string): void {
    const global = shown(`${module}.${name}`)
    const verdict = judgeGlobal(module, name)
    if (verdict !== 'allowed' && !this.globals.has(global))
      this.#found(
        ...((verdict === 'harmful' ? ['model/harmful-call', 'critical', global] : ['model/unknown-call', 'high', global]) as [
          PickleFinding['rule'],
          PickleFinding['severity'],
          string,
        ]),
      )
    if (this.globals.size < opcodesMax) this.globals.add(global)
    this.#stack.push({ global })
  }
}

/** The number of a place in the memo, whichever way it was written. */
const key = (said: string): string => String(Number(said))
const halves = (said: string): [string, string] => {
  const at = said.indexOf('\n')
  return [said.slice(0, at), said.slice(at + 1)]
}
const decoded = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 4096)).toString('utf8')
const unquoted = (text: string): string => text.trim().replace(/^(['"])(.*)\1$/s, '$2')
const shown = (text: string): string => text.replace(/[^\x20-\x7e]/g, '?').slice(0, nameCharsMax)
