/** What the tests of the scan share: a definition around a text, and the rules that it sets off. */
import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { JsonObject } from '../../lib/strict-json.ts'
import type { Definition } from '../definition.ts'
import type { ScanContext, ScanFinding } from './finding.ts'
import { scanDefinition } from './scan.ts'

export const here: ScanContext = { server: 'here' }

export const tool = (body: JsonObject): Definition => ({
  kind: 'tool',
  name: String(body['name'] ?? 'do_it'),
  body: { name: 'do_it', ...body },
})
export const described = (description: string): Definition => tool({ description })
/** A tool with one parameter, `query`, that is described so. */
export const asking = (description: string, name = 'query'): Definition =>
  tool({ inputSchema: { type: 'object', properties: { [name]: { type: 'string', description } } } })

export const scan = (definition: Definition, context: ScanContext = here): readonly ScanFinding[] =>
  scanDefinition(definition, context)
export const rulesOf = (definition: Definition, context?: ScanContext): readonly string[] => [
  ...new Set(scan(definition, context).map(({ rule }) => rule.replace('trust/', ''))),
]

/** Each text sets off the rule, among others perhaps. */
export function flags(rule: string, texts: readonly string[], around = described): void {
  for (const text of texts)
    it(`${rule}: ${JSON.stringify(text).slice(0, 90)}`, () => {
      const rules = rulesOf(around(text))
      assert.ok(rules.includes(rule), `found only: ${rules.join(', ') || 'nothing'}`)
    })
}

/** None of the texts sets off any of the rules. */
export function passes(rules: readonly string[], texts: readonly string[], around = described): void {
  for (const text of texts)
    it(`not ${rules.join(', ')}: ${JSON.stringify(text).slice(0, 90)}`, () => {
      assert.deepEqual(
        rulesOf(around(text)).filter((rule) => rules.includes(rule)),
        [],
      )
    })
}

/** Nothing above `low` is found in the texts: they are honest. */
export function honest(texts: readonly string[], around = described): void {
  for (const text of texts)
    it(`honest: ${JSON.stringify(text).slice(0, 90)}`, () => {
      const found = scan(around(text)).filter(({ severity }) => severity !== 'low' && severity !== 'info')
      assert.deepEqual(
        found.map(({ rule, shown }) => `${rule}: ${shown}`),
        [],
      )
    })
}
