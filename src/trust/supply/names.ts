/**
 * Names that are easily taken for another one: a letter more or less, two letters changed round, `_` for `-`, a digit for a letter,
 * a known name in another scope, the words in another order. A finding is a question to a person, for there are honest near misses.
 */
import { knownNpm, knownPyPi, knownScopes } from './names-known.ts'

export interface Lookalike {
  readonly of: string
  readonly why: string
}

const nameCharsMax = 214

/** What `name` may be taken for; undefined for a known name, and for one that is like none. */
export function lookalikeOf(ecosystem: 'npm' | 'pypi', name: string): Lookalike | undefined {
  const known = ecosystem === 'npm' ? knownNpm : knownPyPi
  if (name.length > nameCharsMax || known.includes(name)) return undefined
  const [scope, bare] = split(name)
  if (scope !== undefined && knownScopes.includes(scope)) return undefined
  const scopeLike = scope === undefined ? undefined : knownScopes.find((one) => isNear(scope, one))
  if (scopeLike !== undefined) return { of: scopeLike, why: `the scope ${scope} is nearly ${scopeLike}` }
  for (const one of known) {
    const [knownScope, knownBare] = split(one)
    if (folded(name) === folded(one)) return { of: one, why: 'it differs only in signs that look alike' }
    if (knownScope !== undefined && isTelling(knownBare) && bare === knownBare)
      return { of: one, why: scope === undefined ? 'it is that name without its scope' : `it is that name in the scope ${scope}` }
    if (scope === undefined && knownScope !== undefined && folded(bare) === folded(`${knownScope}-${knownBare}`))
      return { of: one, why: 'it is that name with its scope written into it' }
    if (scope === knownScope && isNear(bare, knownBare)) return { of: one, why: 'it differs in one or two letters' }
    if (scope === knownScope && words(bare).length > 1 && words(bare).join() === words(knownBare).join())
      return { of: one, why: 'it is the same words in another order' }
  }
  return undefined
}

function split(name: string): readonly [scope: string | undefined, bare: string] {
  const at = name.startsWith('@') ? name.indexOf('/') : -1
  return at === -1 ? [undefined, name] : [name.slice(0, at), name.slice(at + 1)]
}

/** `mcp-server` says nothing about whose it is. */
const isTelling = (bare: string): boolean =>
  bare.length >= 8 &&
  words(bare).length > 1 &&
  words(bare).some((word) => !/^(?:mcp|servers?|cli|sdk|api|core|client|tools?|js|node)$/.test(word))
const words = (bare: string): readonly string[] => bare.split(/[-_.]/).sort()

const alike: readonly (readonly [RegExp, string])[] = [
  [/[-_./@]/g, ''],
  [/0/g, 'o'],
  [/[1i|]/g, 'l'],
  [/rn/g, 'm'],
  [/vv/g, 'w'],
  [/3/g, 'e'],
  [/5/g, 's'],
]
const folded = (name: string): string => alike.reduce((text, [from, to]) => text.replace(from, to), name.toLowerCase())

/** One letter of a short name, two of a long one; of a very short name none, for those are all near one another. */
function isNear(name: string, known: string): boolean {
  const allowed = known.length < 6 ? 0 : known.length < 14 ? 1 : 2
  return allowed > 0 && name !== known && Math.abs(name.length - known.length) <= allowed && distance(name, known) <= allowed
}

/** Letters added, left out, changed, or changed round with their neighbour (optimal string alignment). */
function distance(one: string, two: string): number {
  let [before, above] = [[] as number[], Array.from({ length: two.length + 1 }, (_, at) => at)]
  for (let i = 1; i <= one.length; i++) {
    const row = [i]
    for (let j = 1; j <= two.length; j++) {
      const cost = one[i - 1] === two[j - 1] ? 0 : 1
      let least = Math.min((above[j] as number) + 1, (row[j - 1] as number) + 1, (above[j - 1] as number) + cost)
      if (i > 1 && j > 1 && one[i - 1] === two[j - 2] && one[i - 2] === two[j - 1])
        least = Math.min(least, (before[j - 2] as number) + 1)
      row.push(least)
    }
    ;[before, above] = [above, row]
  }
  return above[two.length] as number
}
