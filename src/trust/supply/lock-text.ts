/** `sekisho.lock` as text: YAML in one order, so that two people's changes merge and a review reads as a change of packages. */
import { parseDocument, stringify } from 'yaml'
import { type Lock, lockSchema } from './lock.ts'
import { NotAdmitted } from './not-admitted.ts'

const charsMax = 32 * 1024 * 1024
const again = 'make it again with: sekisho supply lock'
const head = `# What may run as which server. Written by: sekisho supply lock. Not to be edited; review it like code.
`

export function writeLock(lock: Lock): string {
  const { lock: version, servers, signature } = lock
  const ordered = { lock: version, servers: sorted(servers), ...(signature && { signature }) }
  return head + stringify(ordered, { lineWidth: 0, aliasDuplicateObjects: false, defaultStringType: 'PLAIN' })
}

/** Throws {@link NotAdmitted}. Its signature has not been looked at. */
export function readLock(text: string, file: string): Lock {
  const refuse = (why: string, fix = again): NotAdmitted => new NotAdmitted({ file, why, fix })
  const conflict = /^(<{7}|={7}|>{7}|\|{7})( |$)/m.exec(text)
  if (conflict)
    throw refuse(
      `has an unresolved merge conflict in line ${text.slice(0, conflict.index).split('\n').length}`,
      'take either side, then make it again with: sekisho supply lock',
    )
  if (text.length > charsMax) throw refuse(`is longer than ${charsMax} characters`)
  const document = parseDocument(text, {
    strict: true,
    uniqueKeys: true,
    version: '1.2',
    schema: 'core',
    merge: false,
    prettyErrors: false,
    logLevel: 'error',
  })
  const [fault] = [...document.errors, ...document.warnings]
  if (fault) throw refuse(`is not YAML that can be read in one way: ${fault.message.split('\n')[0]}`)
  let value: unknown
  try {
    value = document.toJS({ maxAliasCount: 0 })
  } catch {
    throw refuse('has aliases, and none is read')
  }
  const read = lockSchema.safeParse(value)
  if (read.success) return read.data
  const [issue] = read.error.issues
  const [cause = issue] = issue?.code === 'invalid_key' ? issue.issues : []
  throw refuse(`is not a lock: ${(issue?.path ?? []).join('.')} ${cause?.message ?? ''}`)
}

/** Records by key, at every level; lists and the members of the schema as they are. */
function sorted<Value>(record: Readonly<Record<string, Value>>): Record<string, Value> {
  const keys = Object.keys(record).sort()
  return Object.fromEntries(keys.map((key) => [key, inner(record[key] as Value)]))
}

const recordKeys = ['packages', 'files', 'links', 'variables', 'installScripts']
function inner<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  const members = Object.entries(value).map(([key, member]) => {
    const isRecord = recordKeys.includes(key) && typeof member === 'object' && member !== null && !Array.isArray(member)
    return [key, isRecord ? sorted(member as Record<string, unknown>) : inner(member)]
  })
  return Object.fromEntries(members) as Value
}
