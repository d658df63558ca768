import assert from 'node:assert/strict'
import test from 'node:test'
import { deflateRawSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { checkModel } from './models.ts'
import { readPickle } from './models-pickle.ts'
import { safetensorsFaults } from './models-safetensors.ts'
import { bytesSource } from './models-source.ts'

const bytes = (...parts: readonly (string | number | Uint8Array)[]): Buffer =>
  Buffer.concat(
    parts.map((part) =>
      typeof part === 'string' ? Buffer.from(part, 'latin1') : typeof part === 'number' ? Buffer.from([part]) : Buffer.from(part),
    ),
  )
const short = (text: string): Buffer => bytes(0x8c, text.length, text)
const check = (file: Uint8Array) => checkModel(bytesSource(new Uint8Array(file)))

/** Written by NumPy 2 for `arange(3, dtype='f4')`, protocols 2 and 4. */
const numpy2 =
  '8002636e756d70792e5f636f72652e6d756c746961727261790a5f7265636f6e7374727563740a7100636e756d70790a6e6461727261790a71014b00857102635f636f646563730a656e636f64650a7103580100000062710458060000006c6174696e317105867106527107877108527109284b014b0385710a636e756d70790a64747970650a710b58020000006634710c898887710d52710e284b0358010000003c710f4e4e4e4affffffff4affffffff4b0074711062896803580d000000000000000000c2803f0000004071116805867112527113747114622e'
const numpy4 =
  '80049595000000000000008c166e756d70792e5f636f72652e6d756c74696172726179948c0c5f7265636f6e7374727563749493948c056e756d7079948c076e6461727261799493944b0085944301629487945294284b014b03859468038c0564747970659493948c02663494898887945294284b038c013c944e4e4e4affffffff4affffffff4b0074946289430c000000000000803f00000040947494622e'
/** Written by Python for an object whose `__reduce__` is os.system, protocols 0, 2 and 4. */
const written = [
  '63706f7369780a73797374656d0a70300a28566563686f2068690a70310a7470320a5270330a2e',
  '800263706f7369780a73797374656d0a710058070000006563686f20686971018571025271032e',
  '80049522000000000000008c05706f736978948c0673797374656d9493948c076563686f20686994859452942e',
].map((hex) => Buffer.from(hex, 'hex'))

const magic = Buffer.from('8a0a6cfc9c46f9206aa85019', 'hex')
const harmful: readonly [what: string, pickle: Buffer, rule: string][] = [
  ...written.map((pickle, at): [string, Buffer, string] => [
    `os.system as Python writes it (${at})`,
    pickle,
    'model/harmful-call',
  ]),
  ['eval', bytes('c__builtin__\neval\n(V1\ntR.'), 'model/harmful-call'],
  ['getattr', bytes('\x80\x02cbuiltins\ngetattr\n.'), 'model/harmful-call'],
  ['INST', bytes('(S"id"\nios\nsystem\n.'), 'model/harmful-call'],
  ['OBJ', bytes('(cos\nsystem\nS"id"\no.'), 'model/harmful-call'],
  ['NEWOBJ', bytes('\x80\x02csubprocess\nPopen\nN\x85\x81.'), 'model/harmful-call'],
  ['a submodule', bytes('cos.path\njoin\n.'), 'model/harmful-call'],
  ['a walk along dots', bytes('\x80\x04', short('torch'), short('serialization.os.system'), 0x93, '.'), 'model/harmful-call'],
  ['a loader of pickles', bytes('ctorch.storage\n_load_from_bytes\n.'), 'model/harmful-call'],
  [
    'a name recalled from the memo',
    bytes('\x80\x04', short('os'), 0x94, short('system'), 0x94, 'h\x00h\x01', 0x93, '.'),
    'model/harmful-call',
  ],
  [
    'a name kept under a large number',
    bytes('\x80\x04', short('os'), 'r\xff\xff\x00\x000', 'j\xff\xff\x00\x00', short('system'), 0x93, '.'),
    'model/harmful-call',
  ],
  ['harm before a fault', bytes('\x80\x02cos\nsystem\n', 0xff), 'model/harmful-call'],
  ['harm before the end', bytes('cos\nsystem\n'), 'model/harmful-call'],
  ['harm that is popped', bytes('cos\nsystem\n0N.'), 'model/harmful-call'],
  ['a second pickle', bytes('\x80\x02N.', written[1] as Buffer), 'model/harmful-call'],
  [
    'the fourth pickle of the old format',
    bytes('\x80\x02', magic, '.', '\x80\x02N.', 'N.', 'cos\nsystem\n.'),
    'model/harmful-call',
  ],
  ['a computed name', bytes('\x80\x04', short('os'), 'N', 0x93, '.'), 'model/hidden-call'],
  ['a computed callable', bytes('\x80\x02ccollections\nOrderedDict\n)R)R.'), 'model/hidden-call'],
  ['an extension', bytes('\x80\x02', 0x82, 1, ')R.'), 'model/hidden-call'],
  ['a class nobody knows', bytes('\x80\x02cacme.models\nNet\n)', 0x81, '.'), 'model/unknown-call'],
  ['no end', bytes('\x80\x02N'), 'model/broken-pickle'],
  ['an argument beyond the end', bytes('\x80\x02X\xff\xff\xff\x7fabc.'), 'model/broken-pickle'],
  ['a length of 64 bits', bytes('\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\xff.'), 'model/broken-pickle'],
  ['an empty stack', bytes('\x80\x02R.'), 'model/broken-pickle'],
  ['no mark', bytes('\x80\x02Nt.'), 'model/broken-pickle'],
  ['an empty memo', bytes('\x80\x02h\x07.'), 'model/broken-pickle'],
]
for (const [what, pickle, rule] of harmful)
  test(`a pickle fails: ${what}`, async () => {
    const { format, outcome, findings } = await check(pickle)
    assert.deepEqual([format, outcome], ['pickle', 'failed'])
    assert.ok(
      findings.some((finding) => finding.rule === rule),
      JSON.stringify(findings),
    )
  })

const harmless: readonly [what: string, pickle: Buffer][] = [
  ['an array of NumPy, protocol 2', Buffer.from(numpy2, 'hex')],
  ['an array of NumPy, protocol 4', Buffer.from(numpy4, 'hex')],
  [
    'a tensor of PyTorch',
    bytes(
      ...['\x80\x02ccollections\nOrderedDict\n)R(X\x01\x00\x00\x00wctorch._utils\n_rebuild_tensor_v2\n(('],
      ...['X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x04tQK\x00K\x04\x85K\x01\x85'],
      ...[0x89, 'ccollections\nOrderedDict\n)RtRu.'],
    ),
  ],
]
for (const [what, pickle] of harmless)
  test(`a pickle passes: ${what}`, async () => {
    const { outcome, findings, globals } = await check(pickle)
    assert.deepEqual([outcome, findings], ['passed', []])
    assert.ok(globals.length > 0)
  })

test('no bytes make the reader throw, and none that name a module pass', () =>
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.uint8Array({ maxLength: 50 }), (before, after) => {
      readPickle(before)
      const { findings } = readPickle(bytes('cos\nsystem\n', before, after))
      assert.ok(findings.length > 0)
    }),
  ))

