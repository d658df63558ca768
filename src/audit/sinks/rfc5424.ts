/** The syslog message of RFC 5424 and its framing on a stream (RFC 6587 section 3.4.1, the same in RFC 5425): pure functions. */

/** RFC 5424, table 1, under the names that syslog.conf has for them; the place in the list is the number. */
export const facilityNames = [
  ...([
    'kern',
    'user',
    'mail',
    'daemon',
    'auth',
    'syslog',
    'lpr',
    'news',
    'uucp',
    'cron',
    'authpriv',
    'ftp',
    'ntp',
    'audit',
    'alert',
    'clock',
  ] as const),
  ...(['local0', 'local1', 'local2', 'local3', 'local4', 'local5', 'local6', 'local7'] as const),
] as const
export type Facility = (typeof facilityNames)[number]

/** RFC 5424, table 2. */
export const severities = { critical: 2, error: 3, warning: 4, notice: 5, informational: 6 } as const
export type SyslogSeverity = keyof typeof severities

export interface SyslogMessage {
  readonly facility: Facility
  readonly severity: SyslogSeverity
  /** ISO 8601 in UTC, which is the syntax of RFC 3339 that is asked for. */
  readonly time: string
  readonly hostname: string
  readonly appName: string
  readonly messageId: string
  /** SD-ID → its parameters. Only names registered with IANA: others would need an enterprise number. */
  readonly data: Readonly<Record<string, Readonly<Record<string, string>>>>
  readonly text: string
}

/** No byte order mark before the text, though RFC 5424 asks for one: collectors look for `CEF:` at its beginning. */
export function formatMessage(message: SyslogMessage): string {
  const priority = facilityNames.indexOf(message.facility) * 8 + severities[message.severity]
  const header = [
    printUsAscii(message.hostname, 255),
    printUsAscii(message.appName, 48),
    '-',
    printUsAscii(message.messageId, 32),
  ].join(' ')
  return `<${priority}>1 ${message.time} ${header} ${structured(message.data)} ${message.text}`
}

/** One message on a stream: its length in bytes, a space, and the message. */
export function framed(message: string): Buffer {
  const bytes = Buffer.from(message)
  return Buffer.concat([Buffer.from(`${bytes.length} `), bytes])
}

const printUsAscii = (text: string, charsMax: number): string => text.replace(/[^\x21-\x7e]/g, '').slice(0, charsMax) || '-'

function structured(data: SyslogMessage['data']): string {
  const elements = Object.entries(data).map(([id, params]) => {
    const written = Object.entries(params).map(([name, value]) => ` ${name}="${value.replace(/[\\"\]]/g, '\\$&')}"`)
    return `[${id}${written.join('')}]`
  })
  return elements.join('') || '-'
}
