/**
 * What is found in what a server is made of, one row for each rule, with what to do. Ids appear in reports and suppressions and
 * never change; docs/reference/supply-rules.md says the same in words.
 */
import type { Finding } from '../../pipeline/guard.ts'

export interface SupplyRow extends Pick<Finding, 'severity' | 'owasp' | 'requirement'> {
  /** What was found, after "the server": a predicate. */
  readonly says: string
  readonly fix: string
}

const row = (severity: Finding['severity'], says: string, fix: string): SupplyRow => ({
  ...{ severity, says, fix, owasp: 'MCP04', requirement: 'SUP-C1' },
})
const update = 'update it; where there is no mended version, do without it'
const reject = 'do not install it; tell the registry'
const readFirst = 'read the script, and install with --ignore-scripts'
const noModel = 'do not load it; take the model as safetensors, from its author'

export const supplyRows = {
  'supply/unpinned': row('medium', 'is whatever is newest when it starts', 'name an exact version'),
  'supply/moving-tag': row('low', 'is an image that a tag names, and tags move', 'name its digest: @sha256:…'),
  'supply/other-registry': row('low', 'comes from a registry of its own', 'make sure whose it is'),
  'supply/lookalike-name': row('high', 'has a name that is easily taken for another', 'compare it letter by letter'),
  'supply/licence': row('high', 'has a licence that the policy refuses', 'do without it, or change the policy'),
  'supply/licence-unknown': row('low', 'has no licence that can be read', 'ask its author'),
  'supply/vulnerability-critical': row('critical', 'loads a package with a known vulnerability', update),
  'supply/vulnerability-high': row('high', 'loads a package with a known vulnerability', update),
  'supply/vulnerability-medium': row('medium', 'loads a package with a known vulnerability', update),
  'supply/vulnerability-low': row('low', 'loads a package with a known vulnerability', update),
  'supply/deprecated': row('medium', 'is withdrawn by its author', 'take what the author names instead'),
  'supply/other-file': row(
    'critical',
    'uses a file that is not the one that was written down',
    'get the file again, and compare it',
  ),
  'supply/policy': row('high', 'does not hold against what the configuration demands', 'see: sekisho supply check'),
  'supply/not-locked': row('low', 'is not in the lock', 'sekisho supply lock'),
  'supply/no-provenance': row('low', 'says nowhere who built it, and of what', 'ask its author to publish with provenance'),
  'supply/install-script': row('low', 'runs scripts of packages when it is installed', readFirst),
  'supply/install-download-run': row('critical', 'runs what it downloads, when it is installed', reject),
  'supply/install-eval': row('critical', 'runs code that is written into a script, when it is installed', reject),
  'supply/install-hidden': row('critical', 'hides what it runs when it is installed', reject),
  'supply/install-secrets': row('critical', 'reads secrets of the machine when it is installed', reject),
  'supply/install-download': row('high', 'downloads something when it is installed', readFirst),
  'supply/install-shell-profile': row('high', 'leaves something behind when it is installed', readFirst),
  'supply/install-remove': row('high', 'removes files of others when it is installed', readFirst),
  'model/harmful-call': row('critical', 'is given a model that runs a program when it is loaded', noModel),
  'model/unknown-call': row('high', 'is given a model that calls what is not known here when it is loaded', noModel),
  'model/hidden-call': row('critical', 'is given a model that hides what it calls when it is loaded', noModel),
  'model/broken-pickle': row('high', 'is given a model that cannot be read to its end', noModel),
  'model/two-formats': row('critical', 'is given a model that is something else as well', noModel),
  'model/code': row('medium', 'is given a model that brings code of its own', noModel),
  'model/unread': row('medium', 'is given a model a part of which is not looked into', noModel),
  'model/template': row('critical', 'is given a model whose chat template reaches for the interpreter', noModel),
  'model/broken': row('high', 'is given a model that is not as its format demands', noModel),
} as const satisfies Readonly<Record<string, SupplyRow>>

export type SupplyRule = keyof typeof supplyRows