interface Member {
  readonly name: string
  readonly body: Uint8Array
  readonly deflated?: boolean
  /** In the local header, where it differs. */
  readonly localName?: string
  readonly flags?: number
  readonly says?: number
}
function zip(members: readonly Member[]): Buffer {
  const parts: Buffer[] = []
  const directory: Buffer[] = []
  let at = 0
  for (const { name, body, deflated = false, localName = name, flags = 0, says = body.length } of members) {
    const packed = deflated ? deflateRawSync(body) : body
    const local = Buffer.alloc(30)
    local.writeUInt32LE(0x04034b50)
    local.writeUInt16LE(flags, 6)
    local.writeUInt16LE(deflated ? 8 : 0, 8)
    local.writeUInt32LE(packed.length, 18)
    local.writeUInt32LE(says, 22)
    local.writeUInt16LE(localName.length, 26)
    const central = Buffer.alloc(46)
    central.writeUInt32LE(0x02014b50)
    central.writeUInt16LE(flags, 8)
    central.writeUInt16LE(deflated ? 8 : 0, 10)
    central.writeUInt32LE(packed.length, 20)
    central.writeUInt32LE(says, 24)
    central.writeUInt16LE(name.length, 28)
    central.writeUInt32LE(at, 42)
    directory.push(central, Buffer.from(name))
    const whole = bytes(local, localName, packed)
    parts.push(whole)
    at += whole.length
  }
  const entries = Buffer.concat(directory)
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50)
  end.writeUInt16LE(members.length, 8)
  end.writeUInt16LE(members.length, 10)
  end.writeUInt32LE(entries.length, 12)
  end.writeUInt32LE(at, 16)
  return Buffer.concat([...parts, entries, end])
}
const evil = written[1] as Buffer
const good = bytes('\x80\x02ccollections\nOrderedDict\n)R.')
const numbers = { name: 'archive/data/0', body: new Uint8Array(64) }

