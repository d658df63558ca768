/**
 * What a model file would do to whoever loads it, told from its bytes and never from its name: a pickle may run code, a safetensors
 * file cannot. A format that is not known here is `not-checked`, which is not a yes.
 */
import type { Finding } from '../../pipeline/guard.ts'
import { readGguf } from './models-gguf.ts'
import { type PickleFinding, type PickleReport, readPickle } from './models-pickle.ts'
import { safetensorsFaults } from './models-safetensors.ts'
import type { ByteSource } from './models-source.ts'
import { readEntry, readZip, type ZipEntry, ZipRefused } from './models-zip.ts'

export type ModelFormat = 'safetensors' | 'gguf' | 'pickle' | 'pytorch-zip' | 'zip' | 'numpy' | 'unknown'

export interface ModelReport {
  readonly format: ModelFormat
  readonly outcome: 'passed' | 'failed' | 'not-checked'
  readonly findings: readonly Finding[]
  /** Why it was not checked. */
  readonly why?: string
  /** What a pickle names. */
  readonly globals: readonly string[]
}

/** A pickle of a model is small; the numbers stand beside it. In a bare pickle they are within. */
const pickleBytesMax = 536_870_912
/** Where the second format would have to begin. */
const twofoldBytesMax = 16_777_216
/** torch.load reads so many pickles one after another from a file of the old format. */
const legacyPickles = 5
const legacyMagic = Buffer.from('8a0a6cfc9c46f9206aa85019', 'hex')

export async function checkModel(source: ByteSource): Promise<ModelReport> {
  const report = await checkAs(source)
  if (report.format === 'pickle') return report
  const also = await alsoPickle(source)
  return also.length === 0 ? report : { ...report, outcome: 'failed', findings: [...report.findings, ...also] }
}

/**
 * One file may be two: the first bytes of GGUF, of a zip and of safetensors are opcodes too, with arguments that swallow what makes
 * the other format valid. Whoever loads it by another name runs what follows.
 */
async function alsoPickle(source: ByteSource): Promise<readonly Finding[]> {
  const { findings } = readPickle(await source.read(0, Math.min(source.size, twofoldBytesMax)))
  return findings
    .filter(({ rule, what }) => rule === 'model/harmful-call' && /^[A-Za-z_][\w.]*$/.test(what))
    .map(({ what, at }) =>
      finding('model/two-formats', 'critical', `it is a pickle as well, and loading it as one runs ${what} (at byte ${at})`),
    )
}

async function checkAs(source: ByteSource): Promise<ModelReport> {
  const head = await source.read(0, Math.min(source.size, 64))
  const begins = (text: string): boolean => Buffer.from(head).toString('latin1').startsWith(text)
  if (begins('GGUF')) return checkGguf(source)
  if (begins('PK\x03\x04') || begins('PK\x05\x06')) return checkZip(source)
  if (begins('\x93NUMPY')) return checkNumpy(source)
  if (head[8] === 0x7b && source.size > 10) {
    const faults = await safetensorsFaults(source)
    return reportOf(
      'safetensors',
      faults.map((fault) => broken(fault)),
    )
  }
  const packed = compressions.find(([magic]) => begins(magic))
  if (packed !== undefined) return unchecked('unknown', `it is compressed (${packed[1]}), and what is inside is not looked at`)
  if (looksLikePickle(head)) return checkPickle(source)
  return unchecked('unknown', 'its format is not known here; only safetensors, GGUF, NumPy, PyTorch and pickle are read')
}

const compressions: readonly (readonly [string, string])[] = [
  ['\x1f\x8b', 'gzip'],
  ['BZh', 'bzip2'],
  ['\xfd7zXZ', 'xz'],
  ['7z\xbc\xaf\x27\x1c', '7z'],
  ['\x28\xb5\x2f\xfd', 'zstd'],
  ['\x04\x22\x4d\x18', 'lz4'],
  ['Rar!', 'rar'],
  ['x\x9c', 'zlib'],
  ['x\x01', 'zlib'],
  ['x\xda', 'zlib'],
]

