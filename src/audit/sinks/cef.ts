/**
 * An entry in ArcSight's Common Event Format, which Sentinel (`CommonSecurityLog`) and most SIEMs read. The keys are those of
 * the CEF dictionary; what has none travels in the custom fields with their labels.
 */
import { isIP } from 'node:net'
import type { Finding } from '../../pipeline/guard.ts'
import type { Entry, OperatorEntry, Outcome } from '../entry.ts'

/** CEF's scale is 0 to 10: up to 3 low, to 6 medium, to 8 high. */
const severityOf: Readonly<Record<Finding['severity'], number>> = { info: 2, low: 3, medium: 5, high: 8, critical: 10 }
const refusedSeverity = 5
const operatorSeverity = 4
const deliveredSeverity: Readonly<Record<string, number>> = { read: 1, write: 2, destructive: 3 }

export interface CefEvent {
  readonly severity: number
  readonly text: string
}

/** The event for an entry, or undefined for an intent and what follows it: the outcome says it all. */
export function cefOf(entry: Entry, version: string): CefEvent | undefined {
  if (entry.kind === 'intent' || entry.kind === 'ongoing') return undefined
  return entry.kind === 'operator' ? operatorEvent(entry, version) : outcomeEvent(entry, version)
}

function outcomeEvent(entry: Outcome, version: string): CefEvent {
  const findings = entry.findings ?? []
  const worst = findings.reduce((most, { severity }) => Math.max(most, severity === undefined ? 0 : severityOf[severity]), 0)
  const own = entry.ending === 'refused' ? refusedSeverity : (deliveredSeverity[entry.class ?? 'read'] ?? 1)
  const severity = Math.max(worst, own)
  const client = [entry.claimedClient, entry.claimedVersion].filter((word) => word !== undefined).join('/')
  const fields: Fields = [
    ['rt', Date.parse(entry.time)],
    ['externalId', entry.exchange],
    ['act', entry.ending],
    ['outcome', entry.ending === 'refused' || entry.ending === 'cancelled' ? 'failure' : 'success'],
    ['reason', entry.code],
    ['suser', entry.principal],
    ...source(entry.remote),
    ['requestClientApplication', client],
    ['app', 'MCP'],
    ['requestMethod', entry.method],
    ['destinationServiceName', entry.server],
    ['deviceExternalId', entry.node],
    ['cat', distinct(findings.map(({ owasp }) => owasp))],
    ['msg', findings.find(({ severity }) => severity !== undefined && severityOf[severity] === worst)?.evidence ?? entry.detail],
    ...labelled('cs1', 'subject', entry.subject),
    ...labelled('cs2', 'class', entry.class),
    ...labelled(
      'cs3',
      'rules',
      distinct(findings.map(({ rule, mode }) => (mode === 'monitor' && rule !== undefined ? `${rule} (monitored)` : rule))),
    ),
    ...labelled('cs4', 'session', entry.session),
    ...labelled('cs5', 'resultSha256', entry.resultDigests?.[0]),
    ...labelled('cn1', 'seq', entry.seq),
    ...labelled('cn2', 'tookMs', Math.round(entry.tookMs)),
  ]
  return { severity, text: cef(version, entry.code ?? entry.ending, names[entry.ending], severity, fields) }
}

const names: Readonly<Record<Outcome['ending'], string>> = {
  delivered: 'MCP request delivered',
  suspended: 'MCP request suspended',
  refused: 'MCP request refused',
  cancelled: 'MCP request cancelled',
}

function operatorEvent(entry: OperatorEntry, version: string): CefEvent {
  const fields: Fields = [
    ['rt', Date.parse(entry.time)],
    ['act', entry.action],
    ['suser', entry.principal],
    ['destinationServiceName', entry.server],
    ['deviceExternalId', entry.node],
    ['msg', entry.detail],
    ...labelled('cs1', 'subject', entry.subject),
    ...labelled('cn1', 'seq', entry.seq),
  ]
  return { severity: operatorSeverity, text: cef(version, entry.action, 'Operator action', operatorSeverity, fields) }
}

type Fields = readonly (readonly [key: string, value: string | number | undefined])[]

/** Lengths of the CEF dictionary; other texts have theirs from entry.ts. */
const charsMax: Readonly<Record<string, number>> = { msg: 1023, cat: 1023, reason: 1023, cs3: 1023 }

function cef(version: string, id: string, name: string, severity: number, fields: Fields): string {
  const header = ['CEF:0', 'Sekisho', 'Sekisho', version, id, name, String(severity)]
  const extension = fields.flatMap(([key, value]) =>
    value === undefined || value === '' ? [] : [`${key}=${extensionValue(String(value).slice(0, charsMax[key] ?? 512))}`],
  )
  return [header[0], ...header.slice(1).map((part) => headerValue(part as string)), extension.join(' ')].join('|')
}

const control = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g
const headerValue = (text: string): string => text.replace(control, ' ').replace(/[\\|]/g, '\\$&')
const extensionValue = (text: string): string =>
  text
    .replace(/[\\=]/g, '\\$&')
    .replace(/\r\n|\n/g, '\\n')
    .replace(/\r/g, '\\r')
    .replace(control, ' ')

const labelled = (key: string, label: string, value: string | number | undefined): Fields =>
  value === undefined || value === ''
    ? []
    : [
        [key, value],
        [`${key}Label`, label],
      ]

const distinct = (words: readonly (string | undefined)[]): string =>
  [...new Set(words.filter((word) => word !== undefined))].join(', ')

/** `src` holds IPv4 only; IPv6 has a custom field. A port is cut off. */
function source(remote: string | undefined): Fields {
  if (remote === undefined) return []
  const address = remote
    .replace(/^\[(.*)\](?::\d+)?$/, '$1')
    .replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, '$1')
    .replace(/^::ffff:(?=\d+\.)/, '')
  if (isIP(address) === 4) return [['src', address]]
  return isIP(address) === 6 ? labelled('c6a2', 'Source IPv6 Address', address) : []
}