const archives: readonly [what: string, file: Buffer, outcome: string, evidence: RegExp][] = [
  [
    'a harmful data.pkl',
    zip([{ name: 'archive/data.pkl', body: evil }, numbers]),
    'failed',
    /posix\.system \(in "archive\/data\.pkl"/,
  ],
  ['one that is deflated', zip([{ name: 'archive/data.pkl', body: evil, deflated: true }]), 'failed', /posix\.system/],
  [
    'one under another name',
    zip([
      { name: 'a/data.pkl', body: good },
      { name: 'a/x.txt', body: evil },
    ]),
    'failed',
    /in "a\/x\.txt"/,
  ],
  ['an encrypted one', zip([{ name: 'a/data.pkl', body: evil, flags: 1 }]), 'failed', /encrypted/],
  ['two names', zip([{ name: 'a/data.pkl', body: good, localName: 'b/data.pkl' }]), 'failed', /its header calls it/],
  [
    'one name twice',
    zip([
      { name: 'a/data.pkl', body: good },
      { name: 'A/data.pkl', body: evil },
    ]),
    'failed',
    /there twice/,
  ],
  ['a way out', zip([{ name: '../../x', body: numbers.body }]), 'failed', /leads out/],
  [
    'a bomb',
    zip([{ name: 'a/data.pkl', body: new Uint8Array(100_000), deflated: true, says: 10 }]),
    'failed',
    /longer than it says/,
  ],
  ['something after the end', bytes(zip([numbers]), 'x'), 'failed', /follows its end/],
  ['a torn end', zip([numbers]).subarray(0, 80), 'failed', /no end record/],
  ['an archive within', zip([{ name: 'a/inner.pt', body: zip([numbers]) }]), 'not-checked', /archive within/],
  [
    'code of its own',
    zip([
      { name: 'a/data.pkl', body: good },
      { name: 'a/code/net.py', body: bytes('x') },
    ]),
    'passed',
    /code of its own/,
  ],
  ['numbers only', zip([{ name: 'archive/data.pkl', body: good }, numbers]), 'passed', /^$/],
]
for (const [what, file, outcome, evidence] of archives)
  test(`an archive with ${what}: ${outcome}`, async () => {
    const report = await check(file)
    assert.equal(report.outcome, outcome, JSON.stringify(report))
    assert.match(report.findings.map((one) => one.evidence).join('; '), evidence)
  })

const tensors = (header: string, data: number | string = 8): Buffer => {
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(header.length))
  return bytes(length, header, typeof data === 'number' ? new Uint8Array(data) : data)
}
const one = '{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}'
const safetensors: readonly [what: string, file: Buffer, fault: RegExp | undefined][] = [
  ['a tensor', tensors(one), undefined],
  ['metadata and spaces', tensors(`${one.slice(0, -1)},"__metadata__":{"format":"pt"}}   `), undefined],
  ['one name twice', tensors(`{${one.slice(1, -1)},${one.slice(1)}`), /duplicate-key/],
  ['a header beyond the end', bytes('\xff\xff\x00\x00\x00\x00\x00\x00{}', new Uint8Array(20)), /beyond the end/],
  ['a type that does not exist', tensors(one.replace('F32', 'PICKLE')), /type that does not exist/],
  ['a wrong length', tensors(one.replace('[2]', '[3]')), /not as long as its shape/],
  ['a place beyond the end', tensors(one, 4), /beyond the end/],
  ['something behind the tensors', tensors(one, 100), /something follows/],
  ['an overlap', tensors(`${one.slice(0, -1)},"b":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}}`), /overlap/],
  ['a gap', tensors('{"a":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}}'), /gap/],
  ['metadata that is not text', tensors(`${one.slice(0, -1)},"__metadata__":{"a":{}}}`), /metadata/],
  ['a huge shape', tensors(one.replace('[2]', '[9007199254740991,9007199254740991]')), /not as long/],
]
for (const [what, file, fault] of safetensors)
  test(`safetensors with ${what}: ${fault === undefined ? 'passed' : 'failed'}`, async () => {
    const { format, outcome, findings } = await check(file)
    assert.deepEqual([format, outcome], ['safetensors', fault === undefined ? 'passed' : 'failed'])
    if (fault !== undefined) assert.match(findings[0]?.evidence ?? '', fault)
  })

