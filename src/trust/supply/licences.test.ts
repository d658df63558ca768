import assert from 'node:assert/strict'
import test from 'node:test'
import { isSpdxExpression, judgeLicence, type LicencePolicy } from './licences.ts'

const policy = (allow: readonly string[], deny: readonly string[] = [], unknown: LicencePolicy['unknown'] = 'refuse') => ({
  ...{ allow, deny, unknown },
})
const permissive = policy(['MIT', 'Apache-2.0', 'BSD-3-Clause', 'ISC'])

const cases: readonly [licence: string | undefined, policy: LicencePolicy, outcome: string][] = [
  [undefined, permissive, 'refused'],
  ['', permissive, 'refused'],
  ['UNLICENSED', permissive, 'refused'],
  ['SEE LICENSE IN LICENSE.md', permissive, 'refused'],
  ['GPL-3.0-only', permissive, 'refused'],
  ['MIT AND GPL-3.0-only', permissive, 'refused'],
  ['GPL-2.0-only WITH Classpath-exception-2.0', policy(['GPL-2.0-only']), 'refused'],
  ['AGPL-3.0-or-later', policy([], ['AGPL-3.0-or-later']), 'refused'],
  ['MIT AND AGPL-3.0-only', policy([], ['AGPL-3.0-only']), 'refused'],
  ['MIT OR AGPL-3.0-only', policy(['AGPL-3.0-only'], ['AGPL-3.0-only']), 'refused'],
  [undefined, policy([], [], 'allow'), 'unknown'],
  ['no expression at all', policy([], [], 'allow'), 'unknown'],
  ['MIT', permissive, 'allowed'],
  ['mit', policy([], ['AGPL-3.0-only'], 'allow'), 'unknown'],
  ['(MIT OR GPL-3.0-only)', permissive, 'allowed'],
  ['(MIT OR CC0-1.0) AND Apache-2.0', permissive, 'allowed'],
  ['MIT OR AGPL-3.0-only', policy([], ['AGPL-3.0-only']), 'allowed'],
  ['GPL-2.0-only WITH Classpath-exception-2.0', policy(['GPL-2.0-only WITH Classpath-exception-2.0']), 'allowed'],
  ['GPL-2.0-or-later', policy(['GPL-3.0-only']), 'allowed'],
]
for (const [licence, rules, outcome] of cases)
  test(`${licence ?? 'no licence'} is ${outcome} (allow ${rules.allow.join(', ') || 'all'}; deny ${rules.deny.join(', ') || 'none'})`, () =>
    assert.equal(judgeLicence(licence, rules).outcome, outcome))

test('a long text is no expression, and costs nothing', () => assert.equal(isSpdxExpression(`${'('.repeat(100_000)}MIT`), false))
