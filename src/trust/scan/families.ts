/** What the scan looks for, in the order in which it looks. A detector of another kind plugs in as one more row. */
import type { Family, Rows } from './finding.ts'
import { annotations } from './rules/annotations.ts'
import { bidi } from './rules/bidi.ts'
import { consent } from './rules/consent.ts'
import { controls } from './rules/controls.ts'
import { destinations } from './rules/destinations.ts'
import { directing } from './rules/directing.ts'
import { encoded } from './rules/encoded.ts'
import { hidden } from './rules/hidden.ts'
import { layout } from './rules/layout.ts'
import { limits } from './rules/limits.ts'
import { markup } from './rules/markup.ts'
import { names } from './rules/names.ts'
import { neighbours } from './rules/neighbours.ts'
import { overrides } from './rules/override.ts'
import { parameters } from './rules/parameters.ts'
import { privatePaths } from './rules/private-paths.ts'
import { schemas } from './rules/schema.ts'
import { secrecy } from './rules/secrecy.ts'
import { sending } from './rules/sending.ts'

export const families: readonly Family[] = [
  // What cannot be read as it stands.
  limits,
  hidden,
  bidi,
  controls,
  layout,
  markup,
  encoded,
  // Whose name it bears.
  names,
  neighbours,
  // What it says to the model.
  overrides,
  secrecy,
  directing,
  consent,
  // What it wants.
  privatePaths,
  sending,
  parameters,
  destinations,
  // What it says of itself.
  annotations,
  schemas,
]

/** Every rule there is. */
export const scanRules: Rows = Object.assign({}, ...families.map(({ rows }) => rows))