function gguf(template: string, { version = 3, tail = '' } = {}): Buffer {
  const number = (value: number, size: 4 | 8): Buffer => {
    const buffer = Buffer.alloc(size)
    size === 4 ? buffer.writeUInt32LE(value) : buffer.writeBigUInt64LE(BigInt(value))
    return buffer
  }
  const text = (value: string): Buffer => bytes(number(value.length, 8), value)
  const list = bytes(text('sizes'), number(9, 4), number(4, 4), number(2, 8), number(1, 4), number(2, 4))
  const pair = bytes(text('tokenizer.chat_template'), number(8, 4), text(template))
  return bytes('GGUF', number(version, 4), number(0, 8), number(2, 8), list, pair, tail)
}
const ggufs: readonly [what: string, file: Buffer, outcome: string, evidence: RegExp][] = [
  ['a plain template', gguf("{% for m in messages %}{{ m['content'] }}{% endfor %}"), 'passed', /^$/],
  ['a template that escapes', gguf('{{ "".__class__.__mro__[1].__subclasses__() }}'), 'failed', /reaches for the interpreter/],
  ['a torn end', gguf('x').subarray(0, 60), 'failed', /ends too early/],
  ['a version of tomorrow', gguf('x', { version: 9 }), 'failed', /version/],
]
for (const [what, file, outcome, evidence] of ggufs)
  test(`GGUF with ${what}: ${outcome}`, async () => {
    const report = await check(file)
    assert.deepEqual([report.format, report.outcome], ['gguf', outcome])
    assert.match(report.findings.map((finding) => finding.evidence).join('; '), evidence)
  })

const array = (descr: string, body: Uint8Array): Buffer => {
  const header = `{'descr': '${descr}', 'fortran_order': False, 'shape': (1,), }\n`
  return bytes('\x93NUMPY\x01\x00', header.length, 0, header, body)
}
test('an array of objects is a pickle; one of numbers is none', async () => {
  assert.equal((await check(array('|O', evil))).outcome, 'failed')
  assert.equal((await check(array('<f4', evil))).outcome, 'passed')
})

/**
 * A valid safetensors file that is a pickle too. The length of the header, read as a pickle, is BINBYTES over the first 40 bytes;
 * then texts of one opcode after another swallow the header, and what follows is both a tensor and a call.
 */
function twofold(): Buffer {
  const evilTail = 'cos\nsystem\n(S"id"\ntR.'
  const end = `"},"a":{"dtype":"U8","shape":[${evilTail.length}],"data_offsets":[0,${evilTail.length}]}}`
  const swallow = (length: number, text = ''): string => `U${String.fromCharCode(length)}${text.padStart(length, 'A')}`
  const chain = `${swallow(126).repeat(79)}${swallow(32)}${swallow(121, end)}`
  const header = `{"__metadata__":{"x":"${'A'.repeat(15)}${chain}`
  assert.equal(header.length, 0x42 + 256 * 40)
  return tensors(header, evilTail)
}
const gguf2 = bytes('GGUF', 3, 0, 0, 0, 0, 'cos\nsystem\n(S"id"\ntR.', new Uint8Array(64))
for (const [what, file, format] of [
  ['safetensors', twofold(), 'safetensors'],
  ['GGUF', gguf2, 'gguf'],
] as const)
  test(`${what} that is a pickle as well fails`, async () => {
    const report = await check(file)
    assert.deepEqual([report.format, report.outcome], [format, 'failed'])
    assert.match(report.findings.at(-1)?.evidence ?? '', /pickle as well, and loading it as one runs os\.system/)
  })
test('but for the pickle in it, that safetensors file is in order', async () =>
  assert.deepEqual(await safetensorsFaults(bytesSource(twofold())), []))

const others: readonly [what: string, file: Buffer, why: RegExp][] = [
  ['compressed', gzipSync(evil), /gzip/],
  ['of an unknown format', bytes('\x08\x07\x12\x04onnx'), /not known here/],
  ['empty', Buffer.alloc(0), /not known here/],
]
for (const [what, file, why] of others)
  test(`a file that is ${what} is not checked, and does not pass`, async () => {
    const { outcome, why: said } = await check(file)
    assert.equal(outcome, 'not-checked')
    assert.match(said ?? '', why)
  })
