/** How a decision is said. A subject is strangers' text that ends up in a chat and in a shell: short, visible, quoted. */
import type { Principal } from '../pipeline/parcel.ts'
import type { Concern } from '../protocol/methods.ts'
import { isBound } from './roles.ts'
import type { Binding } from './schema.ts'

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

const claimFlags = { group: '--group', appRole: '--app-role', scope: '--scope', client: '--client', tenant: '--tenant' } as const
const claimFlagsMax = 8

/**
 * The command that explains the decision. Of what a token says it repeats what gave a role, and its scopes: without them, the
 * command would explain the decision about somebody else. Not where the configuration is: callers read this.
 */
export function whyCommand({ principal, server, concern, subject }: Thing, bindings: readonly Binding[] = []): string {
  const said = bindings
    .filter((binding) => isBound(binding, principal))
    .flatMap((binding) =>
      Object.entries(claimFlags).flatMap(([name, flag]) => {
        const value = binding[name as keyof typeof claimFlags]
        return value === undefined ? [] : [` ${flag} ${quoted(value)}`]
      }),
    )
  const scopes = (principal.claims?.scopes ?? []).map((scope) => ` ${claimFlags.scope} ${quoted(scope)}`)
  const claims = [...new Set([...said, ...scopes])].slice(0, claimFlagsMax).join('')
  const named = concern === 'server' || concern === 'task' || subject === undefined ? '' : ` --${concern} ${quoted(subject)}`
  return `sekisho policy why --principal ${quoted(principal.id)}${claims} --server ${quoted(server)}${named}`
}

/** A word of a shell command that stays one word, whatever it says. */
function quoted(text: string): string {
  const shown = visible(text)
  return /^[A-Za-z0-9_./:@%+=,-]+$/.test(shown) ? shown : `'${shown.replaceAll("'", '?')}'`
}
