/** Names that are not what they look like, alone and among the names of the same server (MCP 2026-07-28, server/tools, "Tool Names"). */

import type { Definition } from '../../definition.ts'
import { looksLike, silhouette } from '../confusables.ts'
import type { Family, Mark } from '../finding.ts'
import { markAt } from '../finding.ts'
import type { Leaf } from '../leaves.ts'

const toolName = /^[A-Za-z0-9_.-]{1,128}$/
/** A name with this many blanks is a sentence. */
const blanksMax = 6
const charsMax = 200

const word = /[\p{L}\p{M}]{2,64}/gu
const isForeign = (letter: string): boolean => looksLike(letter) !== undefined && !/\p{Script=Latin}/u.test(letter)

function* ofText(leaf: Leaf, definition: Definition): Generator<Mark> {
  const { text, role } = leaf
  const isName = role === 'name' || role === 'key'
  if (isName && (text.length > charsMax || text.split(/\s/).length > blanksMax))
    yield { rule: 'trust/name-is-text', leaf, start: 0, end: text.length }
  else if (role === 'name' && definition.kind === 'tool' && !toolName.test(text))
    yield { rule: 'trust/name-charset', leaf, start: 0, end: text.length }
  if (/^[\0-\x7f]*$/.test(text)) return
  if (isName) yield* disguised(leaf)
  else yield* mixed(leaf)
}

function* disguised(leaf: Leaf): Generator<Mark> {
  const { text } = leaf
  const all = { leaf, start: 0, end: text.length }
  const letters = [...text].filter((letter) => /\p{L}/u.test(letter))
  const foreign = letters.filter(isForeign)
  const plain = text.normalize('NFKC')
  if (plain !== text && /^[\x20-\x7e]{2,}$/.test(plain))
    yield { rule: 'trust/look-alike-name', ...all, note: 'letters of another width or style' }
  else if (foreign.length === 0) return
  else if (letters.some((letter) => /[A-Za-z]/.test(letter)))
    yield { rule: 'trust/look-alike-name', ...all, note: 'letters of two scripts' }
  else if (foreign.length === letters.length && letters.length >= 3) yield { rule: 'trust/look-alike-whole', ...all }
}

/** A word of Latin letters with a strange one among them: `pаssword`. Formulas and abbreviations are shorter or more mixed. */
function* mixed(leaf: Leaf): Generator<Mark> {
  for (const { index, 0: found } of leaf.text.matchAll(word)) {
    if (/^[\0-\x7f]*$/.test(found) || found.length < 4) continue
    const letters = [...found]
    const foreign = letters.filter(isForeign).length
    const latin = letters.filter((letter) => /[A-Za-z]/.test(letter)).length
    if (foreign > 0 && latin >= 2 && foreign + latin >= letters.length)
      yield { rule: 'trust/mixed-word', leaf, start: index, end: index + found.length }
  }
}

function* ofCatalog(catalog: readonly Definition[]): Generator<readonly [Definition, Mark]> {
  const seen = new Map<string, Definition>()
  for (const definition of catalog) {
    const { kind, name } = definition
    // What is addressed by its URI has no name to mistake; two templates may well differ in a letter.
    if (kind !== 'tool' && kind !== 'prompt') continue
    const shape = `${kind} ${silhouette(name)}`
    const first = seen.get(shape)
    if (first === undefined) seen.set(shape, definition)
    else if (first.name === name) yield [definition, markAt('trust/duplicate-name', '/name')]
    else if (flat(first.name) === flat(name)) yield [definition, markAt('trust/near-name', '/name')]
    else yield [definition, markAt('trust/name-collision', '/name')]
  }
}
/** Case and separators aside, which honest servers vary too. */
const flat = (name: string): string => name.toLowerCase().replace(/[\s_.-]/g, '')

export const names: Family = {
  rows: {
    'trust/look-alike-name': {
      severity: 'high',
      says: 'has a name with letters that look like others',
      owasp: 'MCP03',
      requirement: 'INJ-C7',
    },
    'trust/look-alike-whole': {
      severity: 'medium',
      says: 'has a name that could be read in another script',
      owasp: 'MCP03',
      requirement: 'INJ-C7',
    },
    'trust/mixed-word': {
      severity: 'medium',
      says: 'has a word with a letter of another script in it',
      owasp: 'MCP03',
      requirement: 'INJ-R3',
    },
    'trust/name-charset': {
      severity: 'low',
      says: 'has a name outside of what the protocol recommends',
      owasp: 'MCP03',
      requirement: 'INJ-C7',
    },
    'trust/name-is-text': {
      severity: 'high',
      says: 'has a text where a name belongs',
      owasp: 'MCP03',
      requirement: 'INJ-C7',
    },
    'trust/duplicate-name': {
      severity: 'high',
      says: 'has the name of another definition of the same server',
      owasp: 'MCP03',
      requirement: 'INJ-C7',
    },
    'trust/name-collision': {
      severity: 'high',
      says: 'has a name that looks like another one of the same server',
      owasp: 'MCP03',
      requirement: 'INJ-C7',
    },
    'trust/near-name': {
      severity: 'low',
      says: 'has a name that differs from another one of the same server in case or separators alone',
      owasp: 'MCP03',
      requirement: 'INJ-C7',
    },
  },
  ofText,
  ofCatalog,
}
