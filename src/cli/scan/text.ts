/** A scan as people read it: each server with what stands out, the worst first, and what a model would read there. */
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

export function scanText({ servers, expired }: ScanReport, isWhole: boolean): string {
  const old = expired.map(
    ({ rule, reason, expires }) =>
      `${styled('yellow', 'expired')}  the suppression of ${rule} (${plain(reason)}) ended on ${expires}\n`,
  )
  return `${servers.map((server) => serverText(server, isWhole)).join('\n')}\n${old.join('')}${summary(servers)}`
}

function serverText(server: ScannedServer, isWhole: boolean): string {
  const { server: name, origin, how, definitions, problem, findings } = server
  const counting = findings.filter(({ suppressedBy }) => suppressedBy === undefined)
  const worst = counting.toSorted((a, b) => rank(b) - rank(a))[0]
  const mark =
    problem !== undefined && definitions === 0
      ? styled('yellow', '?')
      : worst === undefined || rank(worst) < severities.indexOf('medium')
        ? styled('green', '✓')
        : styled(styles[worst.severity], '✗')
  const where =
    origin === undefined
      ? ''
      : `  ${plain(origin.client ?? '')} ${plain(origin.file)}${origin.line === undefined ? '' : `:${origin.line}`}`
  const head = `${mark} ${styled('bold', plain(name))}  ${styled('gray', `${plain(cut(how))}${where}`)}\n`
  const state = problem === undefined ? '' : `  ${styled('yellow', 'not checked')}  ${plain(problem)}\n`
  const shown = findings
    .filter(({ suppressedBy }) => isWhole || suppressedBy === undefined)
    .filter((one) => isWhole || rank(one) >= severities.indexOf('medium'))
    .toSorted((a, b) => rank(b) - rank(a))
  const hidden = findings.length - shown.length
  const rest = hidden === 0 ? '' : styled('gray', `, ${hidden} more with --all`)
  const count = definitions === 0 ? '' : `  ${styled('gray', `${definitions} definitions`)}${rest}\n`
  return head + state + count + shown.map(findingText).join('')
}

export function findingText({ severity, rule, evidence, shown, suppressedBy }: Reported): string {
  const why =
    suppressedBy === undefined ? '' : styled('gray', ` (suppressed until ${suppressedBy.expires}: ${plain(suppressedBy.reason)})`)
  const reads = shown === '' ? '' : `      ${styled('gray', 'a model reads')} ${plain(shown)}\n`
  return `  ${styled(styles[severity], severity.padEnd(8))}  ${plain(evidence)} ${styled('gray', rule)}${why}\n${reads}`
}

function summary(servers: readonly ScannedServer[]): string {
  const findings = servers.flatMap(({ findings: some }) => some).filter(({ suppressedBy }) => suppressedBy === undefined)
  const counts = severities
    .toReversed()
    .flatMap((severity) => {
      const count = findings.filter((one) => one.severity === severity).length
      return count === 0 ? [] : [styled(styles[severity], `${count} ${severity}`)]
    })
    .join(', ')
  const unseen = servers.filter(({ problem }) => problem !== undefined).length
  const some = unseen === 0 ? '' : `; ${styled('yellow', `${unseen} not checked`)}`
  return `${servers.length} ${servers.length === 1 ? 'server' : 'servers'}, ${counts === '' ? 'nothing found' : counts}${some}\n`
}

const cut = (text: string): string => (text.length > 100 ? `${text.slice(0, 99)}…` : text)