/** Protocol 2 and later say so; an older one begins with the first thing it makes. */
const looksLikePickle = (head: Uint8Array): boolean =>
  head[0] === 0x80 ? (head[1] ?? 255) <= 5 : /^(c[\w.]+\n|\(|[\]})lNIFSVLK]|\x8a)/.test(Buffer.from(head).toString('latin1'))

function checkPickle(bytes: ByteSource): Promise<ModelReport> | ModelReport {
  if (bytes.size > pickleBytesMax) return unchecked('pickle', `it has more than ${pickleBytesMax} bytes`)
  return bytes.read(0, bytes.size).then((whole) => {
    const isLegacy = Buffer.from(whole.subarray(0, 32)).includes(legacyMagic)
    const reports: PickleReport[] = []
    let at = 0
    for (let count = 0; count < (isLegacy ? legacyPickles : 1000) && at < whole.length; count++) {
      if (count > 0 && !isLegacy && !(whole[at] === 0x80 && (whole[at + 1] ?? 255) <= 5)) break
      const report = readPickle(whole, at)
      reports.push(report)
      if (report.length === undefined) break
      at += report.length
    }
    return reportOf(
      'pickle',
      reports.flatMap(({ findings }) => findings.map((one) => ofPickle(one))),
      globalsOf(reports),
    )
  })
}

const globalsOf = (reports: readonly PickleReport[]): readonly string[] =>
  [...new Set(reports.flatMap(({ globals }) => globals))].sort()

/** What torch.load unpickles, and what looks like a pickle although it is not called one. */
const isPickleName = ({ name }: ZipEntry): boolean => /\.(pkl|pickle|pt|pth|bin|ckpt|joblib)$/i.test(name)

async function checkZip(source: ByteSource): Promise<ModelReport> {
  const findings: Finding[] = []
  const reports: PickleReport[] = []
  try {
    const { entries, faults } = await readZip(source)
    findings.push(...faults.map((fault) => broken(fault)))
    const isTorch = entries.some(({ name }) => /(^|\/)data\.pkl$/.test(name))
    const scripts = entries.filter(({ name }) => /(^|\/)code\/.*\.py$/.test(name))
    if (scripts.length > 0)
      findings.push(finding('model/code', 'medium', `it brings code of its own (${scripts.length} files, TorchScript)`))
    for (const entry of entries.filter((one) => one.size > 0)) {
      const within = await lookInto(source, entry)
      if ('pickle' in within) reports.push(within.pickle)
      findings.push(...within.findings)
    }
    const unread = findings.find(({ rule }) => rule === 'model/unread')
    if (unread !== undefined && findings.every(({ severity }) => severity === 'medium'))
      return { ...unchecked(isTorch ? 'pytorch-zip' : 'zip', unread.evidence), findings }
    return reportOf(isTorch ? 'pytorch-zip' : 'zip', findings, globalsOf(reports))
  } catch (error) {
    if (!(error instanceof ZipRefused)) throw error
    return reportOf('zip', [...findings, broken(`the archive cannot be read: ${error.message}`)], globalsOf(reports))
  }
}

type Within = { readonly findings: readonly Finding[] } & ({ readonly pickle: PickleReport } | object)

