/**
 * A scan as one page that a person reads, prints and sends on: what each server is, what was found, what a model reads there, and what
 * nobody looked at. It holds no script and loads nothing, and whatever a stranger wrote in it stays text.
 */
import { html, raw } from 'hono/html'
import type { Definition } from '../../trust/definition.ts'
import { type Reported, type ScannedServer, type ScanReport, type Severity, severities } from '../operations/scan.ts'
import { told } from './html-definitions.ts'
import { style } from './html-style.ts'
import { type Markup, shownWith, words } from './html-text.ts'

export interface HtmlExtras {
  /** By the name of the server: all that it tells a model. */
  readonly definitions: ReadonlyMap<string, readonly Definition[]>
  readonly version: string
  /** When the scan was made, as people write it. */
  readonly at: string
}

/** A page that is opened from a disk has no headers to say so (CSP 3, 3.3). */
const policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

export function htmlReport(report: ScanReport, { definitions, version, at }: HtmlExtras): string {
  const servers = report.servers.map((server, number) => ({ server, id: `server-${number + 1}` })).sort(worstFirst)
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex">
<title>Scan of ${count(servers.length, 'MCP server')}</title>
<style>${raw(style)}</style>
</head>
<body><main>
<h1>Scan of ${count(servers.length, 'MCP server')}</h1>
<p class="dim">Made by Sekisho ${version}, ${at}. That nothing is found proves nothing; this shows a person where to look.</p>
${summary(report, servers)}
${servers.map(({ server, id }) => section(server, id, definitions.get(server.server) ?? []))}
${expired(report)}
<footer>The rules are described in the reference of Sekisho: docs/reference/scan-rules.md (trust/…), clients.md (clients/…),
supply-rules.md (supply/…, model/…).</footer>
</main></body>
</html>
`
  return String(page)
}

interface Placed {
  readonly server: ScannedServer
  readonly id: string
}

const rank = ({ severity }: Pick<Reported, 'severity'>): number => severities.indexOf(severity)
const countingIn = ({ findings }: ScannedServer): readonly Reported[] =>
  findings.filter(({ suppressedBy }) => suppressedBy === undefined)
const worst = (server: ScannedServer): number => Math.max(-1, ...countingIn(server).map(rank))
const worstFirst = (one: Placed, two: Placed): number => worst(two.server) - worst(one.server)
const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`

const counts = (findings: readonly Reported[]): readonly (readonly [Severity, number])[] =>
  severities.toReversed().flatMap((severity) => {
    const number = findings.filter((one) => one.severity === severity).length
    return number === 0 ? [] : [[severity, number] as const]
  })

function summary({ servers: all, advisories }: ScanReport, servers: readonly Placed[]): Markup {
  const total = counts(all.flatMap(countingIn))
  const none = html`<li class="${isWhole(all) ? 'good' : 'info'}">nothing found</li>`
  const copy =
    'why' in advisories
      ? ''
      : html`<p class="dim">Known vulnerabilities: ${count(advisories.records, 'record')}, the newest ${count(advisories.ageDays ?? 0, 'day')} old.</p>`
  return html`<section aria-label="Summary">
<ul class="counts">${total.length === 0 ? none : total.map(([severity, number]) => html`<li class="${severity}">${number} ${severity}</li>`)}</ul>
<table><thead><tr><th scope="col">Server</th><th scope="col">Found</th><th scope="col">Looked at</th></tr></thead>
<tbody>${servers.map(
    ({ server, id }) => html`<tr><td><a href="#${id}">${words(server.server)}</a></td>
<td>${badges(server)}</td><td>${lookedAt(server)}</td></tr>
`,
  )}</tbody></table>
${copy}${reasons(all)}</section>`
}

const isWhole = (servers: readonly ScannedServer[]): boolean =>
  servers.every(({ problem, unchecked }) => problem === undefined && unchecked.length === 0)

const badges = (server: ScannedServer): Markup | readonly Markup[] => {
  const some = counts(countingIn(server))
  if (some.length === 0) return html`<span class="dim">nothing</span>`
  return some.map(([severity, number]) => html`<span class="badge ${severity}">${number} ${severity}</span> `)
}

const lookedAt = ({ problem, unchecked }: ScannedServer): Markup =>
  problem !== undefined
    ? html`<span class="medium">not, or not whole</span>`
    : unchecked.length > 0
      ? html`<span class="medium">not whole: ${[...new Set(unchecked.map(({ what }) => what))].map((what, at) => html`${at > 0 ? ', ' : ''}${words(what)}`)}</span>`
      : html`<span class="good">yes</span>`

/** Each reason once, with the servers that it holds for. */
function reasons(servers: readonly ScannedServer[]): Markup | '' {
  const all = servers.flatMap(({ server, unchecked }) => unchecked.map((one) => ({ ...one, server })))
  if (all.length === 0) return ''
  const groups = [...Map.groupBy(all, ({ what, why }) => JSON.stringify([what, why])).values()]
  return html`<table><caption>Not checked, which is no yes</caption>
<thead><tr><th scope="col">What</th><th scope="col">Why</th><th scope="col">Of</th></tr></thead>
<tbody>${groups.map((some) => {
    const { what, why } = some[0] as (typeof all)[number]
    return html`<tr><td>${words(what)}</td><td>${words(why)}</td><td>${some.map(({ server }, at) => html`${at > 0 ? ', ' : ''}${words(server)}`)}</td></tr>
`
  })}</tbody></table>`
}

function section(server: ScannedServer, id: string, definitions: readonly Definition[]): Markup {
  const { server: name, origin, how, problem, unconfined, part, findings, definitions: number } = server
  const open = countingIn(server)
  const suppressed = findings.filter(({ suppressedBy }) => suppressedBy !== undefined)
  const row = (term: string, what: Markup | string): Markup => html`<dt>${term}</dt><dd>${what}</dd>`
  const place = origin && `${origin.file}${origin.line === undefined ? '' : `:${origin.line}`}`
  return html`<section class="server" id="${id}"><h2>${words(name)}</h2>
<dl>${row('Reached by', html`<span class="how">${words(how)}</span>`)}
${place === undefined ? '' : row('Configured in', html`<span class="how">${words(place)}</span>${origin?.client ? html` (${words(origin.client)})` : ''}`)}
${part === undefined ? '' : row('Made of', partText(part))}
${row('Says', number === 0 ? 'nothing that was read' : count(number, 'definition'))}
${unconfined === undefined ? '' : row('Sandbox', html`none: it was started with all that whoever ran this may do (${words(unconfined)})`)}
${problem === undefined ? '' : row('Problem', words(problem))}</dl>
${severities.toReversed().map((severity) => group(severity, open))}
${suppressed.length === 0 ? '' : html`<details><summary>${suppressed.length} suppressed</summary>${suppressed.map(findingText)}</details>`}
${told(definitions, findings)}</section>
`
}

const partText = ({ name, version = '', licence, packages = 1 }: NonNullable<ScannedServer['part']>): Markup =>
  html`${words(`${name} ${version}`)}, ${licence === undefined ? 'no licence stated' : words(licence)}${packages > 1 ? `, with ${count(packages - 1, 'package')} below it` : ''}`

function group(severity: Severity, findings: readonly Reported[]): Markup | '' {
  const some = findings.filter((one) => one.severity === severity)
  return some.length === 0 ? '' : html`<h3 class="${severity}">${severity}</h3>${some.map(findingText)}`
}

function findingText({ rule, severity, evidence, shown = '', marked, fix = '', origin, suppressedBy }: Reported): Markup {
  const place = origin && `${origin.file}:${origin.line ?? 1}`
  return html`<div class="finding ${severity}"><p>${words(evidence)} <code class="dim">${rule}</code></p>
${shown === '' || marked === undefined ? '' : html`<p class="dim">What a model reads:</p>${shownWith(shown, marked)}`}
${fix === '' ? '' : html`<p>To do: ${words(fix)}</p>`}
${place === undefined ? '' : html`<p class="dim">In ${words(place)}</p>`}
${suppressedBy === undefined ? '' : html`<p class="dim">Suppressed until ${suppressedBy.expires}: ${words(suppressedBy.reason)}</p>`}</div>
`
}

const expired = ({ expired: old }: ScanReport): Markup | '' =>
  old.length === 0
    ? ''
    : html`<section><h2>Suppressions that ended</h2><ul>${old.map(({ rule, reason, expires }) => html`<li><code>${rule}</code> (${words(reason)}) on ${expires}</li>`)}</ul></section>`
