/** How a decision is said. A subject is strangers' text that ends up in a chat and in a shell: short, visible, quoted. */
import type { Principal } from '../pipeline/parcel.ts'
import type { Concern } from '../protocol/methods.ts'

const textMax = 80

/** At most 80 visible ASCII characters; what was left out shows as `?` and `...`. */
export function visible(text: string): string {
  const shown = text
    .slice(0, textMax + 1)
    .replace(/[^\x20-\x7e]/g, '?')
    .replace(/"/g, "'")
  return text.length > textMax ? `${shown.slice(0, textMax - 3)}...` : shown
}

export interface Thing {
  readonly principal: Principal
  readonly server: string
  readonly concern: Concern
  readonly subject: string | undefined
}

/** What was refused: `the tool "write_file" of server "files" for anonymous`. */
export function phrase({ principal, server, concern, subject }: Thing): string {
  const of = `of server "${visible(server)}" for ${visible(principal.id)}`
  if (concern === 'server') return `the server "${visible(server)}" for ${visible(principal.id)}`
  if (concern === 'task') return `tasks ${of}`
  const noun = concern === 'ask' ? 'question' : concern
  return subject === undefined ? `a ${noun} without a usable name ${of}` : `the ${noun} "${visible(subject)}" ${of}`
}

/** The command that explains the decision. */
export function whyCommand({ principal, server, concern, subject }: Thing): string {
  const named = concern === 'server' || concern === 'task' || subject === undefined ? '' : ` --${concern} ${quoted(subject)}`
  return `sekisho policy why --principal ${quoted(principal.id)} --server ${quoted(server)}${named}`
}

/** A word of a shell command that stays one word, whatever it says. */
function quoted(text: string): string {
  const shown = visible(text)
  return /^[A-Za-z0-9_./:@%+=,-]+$/.test(shown) ? shown : `'${shown.replaceAll("'", '?')}'`
}
