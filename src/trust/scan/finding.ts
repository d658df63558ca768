/**
 * The words of the scan. A family is a few rules about one trick with the rows that say what they mean; it marks spans and
 * decides nothing. To add a rule: a row and a mark in its family, and a row in docs/reference/scan-rules.md.
 */
import type { Finding } from '../../pipeline/guard.ts'
import type { Definition, DefinitionKind } from '../definition.ts'
import type { Leaf, Leaves } from './leaves.ts'

export interface ScanFinding extends Finding {
  readonly kind: DefinitionKind
  readonly name: string
  readonly at: {
    /** JSON Pointer (RFC 6901) into the definition; a `#` at the end means the key itself, as in Relative JSON Pointers. */
    readonly path: string
    /** UTF-16 code units in that string. Both are 0 where a shape is meant and not a text. */
    readonly start: number
    readonly end: number
  }
  /** The span with a little of what surrounds it, as it stands, with what cannot be seen spelt out. A stranger's words. */
  readonly shown: string
  /** The span itself, in `shown`. UTF-16 code units. */
  readonly marked: { readonly start: number; readonly end: number }
}

/** What a rule means. */
export interface Row {
  readonly severity: Finding['severity']
  /** What was found, after "the description": a predicate. */
  readonly says: string
  readonly owasp: Finding['owasp']
  readonly requirement: string
}
export type Rows = Readonly<Record<`trust/${string}`, Row>>

/** A span that a rule noticed. */
export interface Mark {
  readonly rule: string
  readonly leaf: Pick<Leaf, 'path' | 'text'>
  readonly start: number
  readonly end: number
  /** Added to the evidence in brackets: a number or our own words, never a stranger's text. */
  readonly note?: string
}

/** What is known around one definition. */
export interface ScanContext {
  /** The server that sent it. */
  readonly server: string
  /** Definitions of other servers. */
  readonly others?: readonly Neighbour[]
  /** Whether texts may point to this host, in lower case; without it every public host will do. */
  readonly isHostAllowed?: (host: string) => boolean
}
export interface Neighbour {
  readonly server: string
  readonly kind: DefinitionKind
  readonly name: string
  /** Two servers that offer the very same definition are two copies of one server. */
  readonly digest?: string
}

/** A definition whose texts have been found. */
export interface Read extends Leaves {
  readonly definition: Definition
}

/** Every question is optional, linear in what it reads, and answered without a side effect. */
export interface Family {
  readonly rows: Rows
  /** About each text on its own. */
  readonly ofText?: (leaf: Leaf, definition: Definition, context: ScanContext) => Iterable<Mark>
  /** About one definition as a whole. */
  readonly ofDefinition?: (read: Read, context: ScanContext) => Iterable<Mark>
  /** About the definitions of one server together: which one is marked, and where. */
  readonly ofCatalog?: (catalog: readonly Definition[], context: ScanContext) => Iterable<readonly [Definition, Mark]>
}

/** A mark on a shape. */
export const markAt = (rule: string, path: string, note?: string): Mark => ({
  rule,
  leaf: { path, text: '' },
  start: 0,
  end: 0,
  ...(note === undefined ? {} : { note }),
})
