/**
 * Alerts of GitHub (REST API 2022-11-28: Dependabot, secret scanning, code scanning), as its API lists them. A secret in one is never
 * read. What no alert of these three is, is refused: a file that is not understood is not one without alerts.
 */
import { isObject, textOf } from '../../protocol/json-rpc.ts'
import type { Component } from './inventory-component.ts'
import { readPurl } from './inventory-purl.ts'

export interface Alert {
  readonly kind: 'dependabot' | 'secret-scanning' | 'code-scanning'
  readonly number: number
  readonly severity: 'unknown' | 'low' | 'medium' | 'high' | 'critical'
  /** Somebody has closed it; whatever is not known to be closed is open. */
  readonly isOpen: boolean
  /** `GHSA-…`, the type of the secret, or the rule. */
  readonly rule: string
  readonly says: string
  /** A package, or a file with its line. Undefined where the alert does not say it. */
  readonly where: string | undefined
  readonly url: string | undefined
  /** Servers that use the package, where one of the inventory is meant. */
  readonly usedBy: readonly string[]
}

const alertsMax = 100_000
const textCharsMax = 300

type Fields = Readonly<Record<string, unknown>>
const none: Fields = {}
const part = (value: unknown, ...names: readonly string[]): Fields => {
  const inner = names.reduce<unknown>((holder, name) => (isObject(holder) ? holder[name] : undefined), value)
  return isObject(inner) ? inner : none
}
const shown = (value: unknown): string => textOf(value).slice(0, textCharsMax)

/** One list, or one for each page. Throws for anything else; no error quotes what stands there. */
export function readAlerts(text: string, inventory: readonly Component[]): readonly Alert[] {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new Error('it is not JSON')
  }
  if (!Array.isArray(value)) throw new Error('it is not a list of alerts, as the API of GitHub answers')
  const all: readonly unknown[] = value.flat()
  if (all.length > alertsMax) throw new Error(`it has more than ${alertsMax} alerts`)
  return all.map((one, at) => {
    const alert = isObject(one) ? alertOf(one, inventory) : undefined
    if (alert === undefined) throw new Error(`entry ${at + 1} is no alert of Dependabot, secret scanning or code scanning`)
    return alert
  })
}

function alertOf(alert: Fields, inventory: readonly Component[]): Alert | undefined {
  const { number } = alert
  if (!Number.isSafeInteger(number)) return undefined
  const common = { number: number as number, url: webUrl(alert['html_url']) }
  if (isObject(alert['security_advisory'])) return dependabot(alert, common, inventory)
  if (typeof alert['secret_type'] === 'string') return secretScanning(alert, common)
  if (isObject(alert['rule']) && isObject(alert['tool'])) return codeScanning(alert, common)
  return undefined
}

const webUrl = (value: unknown): string | undefined => (/^https:\/\/\S{1,300}$/.test(textOf(value)) ? textOf(value) : undefined)

type Common = Pick<Alert, 'number' | 'url'>

/** Ecosystems of GitHub, as package URLs name them. */
const types: Readonly<Record<string, string>> = { npm: 'npm', pip: 'pypi' }

function dependabot(alert: Fields, common: Common, inventory: readonly Component[]): Alert {
  const advisory = part(alert, 'security_advisory')
  const named = part(alert, 'dependency', 'package')
  const [ecosystem, name] = [textOf(named['ecosystem']), textOf(named['name'])]
  const fixed = shown(part(alert, 'security_vulnerability', 'first_patched_version')['identifier'])
  const usedBy = inventory.filter(({ purl }) => {
    const parts = purl === undefined ? undefined : readPurl(purl)
    return parts !== undefined && parts.type === types[ecosystem] && parts.name.toLowerCase() === name.toLowerCase()
  })
  const manifest = shown(part(alert, 'dependency')['manifest_path'])
  return {
    kind: 'dependabot',
    ...common,
    severity: severityOf(advisory['severity'] ?? part(alert, 'security_vulnerability')['severity']),
    isOpen: !['dismissed', 'auto_dismissed', 'fixed'].includes(textOf(alert['state'])),
    rule: shown(advisory['ghsa_id']) || shown(advisory['cve_id']) || 'unnamed',
    says: `${shown(advisory['summary']) || 'a known vulnerability'}${fixed === '' ? '' : `; fixed in ${fixed}`}`,
    where: `${shown(ecosystem)} ${shown(name)}${manifest === '' ? '' : ` (${manifest})`}`.trim() || undefined,
    usedBy: [...new Set(usedBy.flatMap((one) => one.usedBy))].sort(),
  }
}

/** A secret that still works opens a door now. */
function secretScanning(alert: Fields, common: Common): Alert {
  const isActive = alert['validity'] === 'active'
  const bypassed = alert['push_protection_bypassed'] === true ? ', pushed past the protection' : ''
  return {
    kind: 'secret-scanning',
    ...common,
    severity: isActive ? 'critical' : 'high',
    isOpen: alert['state'] !== 'resolved',
    rule: shown(alert['secret_type']),
    says: `${shown(alert['secret_type_display_name']) || 'a secret'}${isActive ? ', which still works' : ''}${bypassed}`,
    where: placeOf(part(alert, 'first_location_detected')),
    usedBy: [],
  }
}

function codeScanning(alert: Fields, common: Common): Alert {
  const rule = part(alert, 'rule')
  const level = severityOf(rule['security_severity_level'])
  const instance = part(alert, 'most_recent_instance')
  return {
    kind: 'code-scanning',
    ...common,
    severity: level === 'unknown' ? (levels[textOf(rule['severity'])] ?? 'unknown') : level,
    isOpen: !['dismissed', 'fixed'].includes(textOf(alert['state'])),
    rule: shown(rule['id']) || 'unnamed',
    says: shown(part(instance, 'message')['text']) || shown(rule['description']) || 'found by code scanning',
    where: placeOf(part(instance, 'location')),
    usedBy: [],
  }
}

const levels: Readonly<Record<string, Alert['severity']>> = { error: 'high', warning: 'medium', note: 'low', none: 'low' }
const severities = ['low', 'medium', 'high', 'critical'] as const
const severityOf = (value: unknown): Alert['severity'] => severities.find((one) => one === value) ?? 'unknown'

function placeOf({ path, start_line: line }: Fields): string | undefined {
  if (typeof path !== 'string' || path === '') return undefined
  return Number.isSafeInteger(line) ? `${shown(path)}:${line}` : shown(path)
}
