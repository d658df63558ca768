/**
 * A scan as people read it: each server with what stands out, the worst first, and what a model would read there. A green tick is
 * for a server of which everything was looked at; what was not is named with each server, and the reasons once, at the end.
 */
import { type Reported, type ScannedServer, type ScanReport, severities } from '../../admin/operations/scan.ts'
import { plain, type Style, styled } from '../table.ts'

const styles: Readonly<Record<(typeof severities)[number], Style>> = {
  critical: ['bold', 'red'],
  high: 'red',
  medium: 'yellow',
  low: 'cyan',
  info: 'gray',
}
const rank = ({ severity }: Reported): number => severities.indexOf(severity)

export function scanText({ servers, expired, advisories }: ScanReport, isWhole: boolean): string {
  const old = expired.map(
    ({ rule, reason, expires }) =>
      `${styled('yellow', 'expired')}  the suppression of ${rule} (${plain(reason)}) ended on ${expires}\n`,
  )
  const each = servers.map((server) => serverText(server, isWhole)).join('\n')
  return `${each}\n${old.join('')}${uncheckedText(servers)}${copyText(advisories)}${scanSummary(servers)}`
}

function serverText(server: ScannedServer, isWhole: boolean): string {
  const { server: name, origin, how, definitions, problem, findings, unchecked, part } = server
  const counting = findings.filter(({ suppressedBy }) => suppressedBy === undefined)
  const worst = counting.toSorted((a, b) => rank(b) - rank(a))[0]
  const mark =
    worst !== undefined && rank(worst) >= severities.indexOf('medium')
      ? styled(styles[worst.severity], '✗')
      : problem !== undefined || unchecked.length > 0
        ? styled('yellow', '?')
        : styled('green', '✓')
  const where =
    origin === undefined
      ? ''
      : `  ${origin.client === undefined ? '' : `${plain(origin.client)} `}${plain(origin.file)}${origin.line === undefined ? '' : `:${origin.line}`}`
  const head = `${mark} ${styled('bold', plain(name))}  ${styled('gray', `${plain(cut(how))}${where}`)}\n`
  const state = problem === undefined ? '' : `  ${styled('yellow', 'not checked')}  ${plain(problem)}\n`
  const shown = findings
    .filter(({ suppressedBy }) => isWhole || suppressedBy === undefined)
    .filter((one) => isWhole || rank(one) >= severities.indexOf('medium'))
    .toSorted((a, b) => rank(b) - rank(a))
  const hidden = findings.length - shown.length
  const rest = hidden === 0 ? '' : styled('gray', `, ${hidden} more ${hidden === 1 ? 'finding' : 'findings'} with --all`)
  const made =
    part === undefined
      ? ''
      : `${[part.name, part.version].filter(Boolean).join(' ')}${loads(part.packages)}${licensed(part.licence)}`
  const count = definitions === 0 ? '' : definitions === 1 ? '1 definition' : `${definitions} definitions`
  const facts = [count, plain(made)].filter((fact) => fact !== '').join(', ')
  const fact = facts === '' && rest === '' ? '' : `  ${styled('gray', facts)}${rest}\n`
  const open = [...new Set(unchecked.map(({ what }) => plain(what)))].join(', ')
  const not = open === '' ? '' : `  ${styled('yellow', '? not checked')}  ${open}\n`
  return head + state + fact + shown.map(findingText).join('') + not
}

const loads = (packages = 1): string => (packages === 1 ? '' : ` with ${packages - 1} packages below it`)
const licensed = (licence: string | undefined): string => (licence === undefined ? '' : ` (${licence})`)

/** Each reason once, with the servers that it holds for. */
function uncheckedText(servers: readonly ScannedServer[]): string {
  const all = servers.flatMap(({ server, unchecked }) => unchecked.map((one) => ({ ...one, server })))
  const reasons = Map.groupBy(all, ({ what, why }) => JSON.stringify([what, why]))
  const local = servers.filter(({ unchecked }) => unchecked.length > 0)
  return [...reasons.values()]
    .map((some) => {
      const { what, why } = some[0] as (typeof all)[number]
      const of =
        some.length === local.length && some.length > 1 ? 'all local servers' : some.map(({ server }) => server).join(', ')
      return `${styled('yellow', '? not checked')}  ${plain(what)}: ${plain(why)} ${styled('gray', `(${plain(of)})`)}\n`
    })
    .join('')
}

const copyText = (advisories: ScanReport['advisories']): string =>
  'why' in advisories
    ? ''
    : `advisories: ${advisories.records === 1 ? '1 record' : `${advisories.records} records`}, the newest ${advisories.ageDays === 1 ? '1 day' : `${advisories.ageDays ?? '?'} days`} old${advisories.unreadable === 0 ? '' : styled('yellow', `; ${advisories.unreadable} could not be read`)}\n`

export function findingText({ severity, rule, evidence, shown = '', fix = '', suppressedBy }: Reported): string {
  const why =
    suppressedBy === undefined ? '' : styled('gray', ` (suppressed until ${suppressedBy.expires}: ${plain(suppressedBy.reason)})`)
  const reads = shown === '' ? '' : `      ${styled('gray', 'a model reads')} ${plain(shown)}\n`
  const advice = fix === '' ? '' : `      ${styled('gray', 'to do')} ${plain(fix)}\n`
  return `  ${styled(styles[severity], severity.padEnd(8))}  ${plain(evidence)}  ${styled('gray', rule)}${why}\n${reads}${advice}`
}

/** The last line: how many, and how bad. */
export function scanSummary(servers: readonly ScannedServer[]): string {
  const findings = servers.flatMap(({ findings: some }) => some).filter(({ suppressedBy }) => suppressedBy === undefined)
  const counts = severities
    .toReversed()
    .flatMap((severity) => {
      const count = findings.filter((one) => one.severity === severity).length
      return count === 0 ? [] : [styled(styles[severity], `${count} ${severity}`)]
    })
    .join(', ')
  const unseen = servers.filter(({ problem }) => problem !== undefined).length
  const partly = servers.filter(({ problem, unchecked }) => problem === undefined && unchecked.length > 0).length
  const some = [
    ...(unseen === 0 ? [] : [`; ${styled('yellow', `${unseen} not looked at`)}`]),
    ...(partly === 0 ? [] : [`; ${styled('yellow', `${partly} not checked whole`)}`]),
  ].join('')
  return `${servers.length} ${servers.length === 1 ? 'server' : 'servers'}, ${counts === '' ? 'nothing found' : counts}${some}\n`
}

const cut = (text: string): string => (text.length > 100 ? `${text.slice(0, 99)}…` : text)