async function lookInto(source: ByteSource, entry: ZipEntry): Promise<Within> {
  const place = JSON.stringify(entry.name.slice(0, 100))
  const isNamed = isPickleName(entry)
  if (!isNamed && entry.method === 0 && !entry.encrypted && !(await beginsLikePickle(source, entry))) return { findings: [] }
  try {
    const bytes = await readEntry(source, entry, pickleBytesMax)
    if (Buffer.from(bytes.subarray(0, 4)).toString('latin1') === 'PK\x03\x04')
      return {
        findings: [finding('model/unread', 'medium', `${place} is an archive within the archive, which is not looked into`)],
      }
    const isPickle = isNamed || (bytes[0] === 0x80 && (bytes[1] ?? 255) <= 5)
    if (!isPickle) return { findings: [] }
    const pickle = readPickle(bytes)
    if (!isNamed && pickle.length === undefined && pickle.globals.length === 0) return { findings: [] }
    return { pickle, findings: pickle.findings.map((one) => ofPickle(one, place)) }
  } catch (error) {
    if (!(error instanceof ZipRefused)) throw error
    return { findings: [broken(`${place} cannot be read: ${error.message}`)] }
  }
}

async function beginsLikePickle(source: ByteSource, { headerAt }: ZipEntry): Promise<boolean> {
  if (headerAt + 30 > source.size) return true
  const head = Buffer.from(await source.read(headerAt, 30))
  const from = headerAt + 30 + head.readUInt16LE(26) + head.readUInt16LE(28)
  if (from + 4 > source.size) return true
  const bytes = await source.read(from, 4)
  return (bytes[0] === 0x80 && (bytes[1] ?? 255) <= 5) || Buffer.from(bytes).toString('latin1') === 'PK\x03\x04'
}

/** A NumPy array of objects is a pickle behind a header (NEP 1). */
async function checkNumpy(source: ByteSource): Promise<ModelReport> {
  const head = Buffer.from(await source.read(0, Math.min(source.size, 65_546)))
  const isLong = (head[6] ?? 1) > 1
  if (head.length < 12) return reportOf('numpy', [broken('it ends within its header')])
  const from = isLong ? 12 : 10
  const length = isLong ? head.readUInt32LE(8) : head.readUInt16LE(8)
  const header = head.subarray(from, from + length).toString('latin1')
  if (!/'descr'/.test(header)) return reportOf('numpy', [broken('its header says no type')])
  if (!/\|O|'O'/.test(header)) return reportOf('numpy', [])
  if (source.size > pickleBytesMax) return unchecked('numpy', `it has more than ${pickleBytesMax} bytes`)
  const pickle = readPickle(await source.read(0, source.size), from + length)
  return reportOf(
    'numpy',
    pickle.findings.map((one) => ofPickle(one)),
    pickle.globals,
  )
}

async function checkGguf(source: ByteSource): Promise<ModelReport> {
  const { faults, reaches } = await readGguf(source)
  return reportOf('gguf', [
    ...faults.map((fault) => broken(fault)),
    ...reaches.map((found) => finding('model/template', 'critical', `its chat template reaches for the interpreter: ${found}`)),
  ])
}

const finding = (rule: string, severity: Finding['severity'], evidence: string): Finding => ({
  ...{ rule, severity, evidence, owasp: 'MCP04', requirement: 'SUP-C1' },
})
const broken = (what: string): Finding => finding('model/broken', 'high', what)

function ofPickle({ rule, severity, what, at }: PickleFinding, place?: string): Finding {
  const where = place === undefined ? `at byte ${at}` : `in ${place}, at byte ${at}`
  const says = {
    'model/harmful-call': `loading it runs ${what}`,
    'model/unknown-call': `loading it runs ${what}, which is not known to be harmless`,
    'model/hidden-call': what,
    'model/broken-pickle': `the pickle cannot be read to its end: ${what}`,
  }
  return finding(rule, severity, `${says[rule]} (${where})`)
}

const reportOf = (format: ModelFormat, findings: readonly Finding[], globals: readonly string[] = []): ModelReport => ({
  ...{ format, findings, globals },
  outcome: findings.some(({ severity }) => severity === 'high' || severity === 'critical') ? 'failed' : 'passed',
})
const unchecked = (format: ModelFormat, why: string): ModelReport => ({
  format,
  outcome: 'not-checked',
  findings: [],
  globals: [],
  why,
})
