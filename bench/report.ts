/** The report: one value in, the same words out for the terminal (aligned) and for the Markdown file (pipes). */
import { cellName } from './cases.ts'
import { type StartUp, type Streams, streamsWanted } from './idle.ts'
import type { Machine } from './machine.ts'
import type { Micro } from './micro.ts'
import { medianOf, type Pace, type Row, type Table } from './rounds.ts'
import { subjects } from './subjects.ts'
import type { Verdict } from './verdict.ts'

export interface Report {
  machine: Machine
  pace: Pace
  ceiling: string
  tables: Table[]
  streams: Streams[]
  startUp: StartUp[]
  micro: Micro[]
  verdicts: Verdict[]
}

export type Style = 'terminal' | 'markdown'
type Cells = string[]

/** The first two columns are text, the rest figures; an empty row separates. */
function grid(head: Cells, rows: Cells[], style: Style): string {
  if (style === 'markdown') {
    const line = (cells: Cells) => `| ${cells.join(' | ')} |`
    const padded = rows.filter((row) => row.length > 0).map((row) => [...row, ...head.slice(row.length).map(() => '')])
    return [line(head), line(head.map((_, column) => (column < 2 ? '---' : '--:'))), ...padded.map(line)].join('\n')
  }
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => (row[column] ?? '').length)))
  const line = (cells: Cells) =>
    cells.map((cell, column) => (column < 2 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!))).join('  ')
  const rule = widths.map((width) => '─'.repeat(width)).join('  ')
  return [line(head), rule, ...rows.map(line)].map((text) => text.trimEnd()).join('\n')
}

const fixed = (value: number | null, digits: number) => (value === null ? '–' : value.toFixed(digits))
const ratio = (ours: number | null, theirs: number | null) =>
  ours === null || theirs === null || theirs === 0 ? '–' : `${(ours / theirs).toFixed(2)}×`

const titles = {
  http: 'Table 1: tools/call before an HTTP upstream',
  stdio: 'Table 2: tools/call before a stdio upstream (the same server for all)',
}
/** Who the others are measured against. */
const references = { http: ['direct', 'bare proxy'], stdio: ['mcp-proxy', 'supergateway'] }

function figures(row: Row, peers: Row[], front: Table['front']): Cells {
  const rate = medianOf(row, ({ callsPerSecond }) => callsPerSecond)
  const cpu = medianOf(row, ({ cpuMicros }) => cpuMicros)
  const p50 = medianOf(row, ({ p50Ms }) => p50Ms)
  const reference = references[front].map((name) => peers.find(({ subject }) => subject === name))
  const rates = reference.map((peer) =>
    ratio(
      rate,
      medianOf(peer, ({ callsPerSecond }) => callsPerSecond),
    ),
  )
  const directP50 = front === 'http' ? medianOf(reference[0], ({ p50Ms }) => p50Ms) : null
  const added = directP50 === null || p50 === null || row.subject === 'direct' ? '–' : `+${(p50 - directP50).toFixed(2)}`
  const cpuPeer = reference[front === 'http' ? 1 : 0]
  return [
    fixed(rate, 0),
    ...rates,
    fixed(p50, 2),
    ...(front === 'http' ? [added] : []),
    fixed(
      medianOf(row, ({ p95Ms }) => p95Ms),
      2,
    ),
    fixed(
      medianOf(row, ({ p99Ms }) => p99Ms),
      2,
    ),
    fixed(cpu, 0),
    ratio(
      cpu,
      medianOf(cpuPeer, ({ cpuMicros }) => cpuMicros),
    ),
  ]
}

function tableText(table: Table, style: Style): string {
  const { front, rows } = table
  const [first, second] = references[front]
  const added = front === 'http' ? ['+p50'] : []
  const cpuOf = `÷ ${front === 'http' ? second : first}`
  const head = [
    'cell',
    'subject',
    'calls/s',
    `÷ ${first}`,
    `÷ ${second}`,
    'p50 ms',
    ...added,
    'p95 ms',
    'p99 ms',
    'CPU µs/call',
    cpuOf,
  ]
  /** A subject with nothing to show in any cell is said once, below the table. */
  const absent = new Map<string, string>()
  for (const { subject, problem } of rows) {
    if (problem !== null && rows.every((row) => row.subject !== subject || row.rounds.length === 0)) absent.set(subject, problem)
  }
  const remarks: string[] = [...absent].map(([subject, problem]) => `${subject}: n/a, ${problem}`)
  const lines: Cells[] = []
  let last = ''
  for (const row of rows.filter(({ subject }) => !absent.has(subject))) {
    const name = cellName(row.cell)
    const peers = rows.filter(({ cell }) => cell === row.cell)
    if (last !== '' && name !== last) lines.push([])
    last = name
    const mark = row.problem !== null && row.rounds.length > 0 ? ' (!)' : ''
    if (row.problem !== null) remarks.push(`${name} ${row.subject}: ${row.problem}`)
    lines.push([name, row.subject + mark, ...(row.rounds.length > 0 ? figures(row, peers, front) : ['n/a'])])
  }
  const upstream =
    front === 'stdio' ? ' The upstream server the subject spawns is not counted in CPU (told apart by its command line).' : ''
  const notes = [
    `fsync p50 of the disk under the audit log: ${table.fsyncP50Ms.toFixed(3)} ms. Medians of rounds; CPU is the subject's whole process tree.${upstream}`,
    ...remarks,
  ]
  return section(titles[front], grid(head, lines, style), notes, style)
}

