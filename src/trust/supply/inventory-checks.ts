/**
 * What is known of one component, held against what it should be. Facts come in, answers go out; an answer is `verified`, `absent`
 * (nobody said anything), `not-checked` (with the reason) or `failed`, and only `verified` is a yes.
 */
import type { AttestationVerdict } from './inventory-attestation.ts'
import type { Component } from './inventory-component.ts'
import type { SupplyPolicy } from './inventory-policy.ts'
import { readPurl } from './inventory-purl.ts'
import { judgeLicence } from './licences.ts'
import type { ModelReport } from './models.ts'
import { lookalikeOf } from './names.ts'

export type CheckName =
  | 'declared'
  | 'pinned'
  | 'hash'
  | 'format'
  | 'licence'
  | 'owner'
  | 'tls-key'
  | 'data-region'
  | 'attestation'
  | 'name'
  | 'deprecated'
export interface Check {
  readonly what: CheckName
  readonly outcome: 'verified' | 'absent' | 'not-checked' | 'failed'
  readonly detail: string
}

/** A fact, or why there is none. */
export type Fact<Value> = { readonly value: Value } | { readonly unknown: string }
export interface Facts {
  /** Of `file`: its digest with the algorithm of `hash`, in hexadecimal. */
  readonly digest?: Fact<string> | undefined
  readonly model?: Fact<ModelReport> | undefined
  readonly tlsKey?: Fact<string> | undefined
  /** One for each attestation. */
  readonly attestations: readonly AttestationVerdict[]
}

export function checksOf(component: Component, facts: Facts, policy: SupplyPolicy): readonly Check[] {
  if (component.seen.every((seen) => seen === 'traffic')) return [check('declared', 'failed', component.gaps.join('; '))]
  return [
    pinned(component),
    ...hash(component, facts),
    ...format(facts),
    ...licence(component, policy),
    ...owner(component),
    ...tlsKey(component, facts),
    ...dataRegion(component, policy),
    ...attestations(component, facts, policy),
    ...name(component),
    ...deprecated(component),
  ]
}

const check = (what: CheckName, outcome: Check['outcome'], detail = ''): Check => ({ what, outcome, detail })

const pinned = ({ gaps, version, commit, hash: digest }: Component): Check =>
  gaps.length === 0 ? check('pinned', 'verified', version ?? commit ?? digest ?? '') : check('pinned', 'absent', gaps.join('; '))

function hash({ hash: wanted, file, purl, seen }: Component, { digest }: Facts): readonly Check[] {
  if (wanted === undefined) return file === undefined ? [] : [check('hash', 'absent', 'no hash is written down for its file')]
  // What is locked is compared by `sekisho supply verify`, and whenever it is started.
  if (digest === undefined)
    return purl === undefined && !seen.includes('lock') ? [check('hash', 'not-checked', 'no file is named')] : []
  if ('unknown' in digest) return [check('hash', 'not-checked', digest.unknown)]
  return [
    digest.value === wanted.split(':')[1]
      ? check('hash', 'verified', wanted)
      : check('hash', 'failed', 'the file is another one'),
  ]
}

function format({ model }: Facts): readonly Check[] {
  if (model === undefined) return []
  if ('unknown' in model) return [check('format', 'not-checked', model.unknown)]
  const { format: kind, outcome, findings, why } = model.value
  if (outcome === 'not-checked') return [check('format', 'not-checked', why ?? kind)]
  const said = findings.map(({ evidence }) => evidence)
  return [check('format', outcome === 'passed' ? 'verified' : 'failed', [kind, ...said.slice(0, 3)].join('; '))]
}

/** A service has terms, not a licence; and a server is licensed as the package is that it starts. */
const licensed: ReadonlySet<string> = new Set(['package', 'container', 'tool-pack', 'model', 'data-set'])
function licence({ licence: stated, kind }: Component, { licences }: SupplyPolicy): readonly Check[] {
  const isPolicy = licences.allow.length > 0 || licences.deny.length > 0 || licences.unknown === 'refuse'
  if (stated === undefined && (!licensed.has(kind) || (!isPolicy && kind !== 'model'))) return []
  const verdict = judgeLicence(stated, licences)
  if (verdict.outcome === 'allowed')
    return [
      check('licence', isPolicy ? 'verified' : 'not-checked', isPolicy ? (stated ?? '') : `${stated}; no policy is configured`),
    ]
  return [check('licence', verdict.outcome === 'refused' ? 'failed' : 'absent', verdict.why)]
}

/** What others run or made has to have somebody here who answers for it. */
const answeredFor: ReadonlySet<string> = new Set([
  'model',
  'embedding-service',
  'data-set',
  'context-provider',
  'api',
  'tool-pack',
])
function owner({ kind, owner: named, seen }: Component): readonly Check[] {
  if (!answeredFor.has(kind) || !seen.includes('declared')) return []
  return [named === undefined ? check('owner', 'absent', 'nobody answers for it') : check('owner', 'verified', named)]
}

function tlsKey({ tlsKey: wanted, url }: Component, { tlsKey: seen }: Facts): readonly Check[] {
  if (wanted === undefined) return []
  if (url === undefined) return [check('tls-key', 'not-checked', 'no url is named')]
  if (seen === undefined || 'unknown' in seen)
    return [check('tls-key', 'not-checked', seen === undefined ? 'nobody looked' : seen.unknown)]
  return [
    seen.value === wanted ? check('tls-key', 'verified', wanted) : check('tls-key', 'failed', `its key is now ${seen.value}`),
  ]
}

function dataRegion({ dataRegion: stated }: Component, { dataRegions }: SupplyPolicy): readonly Check[] {
  if (stated === undefined) return []
  if (dataRegions.length === 0) return [check('data-region', 'not-checked', `${stated}; no policy is configured`)]
  return [
    dataRegions.includes(stated)
      ? check('data-region', 'verified', stated)
      : check('data-region', 'failed', `${stated} is not allowed`),
  ]
}

function attestations({ attestations: given = [] }: Component, facts: Facts, policy: SupplyPolicy): readonly Check[] {
  return given.map(({ by, statement, expires }, at) => {
    const verdict = facts.attestations[at]
    const said = `${by}: ${statement} (until ${expires})`
    if (verdict === undefined) return check('attestation', 'not-checked', said)
    if ('why' in verdict) return check('attestation', 'failed', `${said}: ${verdict.why}`)
    if (verdict.outcome === 'verified') return check('attestation', 'verified', said)
    return policy.attestations === 'signed'
      ? check('attestation', 'failed', `${said}: it is not signed`)
      : check('attestation', 'absent', `${said}; stated, not signed`)
  })
}

function name({ purl }: Component): readonly Check[] {
  const parts = purl === undefined ? undefined : readPurl(purl)
  if (parts?.type !== 'npm' && parts?.type !== 'pypi') return []
  const like = lookalikeOf(parts.type, parts.name)
  return like === undefined ? [] : [check('name', 'failed', `it may be taken for ${like.of}: ${like.why}`)]
}

const deprecated = ({ deprecated: why }: Component): readonly Check[] =>
  why === undefined ? [] : [check('deprecated', 'failed', `its author has withdrawn it: ${why.slice(0, 200)}`)]
