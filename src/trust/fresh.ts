/**
 * Definitions that nobody has decided about become pins: by the gateway as they pass, and by an operator who looks at a server
 * before anybody is let in. Of the second kind all wait for a decision.
 */
import { canonicalJson } from '../lib/canonical-json.ts'
import { type Definition, pinned } from './definition.ts'
import { type Decision, manifestDecides, type Pin, type PinId } from './pin.ts'
import type { PinBook } from './pin-book.ts'
import type { ScanContext } from './scan/finding.ts'
import { scanDefinition } from './scan/scan.ts'

/** A server that says something else every time fills no disk with it. */
const versionsMax = 20
/** Of one server. */
const pinsMax = 10_000
const textCharsMax = 1_000_000

export interface Seen {
  readonly server: string
  readonly book: PinBook
  readonly by: string
  /** Milliseconds since 1970. */
  readonly at: number
}

/** What was decided; `by`: where it was not who has seen it. */
export type Decided = Pick<Decision, 'standing' | 'reason'> & { readonly by?: string }

/** What is not known yet, each as `decide` says. */
export function freshPins(
  { server, book, by, at }: Seen,
  definitions: readonly Definition[],
  decide: (definition: Definition, versions: readonly Pin[], id: PinId) => Decided,
): readonly Pin[] {
  const pins = new Map<string, Pin>()
  for (const definition of definitions) {
    const { kind, name } = definition
    const versions = book.versionsOf(server, kind, name)
    const { digest } = book.find(server, definition)
    if (versions.some((one) => one.digest === digest)) continue
    const text = canonicalJson(pinned(definition))
    if (text.length > textCharsMax || book.countOf(server) + pins.size >= pinsMax) continue
    const id = { server, kind, name, digest }
    const decided = decide(definition, versions, id)
    // What is signed is looked for among however many versions a server has shown.
    if (versions.length >= versionsMax && decided.by !== manifestDecides) continue
    pins.set(`${kind} ${name} ${digest}`, { ...id, text, seenAt: at, by, at, ...decided })
  }
  return [...pins.values()]
}

/** What an operator has read of a server that nobody uses yet, or no more: all of it waits. */
export function heldPins(seen: Seen, definitions: readonly Definition[]): readonly Pin[] {
  const { server, book } = seen
  const context = { server, others: book.neighboursOf(server) }
  return freshPins(seen, definitions, (definition, versions) => ({
    standing: 'held',
    reason: gravestOf(definition, context) ?? (versions.length > 0 ? 'changed' : 'added later'),
  }))
}

/** The rule that keeps a definition back, and what it found; undefined where no scan says so. */
export function gravestOf(definition: Definition, context: ScanContext): string | undefined {
  const worst = scanDefinition(definition, context).find(({ severity }) => severity === 'high' || severity === 'critical')
  return worst && `${worst.rule}: ${worst.evidence}`
}