function section(title: string, body: string, notes: string[], style: Style): string {
  const heading = style === 'markdown' ? `## ${title}` : title
  const listed = style === 'markdown' ? notes.map((note) => `- ${note}`) : notes.map((note) => `  ${note}`)
  return [heading, body, listed.join('\n')].filter((part) => part !== '').join('\n\n')
}

const mebibytes = (bytes: number | null) => fixed(bytes === null ? null : bytes / 2 ** 20, 0)

const problems = (rows: { subject: string; front: Table['front']; problem: string | null }[]) =>
  rows.filter(({ problem }) => problem !== null).map(({ subject, front, problem }) => `${subject} (${front}): ${problem}`)

function streamsText(streams: Streams[], style: Style): string {
  const rows = streams.map(({ subject, front, opened, beforeBytes, withStreamsBytes }) => {
    const grown = beforeBytes === null || withStreamsBytes === null ? null : withStreamsBytes - beforeBytes
    const each = grown === null || opened === 0 ? null : grown / opened / 1024
    return [subject, front, String(opened), mebibytes(beforeBytes), mebibytes(withStreamsBytes), fixed(each, 1)]
  })
  const head = ['subject', 'upstream', 'streams', 'RSS MiB before', 'RSS MiB with', 'KiB each']
  const title = `Memory at ${streamsWanted} idle streams (legacy sessions, one open GET each)`
  const notes = ['Resident memory of the process tree, without the upstream server.', ...problems(streams)]
  return section(title, grid(head, rows, style), notes, style)
}

function startUpText(startUp: StartUp[], style: Style): string {
  const rows = startUp.map(({ subject, front, readyMs, answeredMs }) => [subject, front, fixed(readyMs, 0), fixed(answeredMs, 0)])
  const head = ['subject', 'upstream', 'ready ms', 'first call ms']
  const title = 'Start-up (spawn to ready; spawn to the first call answered)'
  return section(title, grid(head, rows, style), problems(startUp), style)
}

function microText(micro: Micro[], style: Style): string {
  const rows = micro.map(({ step, micros, targetMicros }) => [
    step,
    micros <= targetMicros ? 'reached' : 'not reached',
    fixed(micros, 1),
    fixed(targetMicros, 0),
  ])
  return section('Steps by themselves', grid(['step', 'target', 'median µs', 'at most µs'], rows, style), [], style)
}

function verdictText(verdicts: Verdict[], style: Style): string {
  const lines = verdicts.map(({ target, outcome, figures }) => `${outcome}: ${target}${figures === '' ? '' : `: ${figures}`}`)
  return style === 'markdown' ? section('Targets', '', lines, style) : section('Targets', lines.join('\n'), [], style)
}

function factsText({ machine, pace, ceiling }: Report, style: Style): string {
  const tree = machine.changed ? `${machine.commit} with changes` : machine.commit
  const facts = [
    `${machine.date}, commit ${tree}; ${machine.cores} × ${machine.cpu}, ${machine.memoryGiB} GiB, ${machine.platform}, kernel ${machine.kernel}, Node ${machine.node}, load average before ${machine.loadBefore}`,
    `${pace.rounds} interleaved rounds of ${pace.seconds} s after warm-up; closed loop, one connection for each caller, one session for each subject; every answer checked`,
    'load generator, subject and upstream share the cores: compare ratios and CPU, not absolute calls/s',
    ...(ceiling === '' ? [] : [ceiling]),
    ...subjects.map(({ name, setup }) => `${name}: ${setup}`),
  ]
  return section('Sekisho bench', '', facts, style)
}

export function reportText(report: Report, style: Style): string {
  const { tables, streams, startUp, micro, verdicts } = report
  const parts = [
    factsText(report, style),
    ...tables.map((table) => tableText(table, style)),
    ...(streams.length > 0 ? [streamsText(streams, style)] : []),
    ...(startUp.length > 0 ? [startUpText(startUp, style)] : []),
    ...(micro.length > 0 ? [microText(micro, style)] : []),
    ...(verdicts.length > 0 ? [verdictText(verdicts, style)] : []),
  ]
  return `${parts.join('\n\n')}\n`
}
