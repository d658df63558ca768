/** A rule as it is asked: its patterns compiled, and one function that says whether it speaks of something. */
import { anyGlob, type Glob, glob } from '../lib/glob.ts'
import { type Class, type Concern, classes } from '../protocol/methods.ts'
import type { Rule } from './schema.ts'
import { folded } from './spellings.ts'

export interface CompiledRule {
  /** Where it stands: `roles.reader[0]`. */
  readonly name: string
  readonly source: Rule
  readonly effect: Rule['effect']
  readonly server: Glob
  readonly tools: Glob
  readonly prompts: Glob
  readonly resources: Glob
  readonly asks: ReadonlySet<string>
  /** The classes of tools it speaks of; empty when it names no tools. */
  readonly classes: ReadonlySet<Class>
}

/** `componentsOf`: what a server uses, as `kind:name`. */
export function compileRule(
  source: Rule,
  name: string,
  componentsOf: (server: string) => readonly string[] = () => [],
): CompiledRule {
  const isNamed = glob(source.server)
  const isUsed = source.uses && anyGlob(source.uses)
  const globs = source.effect === 'deny' ? anySpelling : anyGlob
  return {
    name,
    source,
    effect: source.effect,
    server: (id) => isNamed(id) && (isUsed === undefined || componentsOf(id).some(isUsed)),
    tools: globs(source.tools),
    prompts: globs(source.prompts),
    resources: globs(source.resources),
    asks: new Set<string>(source.asks),
    classes: new Set(source.tools.length === 0 ? [] : (source.class ?? classes)),
  }
}

/** What a deny rule takes away it takes away in every spelling. */
function anySpelling(patterns: readonly string[]): Glob {
  const exact = anyGlob(patterns)
  const lenient = anyGlob(patterns.map(folded))
  const isFolded = patterns.every((pattern) => folded(pattern) === pattern)
  return (subject) => {
    if (exact(subject)) return true
    const plain = foldedOnce(subject)
    return (plain !== subject || !isFolded) && lenient(plain)
  }
}

/** One name is asked of many rules in a row. */
const latest = { name: '', folded: '' }
function foldedOnce(name: string): string {
  if (latest.name !== name) Object.assign(latest, { name, folded: folded(name) })
  return latest.folded
}

/** Which list of a rule does not have the thing; undefined when the rule matches. Its server has been matched before. */
export type Miss = 'tools' | 'class' | 'prompts' | 'resources' | 'asks'

export function misses(
  rule: CompiledRule,
  concern: Exclude<Concern, 'server' | 'task'>,
  subject: string,
  toolClass: Class,
): Miss | undefined {
  switch (concern) {
    case 'tool':
      if (!rule.tools(subject)) return 'tools'
      return rule.classes.has(toolClass) ? undefined : 'class'
    case 'prompt':
      return rule.prompts(subject) ? undefined : 'prompts'
    case 'resource':
      return rule.resources(subject) ? undefined : 'resources'
    case 'ask':
      return rule.asks.has('*') || rule.asks.has(subject) ? undefined : 'asks'
  }
}

/** What is left of an allow rule when everything that the deny rules take away as a whole is gone. */
export interface Grant {
  readonly classes: ReadonlySet<Class>
  readonly anything: boolean
}

export function grantOf(rule: CompiledRule, denies: readonly CompiledRule[]): Grant {
  const takes = (list: 'prompts' | 'resources' | 'asks') =>
    denies.some(({ source }) => (source[list] as readonly string[]).includes('*'))
  const left = classes.filter(
    (one) => rule.classes.has(one) && !denies.some((deny) => deny.source.tools.includes('*') && deny.classes.has(one)),
  )
  const anything =
    left.length > 0 || (['prompts', 'resources', 'asks'] as const).some((list) => rule.source[list].length > 0 && !takes(list))
  return { classes: new Set(left), anything }
}
