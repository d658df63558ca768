/**
 * A scan as SARIF 2.1.0 (OASIS), in the form that GitHub code scanning takes: each rule with its words and its severity, each
 * result anchored to the line that configures the server, with a fingerprint that survives other lines moving. What was not
 * checked is a notification of the run: it is no finding, and no silence either.
 */
import { createHash } from 'node:crypto'
import { isAbsolute, relative, sep } from 'node:path'
import { clientRules } from '../../trust/clients/findings.ts'
import { scanRules } from '../../trust/scan/families.ts'
import { supplyRows } from '../../trust/supply/entry-rows.ts'
import type { Origin, Reported, ScannedServer, ScanReport, Severity } from '../operations/scan.ts'

const home = 'https://www.npmjs.com/package/sekisho'
const levels: Readonly<Record<Severity, string>> = {
  info: 'note',
  low: 'note',
  medium: 'warning',
  high: 'error',
  critical: 'error',
}
/** As GitHub reads it: over 9.0 critical, 7.0 to 8.9 high, 4.0 to 6.9 medium (About SARIF support for code scanning). */
const scores: Readonly<Record<Severity, string>> = { info: '0.0', low: '3.0', medium: '5.5', high: '8.0', critical: '9.5' }

interface Rule {
  readonly severity: Severity
  readonly owasp: string
  readonly requirement: string
  /** What is found, as a sentence, and at more length; and what to do. */
  readonly short: string
  readonly full: string
  readonly help: string
}

/** By the first word of its id, a rule is about what a server says, how it is configured, or what it is made of. */
const rules: ReadonlyMap<string, Rule> = new Map([
  ...Object.entries(scanRules).map(([id, { says, ...rest }]): [string, Rule] => [
    id,
    {
      ...rest,
      short: `A definition ${says}.`,
      full: `A tool, prompt, resource or the instructions of an MCP server: the definition ${says}.`,
      help: 'Look at what a model reads there, and at who wrote it.',
    },
  ]),
  ...Object.entries(clientRules).map(([id, { says, ...rest }]): [string, Rule] => [
    id,
    {
      ...rest,
      short: `A server ${says}.`,
      full: `The entry of an MCP server in a configuration: the server ${says}.`,
      help: 'Change the entry, or take it out.',
    },
  ]),
  ...Object.entries(supplyRows).map(([id, { says, fix, ...rest }]): [string, Rule] => [
    id,
    {
      ...rest,
      short: `A server ${says}.`,
      full: `What an MCP server is made of: the server ${says}.`,
      help: `${fix[0]?.toUpperCase()}${fix.slice(1)}.`,
    },
  ]),
])

/** Of every rule that a scan knows. */
export const ruleIds: readonly string[] = [...rules.keys()].sort()

/** `root`: paths under it are written relative to it. */
export function sarif(report: ScanReport, version: string, root: string): object {
  return {
    $schema: 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'Sekisho',
            informationUri: home,
            semanticVersion: version,
            rules: ruleIds.map((id) => ruleOf(id, rules.get(id) as Rule)),
          },
        },
        automationDetails: { id: 'sekisho/scan/' },
        columnKind: 'utf16CodeUnits',
        originalUriBaseIds: { SRCROOT: { description: { text: 'The folder in which the scan was run.' } } },
        results: report.servers.flatMap((server) => server.findings.map((finding) => resultOf(finding, server, root))),
        invocations: [
          {
            executionSuccessful: report.servers.every(({ problem }) => problem === undefined),
            toolExecutionNotifications: report.servers.flatMap(({ server, problem, unchecked }) => [
              ...(problem === undefined ? [] : [notification('warning', server, problem)]),
              ...unchecked.map(({ what, why }) => notification('note', server, `${what} not checked: ${why}`)),
            ]),
          },
        ],
      },
    ],
  }
}

const notification = (level: 'warning' | 'note', server: string, text: string): object => ({
  level,
  message: { text: `Server "${server}": ${text}.` },
})

const ruleOf = (id: string, { severity, short, full, help, owasp, requirement }: Rule): object => ({
  id,
  name: id.replace(/(?:^|[/-])(\w)/g, (_, letter: string) => letter.toUpperCase()),
  shortDescription: { text: short },
  fullDescription: { text: full },
  help: { text: `${help} OWASP MCP Top 10: ${owasp}. Requirement ${requirement}.` },
  defaultConfiguration: { level: levels[severity] },
  properties: { 'security-severity': scores[severity], tags: ['security', 'mcp', owasp], precision: 'medium' },
})

function resultOf(finding: Reported, server: ScannedServer, root: string): object {
  const { rule, severity, evidence, kind, name = '', at, shown, fix, suppressedBy, origin = server.origin } = finding
  // What is about no definition has no path in one; its evidence holds no number that moves.
  const mark = createHash('sha256')
    .update(JSON.stringify([rule, server.server, ...(at === undefined ? [name, evidence] : [kind, name, at.path])]))
    .digest('hex')
  const more = [...(shown === undefined ? [] : [`It reads: ${shown}`]), ...(fix ? [`To do: ${fix}.`] : [])]
  return {
    ruleId: rule,
    ruleIndex: ruleIds.indexOf(rule),
    level: levels[severity],
    message: { text: [`Server "${server.server}": ${sentence(evidence)}`, ...more].join(' ') },
    locations: [
      {
        physicalLocation: {
          artifactLocation: artifactOf(origin, server.server, root),
          region: { startLine: origin?.line ?? 1 },
        },
        logicalLocations: [
          at === undefined
            ? { fullyQualifiedName: [server.server, name].filter((one) => one !== '').join('/'), kind: 'module' }
            : { fullyQualifiedName: `${server.server}/${kind}/${name}${at.path}`, kind: 'member' },
        ],
      },
    ],
    partialFingerprints: { 'sekishoDefinition/v1': mark, primaryLocationLineHash: `${mark.slice(0, 16)}:1` },
    ...(suppressedBy && { suppressions: [{ kind: 'external', status: 'accepted', justification: suppressedBy.reason }] }),
  }
}

const sentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`)

function artifactOf(origin: Origin | undefined, server: string, root: string): object {
  const file = origin?.file ?? `mcp-servers/${encodeURIComponent(server)}`
  const inside = relative(root, file)
  if (isAbsolute(file) && (inside.startsWith('..') || isAbsolute(inside)))
    return { uri: new URL(`file://${file.split(sep).map(encodeURIComponent).join('/')}`).href }
  const path = isAbsolute(file) ? inside : file
  return { uri: path.split(sep).map(encodeURIComponent).join('/'), uriBaseId: 'SRCROOT' }
}
