/**
 * Why a server ended, by its own words: of all that it wrote before, the line that tells. Words of a stranger, shortened, and with
 * what looks like a secret replaced.
 */
import { shownWords } from '../admin/operations/masking.ts'

const charsMax = 240
const isFrame = /^\s*(at |File ".*", line|[\^~]+\s*$|[{}]|code:|errno:|syscall:|path:)|^Node\.js v\d|^node:/
const tells = /\b(\w*(error|exception)|errno|cannot|could not|not found|no such|denied|refused|missing|required|invalid|usage)\b/i

/** `lines`: what it wrote and, last, how it ended. Undefined where it wrote nothing. */
export function lastWords(lines: readonly string[]): string | undefined {
  const own = lines.slice(0, -1).filter((line) => line.trim() !== '' && !isFrame.test(line) && !/^exited \(/.test(line))
  const line = own.findLast((one) => tells.test(one)) ?? own.at(-1)
  if (line === undefined) return undefined
  const shown = shownWords(line.trim().split(/\s+/)).join(' ')
  return shown.length > charsMax ? `${shown.slice(0, charsMax - 1)}…` : shown
}
