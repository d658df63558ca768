/** What the scan looks for, in the order in which it looks. A detector of another kind plugs in as one more row. */
import type { Family, Rows } from './finding.ts'
import { bidi } from './rules/bidi.ts'
import { controls } from './rules/controls.ts'
import { directing } from './rules/directing.ts'
import { hidden } from './rules/hidden.ts'
import { layout } from './rules/layout.ts'
import { markup } from './rules/markup.ts'
import { overrides } from './rules/override.ts'
import { privatePaths } from './rules/private-paths.ts'
import { secrecy } from './rules/secrecy.ts'

export const families: readonly Family[] = [hidden, bidi, controls, layout, markup, overrides, secrecy, directing, privatePaths]

/** Every rule there is. */
export const scanRules: Rows = Object.assign({}, ...families.map(({ rows }) => rows))
