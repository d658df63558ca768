/**
 * How much harm a tool may do: what the operator wrote, and only then what the server says of itself. An untrusted server
 * is not believed at all; an internal or trusted one may make a configured class stricter, never milder.
 */
import { anyGlob, type Glob } from '../lib/glob.ts'
import { isObject } from '../protocol/json-rpc.ts'
import { type Class, classes } from '../protocol/methods.ts'

/** The parts of a server's configuration that decide. */
export interface ToolSource {
  readonly trust: 'untrusted' | 'internal' | 'trusted'
  readonly tools: Readonly<Record<Class, readonly string[]>>
}

/** The class of a tool by its name. */
export type ClassOf = (server: string, tool: string) => Class
/** The class of a tool that a catalog describes; its annotations are remembered for the call that follows. */
export type Seen = (server: string, tool: string, annotations: unknown) => Class

/** The class of a tool as long as its annotations have not been read: by the configuration alone. */
export const toolClass = (source: ToolSource, name: string): Class => classifier(source)(name, undefined)

/** What a tool says of itself. */
type Claim = Class | 'nothing'

/** Without a claim, the tool has not been read, and may be anything. */
function classifier({ trust, tools }: ToolSource): (name: string, claim: Claim | undefined) => Class {
  const globs = classes.map((one): [Class, Glob] => [one, anyGlob(tools[one])])
  return (name, claim) => {
    const configured = mostHarmful(globs.filter(([, matches]) => matches(name)).map(([one]) => one))
    if (trust === 'untrusted' || claim === undefined) return configured ?? 'destructive'
    if (configured === undefined) return claim === 'nothing' ? 'write' : claim
    return mostHarmful([configured, claim]) ?? configured
  }
}

const mostHarmful = (found: readonly Claim[]): Class | undefined => classes.findLast((one) => found.includes(one))

/** What the annotations say outright. Where they contradict each other, the worse; `destructiveHint` is true by default. */
function claimed(annotations: unknown): Claim {
  if (!isObject(annotations)) return 'nothing'
  const { readOnlyHint, destructiveHint } = annotations
  if (destructiveHint === true) return 'destructive'
  if (readOnlyHint === true) return 'read'
  if (destructiveHint === false) return 'write'
  return readOnlyHint === false ? 'destructive' : 'nothing'
}

export interface ToolClasses {
  readonly classOf: ClassOf
  readonly seen: Seen
  /** What the tools of a server have said of themselves so far. */
  claimsOf(server: string): Claims | undefined
}
type Claims = Map<string, Claim>

/** Annotations are kept for this many tools of a server; further ones count as not read. */
const rememberedMax = 5000
const nameCharsMax = 1024

/** Lists and calls have to agree on the class of a tool, so what a list said is remembered. `known`: from before, by server. */
export function toolClasses(
  servers: Readonly<Record<string, ToolSource>>,
  known: (server: string) => Claims | undefined = () => undefined,
): ToolClasses {
  const entries = Object.entries(servers).map(([id, source]) => {
    return [
      id,
      { isBelieved: source.trust !== 'untrusted', classify: classifier(source), claims: known(id) ?? new Map<string, Claim>() },
    ] as const
  })
  const books = new Map(entries)
  const classOf: ClassOf = (server, tool) => {
    const book = books.get(server)
    return book === undefined ? 'destructive' : book.classify(tool, book.claims.get(tool))
  }
  return {
    classOf,
    claimsOf: (server) => books.get(server)?.claims,
    seen(server, tool, annotations) {
      const book = books.get(server)
      if (book?.isBelieved) remember(book.claims, tool, claimed(annotations))
      return classOf(server, tool)
    },
  }
}

function remember(claims: Claims, tool: string, claim: Claim): void {
  if (claims.has(tool) || (claims.size < rememberedMax && tool.length <= nameCharsMax)) claims.set(tool, claim)
}
