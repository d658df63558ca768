/**
 * The opcodes of Python's pickle machine, protocols 0 to 5, as the documentation of `pickletools` gives them: what follows each in
 * the stream, and what it does to the stack as far as that decides which code is named and called.
 */
/** How the argument is written: so many bytes, a length of so many bytes and then that, or lines up to LF. */
export type Argument =
  | { readonly kind: 'none' }
  | { readonly kind: 'fixed'; readonly bytes: number }
  | { readonly kind: 'counted'; readonly bytes: 1 | 4 | 8; readonly text: boolean }
  | { readonly kind: 'lines'; readonly lines: 1 | 2 }

export type Effect =
  | 'nothing'
  | 'push'
  | 'push-text'
  | 'mark'
  | 'pop'
  | 'pop-mark'
  | 'duplicate'
  | 'collect' // everything above the mark becomes one value
  | 'extend' // everything above the mark goes into the value below it
  | 'take' // n values become one
  | 'put'
  | 'memoize'
  | 'get'
  | 'global'
  | 'stack-global'
  | 'extension'
  | 'call' // a callable and its arguments, both on the stack
  | 'call-marked' // above the mark
  | 'instance' // named in the stream, arguments above the mark
  | 'build'
  | 'stop'

export interface Opcode {
  readonly name: string
  readonly argument: Argument
  readonly effect: Effect
  /** For `take`: how many values. For `call`: how many arguments stand above the callable. */
  readonly count: number
}

const none: Argument = { kind: 'none' }
const fixed = (bytes: number): Argument => ({ kind: 'fixed', bytes })
const counted = (bytes: 1 | 4 | 8, text = false): Argument => ({ kind: 'counted', bytes, text })
const line: Argument = { kind: 'lines', lines: 1 }
const pair: Argument = { kind: 'lines', lines: 2 }

const rows: readonly (readonly [code: number | string, name: string, argument: Argument, effect: Effect, count?: number])[] = [
  ['I', 'INT', line, 'push'],
  ['J', 'BININT', fixed(4), 'push'],
  ['K', 'BININT1', fixed(1), 'push'],
  ['M', 'BININT2', fixed(2), 'push'],
  ['L', 'LONG', line, 'push'],
  [0x8a, 'LONG1', counted(1), 'push'],
  [0x8b, 'LONG4', counted(4), 'push'],
  ['S', 'STRING', line, 'push-text'],
  ['T', 'BINSTRING', counted(4, true), 'push-text'],
  ['U', 'SHORT_BINSTRING', counted(1, true), 'push-text'],
  ['B', 'BINBYTES', counted(4), 'push'],
  ['C', 'SHORT_BINBYTES', counted(1), 'push'],
  [0x8e, 'BINBYTES8', counted(8), 'push'],
  [0x96, 'BYTEARRAY8', counted(8), 'push'],
  [0x97, 'NEXT_BUFFER', none, 'push'],
  [0x98, 'READONLY_BUFFER', none, 'nothing'],
  ['N', 'NONE', none, 'push'],
  [0x88, 'NEWTRUE', none, 'push'],
  [0x89, 'NEWFALSE', none, 'push'],
  ['V', 'UNICODE', line, 'push-text'],
  [0x8c, 'SHORT_BINUNICODE', counted(1, true), 'push-text'],
  ['X', 'BINUNICODE', counted(4, true), 'push-text'],
  [0x8d, 'BINUNICODE8', counted(8, true), 'push-text'],
  ['F', 'FLOAT', line, 'push'],
  ['G', 'BINFLOAT', fixed(8), 'push'],
  [']', 'EMPTY_LIST', none, 'push'],
  ['a', 'APPEND', none, 'pop'],
  ['e', 'APPENDS', none, 'extend'],
  ['l', 'LIST', none, 'collect'],
  [')', 'EMPTY_TUPLE', none, 'push'],
  ['t', 'TUPLE', none, 'collect'],
  [0x85, 'TUPLE1', none, 'take', 1],
  [0x86, 'TUPLE2', none, 'take', 2],
  [0x87, 'TUPLE3', none, 'take', 3],
  ['}', 'EMPTY_DICT', none, 'push'],
  ['d', 'DICT', none, 'collect'],
  ['s', 'SETITEM', none, 'take', 3],
  ['u', 'SETITEMS', none, 'extend'],
  [0x8f, 'EMPTY_SET', none, 'push'],
  [0x90, 'ADDITEMS', none, 'extend'],
  [0x91, 'FROZENSET', none, 'collect'],
  ['0', 'POP', none, 'pop'],
  ['2', 'DUP', none, 'duplicate'],
  ['(', 'MARK', none, 'mark'],
  ['1', 'POP_MARK', none, 'pop-mark'],
  ['g', 'GET', line, 'get'],
  ['h', 'BINGET', fixed(1), 'get'],
  ['j', 'LONG_BINGET', fixed(4), 'get'],
  ['p', 'PUT', line, 'put'],
  ['q', 'BINPUT', fixed(1), 'put'],
  ['r', 'LONG_BINPUT', fixed(4), 'put'],
  [0x94, 'MEMOIZE', none, 'memoize'],
  [0x82, 'EXT1', fixed(1), 'extension'],
  [0x83, 'EXT2', fixed(2), 'extension'],
  [0x84, 'EXT4', fixed(4), 'extension'],
  ['c', 'GLOBAL', pair, 'global'],
  [0x93, 'STACK_GLOBAL', none, 'stack-global'],
  ['R', 'REDUCE', none, 'call', 1],
  [0x81, 'NEWOBJ', none, 'call', 1],
  [0x92, 'NEWOBJ_EX', none, 'call', 2],
  ['o', 'OBJ', none, 'call-marked'],
  ['i', 'INST', pair, 'instance'],
  ['b', 'BUILD', none, 'build'],
  [0x80, 'PROTO', fixed(1), 'nothing'],
  [0x95, 'FRAME', fixed(8), 'nothing'],
  ['P', 'PERSID', line, 'push'],
  ['Q', 'BINPERSID', none, 'take', 1],
  ['.', 'STOP', none, 'stop'],
]

export const opcodes: ReadonlyMap<number, Opcode> = new Map(
  rows.map(([code, name, argument, effect, count = 0]) => [
    typeof code === 'number' ? code : code.charCodeAt(0),
    { name, argument, effect, count },
  ]),
)
