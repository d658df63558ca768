/**
 * What class a tool seems to have, for a person to say yes or no to: by the verb in its name and by what the server says of it.
 * Where they differ the worse counts, and what says nothing counts as destructive. Nothing is decided by this.
 */
import { isObject } from '../protocol/json-rpc.ts'
import { type Class, classes } from '../protocol/methods.ts'

const verbs: Readonly<Record<Class, ReadonlySet<string>>> = {
  read: new Set(
    'get list read search find fetch show describe query count check lookup view stat status info tree browse inspect help preview compare diff validate'.split(
      ' ',
    ),
  ),
  write: new Set(
    'add create set write update edit append insert save put post upload move rename copy tag label comment assign enable open start schedule draft mark patch upsert store remember'.split(
      ' ',
    ),
  ),
  destructive: new Set(
    'delete remove drop destroy purge kill truncate wipe reset erase clear exec execute run shell eval command bash terminal send pay transfer refund buy order publish deploy merge revoke grant stop terminate shutdown disable forget overwrite'.split(
      ' ',
    ),
  ),
}

export function proposedClass(name: string, annotations: unknown): Class {
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
  const byName = classes.findLast((one) => words.some((word) => verbs[one].has(word)))
  const byServer = claimed(annotations)
  if (byName === undefined || byServer === undefined) return byName ?? byServer ?? 'destructive'
  return classes.indexOf(byName) > classes.indexOf(byServer) ? byName : byServer
}

function claimed(annotations: unknown): Class | undefined {
  if (!isObject(annotations)) return undefined
  const { readOnlyHint, destructiveHint } = annotations
  if (destructiveHint === true) return 'destructive'
  if (readOnlyHint === true) return 'read'
  return destructiveHint === false ? 'write' : undefined
}
