/** Aligned columns for a terminal, plain when piped. */
import { stripVTControlCharacters, styleText } from 'node:util'

export type Style = Parameters<typeof styleText>[0]

/** Styled on a terminal that shows it (NO_COLOR and pipes are respected); the bare text elsewhere. */
export const styled = (style: Style, text: string, stream: NodeJS.WriteStream = process.stdout): string =>
  styleText(style, text, { stream })

/** Text of others in our terminal: on one line, and without the power to move the cursor. */
export const plain = (text: string): string => stripVTControlCharacters(text).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')

const width = (text: string): number => stripVTControlCharacters(text).length

/** One line for each row, its columns two spaces apart; no spaces at the end of a line. */
export function table(rows: readonly (readonly string[])[], indent = ''): string {
  const widths: number[] = []
  for (const row of rows) for (const [at, cell] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, width(cell))
  const line = (row: readonly string[]) => row.map((cell, at) => cell + ' '.repeat((widths[at] ?? 0) - width(cell))).join('  ')
  return rows.map((row) => `${indent}${line(row).trimEnd()}\n`).join('')
}

/** JSON that may be looked at on a terminal: what could move its cursor or turn its lines round is escaped. */
export const jsonLine = (value: unknown): string =>
  `${JSON.stringify(value).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (sign) => [...Array(sign.length).keys()].map((at) => escaped(sign, at)).join(''))}\n`
const escaped = (sign: string, at: number): string => `\\u${sign.charCodeAt(at).toString(16).padStart(4, '0')}`
