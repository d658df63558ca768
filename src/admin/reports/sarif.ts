/**
 * A scan as SARIF 2.1.0 (OASIS), in the form that GitHub code scanning takes: each rule with its words and its severity, each
 * result anchored to the line that configures the server, with a fingerprint that survives other lines moving.
 */
import { createHash } from 'node:crypto'
import { isAbsolute, relative, sep } from 'node:path'
import { families } from '../../trust/scan/families.ts'
import type { Row } from '../../trust/scan/finding.ts'
import type { Reported, ScannedServer, ScanReport, Severity } from '../operations/scan.ts'

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

/** `root`: paths under it are written relative to it. */
export function sarif(report: ScanReport, version: string, root: string): object {
  const rules = new Map<string, Row>(families.flatMap(({ rows }) => Object.entries(rows)))
  const ids = [...rules.keys()].sort()
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
            rules: ids.map((id) => ruleOf(id, rules.get(id) as Row)),
          },
        },
        automationDetails: { id: 'sekisho/scan/' },
        columnKind: 'utf16CodeUnits',
        originalUriBaseIds: { SRCROOT: { description: { text: 'The folder in which the scan was run.' } } },
        results: report.servers.flatMap((server) => server.findings.map((finding) => resultOf(finding, server, ids, root))),
        invocations: [
          {
            executionSuccessful: report.servers.every(({ problem }) => problem === undefined),
            toolExecutionNotifications: report.servers.flatMap(({ server, problem }) =>
              problem === undefined ? [] : [{ level: 'warning', message: { text: `Server "${server}": ${problem}.` } }],
            ),
          },
        ],
      },
    ],
  }
}

const ruleOf = (id: string, { severity, says, owasp, requirement }: Row): object => ({
  id,
  name: id.replace(/(?:^|[/-])(\w)/g, (_, letter: string) => letter.toUpperCase()),
  shortDescription: { text: `A definition ${says}.` },
  fullDescription: { text: `A tool, prompt, resource or the instructions of an MCP server: the definition ${says}.` },
  help: {
    text: `Look at what a model reads there, and at who wrote it. OWASP MCP Top 10: ${owasp}. Requirement ${requirement}.`,
  },
  defaultConfiguration: { level: levels[severity] },
  properties: { 'security-severity': scores[severity], tags: ['security', 'mcp', owasp], precision: 'medium' },
})

function resultOf(finding: Reported, server: ScannedServer, ids: readonly string[], root: string): object {
  const { rule, severity, evidence, kind, name, at, shown, suppressedBy } = finding
  const mark = createHash('sha256')
    .update(JSON.stringify([rule, server.server, kind, name, at.path]))
    .digest('hex')
  return {
    ruleId: rule,
    ruleIndex: ids.indexOf(rule),
    level: levels[severity],
    message: { text: `Server "${server.server}": ${evidence} It reads: ${shown}` },
    locations: [
      {
        physicalLocation: {
          artifactLocation: artifactOf(server, root),
          region: { startLine: server.origin?.line ?? 1 },
        },
        logicalLocations: [{ fullyQualifiedName: `${server.server}/${kind}/${name}${at.path}`, kind: 'member' }],
      },
    ],
    partialFingerprints: { 'sekishoDefinition/v1': mark, primaryLocationLineHash: `${mark.slice(0, 16)}:1` },
    ...(suppressedBy && { suppressions: [{ kind: 'external', status: 'accepted', justification: suppressedBy.reason }] }),
  }
}

function artifactOf({ origin, server }: ScannedServer, root: string): object {
  const file = origin?.file ?? `mcp-servers/${encodeURIComponent(server)}`
  const inside = relative(root, file)
  if (isAbsolute(file) && (inside.startsWith('..') || isAbsolute(inside)))
    return { uri: new URL(`file://${file.split(sep).map(encodeURIComponent).join('/')}`).href }
  const path = isAbsolute(file) ? inside : file
  return { uri: path.split(sep).map(encodeURIComponent).join('/'), uriBaseId: 'SRCROOT' }
}
