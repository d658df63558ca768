/** One readable line for each decision, as it is taken. What strangers call things, and what a server says, moves no cursor. */
import { styleText } from 'node:util'
import type { GatewayEvent } from '../gateway.ts'
import { plain } from './table.ts'

const marks = {
  delivered: ['green', 'pass'],
  suspended: ['cyan', 'asks'],
  cancelled: ['gray', 'gone'],
  refused: ['red', 'stop'],
} as const

/** A line for a person, or undefined for an event that only machines care about. */
export function liveLine(event: GatewayEvent): string | undefined {
  switch (event.kind) {
    case 'outcome': {
      const { ending, principal, remote, server, method, subject, code, tookMs, time } = event.outcome
      const [colour, mark] = marks[ending as keyof typeof marks] ?? marks.refused
      const what = plain([method, subject].filter(Boolean).join(' '))
      const who = principal === 'unidentified' && remote !== undefined ? ` from ${remote}` : ''
      const why = code === undefined ? '' : styleText('yellow', ` ${code}`)
      const clock = time.slice(11, 19)
      return `${styleText('gray', clock)} ${styleText(colour, mark)}  ${(server ?? '-').padEnd(12)} ${what.padEnd(44)} ${plain(principal).padEnd(12)} ${Math.round(tookMs)} ms${why}${who}`
    }
    case 'server':
      return styleText('gray', `         ${event.server}: ${plain(event.line)}`)
    case 'turned-away':
      return `${styleText('red', '         away')}  ${event.code} from ${event.remote ?? 'a local caller'}`
    case 'failed':
      return styleText('red', `         failed ${plain(event.exchange)}: ${linesOf(event.error).map(plain).join('\n')}`)
  }
}

const linesOf = (error: unknown): readonly string[] =>
  ((error instanceof Error ? error.stack : undefined) ?? String(error)).split('\n')
