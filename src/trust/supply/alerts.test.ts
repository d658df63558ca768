import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { type Alert, readAlerts } from './alerts.ts'
import { takeInventory } from './inventory.ts'

const inventory = takeInventory({
  servers: {
    files: { kind: 'stdio', command: ['npx', '@scope/server@1.2.3'] },
    git: { kind: 'stdio', command: ['uvx', 'mcp-server-git==2025.1.14'] },
  },
})
const read = (...alerts: readonly unknown[]): readonly Alert[] => readAlerts(JSON.stringify(alerts), inventory)
const secret = `gh${'p_'}x1Y2z3A4b5C6d7E8f9G0h1J2k3L4m5N6o7P8`
const html_url = 'https://github.com/acme/gateway/security/1'

const ofDependabot = {
  ...{ number: 7, state: 'open', html_url },
  dependency: { package: { ecosystem: 'npm', name: '@scope/server' }, manifest_path: 'package-lock.json', scope: 'runtime' },
  security_advisory: { ghsa_id: 'GHSA-1', cve_id: 'CVE-1', severity: 'critical', summary: 'It runs what it is told' },
  security_vulnerability: { vulnerable_version_range: '< 1.2.4', first_patched_version: { identifier: '1.2.4' } },
}
const ofSecrets = {
  ...{ number: 8, state: 'open', html_url, secret_type: 'github_personal_access_token', secret },
  ...{ secret_type_display_name: 'GitHub Personal Access Token', validity: 'active', push_protection_bypassed: true },
  first_location_detected: { path: 'a.env', start_line: 3, blob_sha: 'a' },
}
const ofCode = {
  ...{ number: 9, state: 'open', html_url, tool: { name: 'CodeQL' } },
  rule: {
    id: 'js/command-line-injection',
    severity: 'error',
    security_severity_level: 'high',
    description: 'Uncontrolled command line',
  },
  most_recent_instance: { location: { path: 'src/a.ts', start_line: 12 }, message: { text: 'depends on a user-provided value' } },
}

describe('refused', () => {
  const cases: readonly (readonly [says: string, text: string, message: RegExp])[] = [
    ['no JSON', `{"secret":"${secret}`, /^it is not JSON$/],
    ['an error of the API', JSON.stringify({ message: 'Not Found', secret }), /^it is not a list of alerts/],
    ['another list', JSON.stringify([{ id: 1, secret }]), /^entry 1 is no alert/],
    ['an alert without a number', JSON.stringify([ofCode, { ...ofSecrets, number: 'x' }]), /^entry 2 is no alert/],
    ['a secret that stands alone', JSON.stringify([secret]), /^entry 1 is no alert/],
  ]
  for (const [says, text, message] of cases)
    test(says, () =>
      assert.throws(
        () => readAlerts(text, inventory),
        (error: Error) => message.test(error.message) && !error.message.includes(secret),
      ),
    )
})

test('of Dependabot: the advisory, the package, what mends it, and which server uses it', () => {
  assert.deepEqual(read(ofDependabot), [
    {
      ...{ kind: 'dependabot', number: 7, url: html_url, severity: 'critical', isOpen: true, rule: 'GHSA-1' },
      ...{ says: 'It runs what it is told; fixed in 1.2.4', where: 'npm @scope/server (package-lock.json)', usedBy: ['files'] },
    },
  ])
  const python = { ...ofDependabot, dependency: { package: { ecosystem: 'pip', name: 'MCP-server-git' } } }
  assert.deepEqual(read(python)[0]?.usedBy, ['git'])
  const elsewhere = { ...ofDependabot, dependency: { package: { ecosystem: 'rubygems', name: '@scope/server' } } }
  assert.deepEqual(read(elsewhere)[0]?.usedBy, [])
})

test('of secret scanning: where it is and whether it works, and never the secret', () => {
  const alerts = read(ofSecrets)
  assert.deepEqual(alerts, [
    {
      ...{ kind: 'secret-scanning', number: 8, url: html_url, severity: 'critical', isOpen: true },
      ...{ rule: 'github_personal_access_token', where: 'a.env:3', usedBy: [] },
      says: 'GitHub Personal Access Token, which still works, pushed past the protection',
    },
  ])
  assert.ok(!JSON.stringify(alerts).includes(secret))
  assert.equal(read({ ...ofSecrets, validity: 'unknown' })[0]?.severity, 'high')
})

test('of code scanning: the rule, the place, the severity in either scale', () => {
  const [alert] = read(ofCode)
  assert.deepEqual(
    [alert?.severity, alert?.rule, alert?.where, alert?.says],
    ['high', 'js/command-line-injection', 'src/a.ts:12', 'depends on a user-provided value'],
  )
  for (const [severity, expected] of [
    ['error', 'high'],
    ['warning', 'medium'],
    ['note', 'low'],
    ['none', 'low'],
    ['x', 'unknown'],
  ] as const)
    assert.equal(read({ ...ofCode, rule: { id: 'x', severity, security_severity_level: null } })[0]?.severity, expected)
})

test('what is closed does not count; a state that nobody knows is open; pages are put together', () => {
  const states: readonly (readonly [object, boolean])[] = [
    [{ ...ofDependabot, state: 'fixed' }, false],
    [{ ...ofDependabot, state: 'auto_dismissed' }, false],
    [{ ...ofSecrets, state: 'resolved' }, false],
    [{ ...ofCode, state: 'dismissed' }, false],
    [{ ...ofCode, state: 'whatever' }, true],
    [{ ...ofDependabot, state: undefined }, true],
  ]
  assert.deepEqual(
    read(...states.map(([alert]) => alert)).map(({ isOpen }) => isOpen),
    states.map(([, isOpen]) => isOpen),
  )
  assert.equal(readAlerts(JSON.stringify([[ofCode, ofSecrets], [ofDependabot]]), inventory).length, 3)
  assert.equal(readAlerts('[]', inventory).length, 0)
})

test('no more is shown of a text than fits, and no URL that is none', () => {
  const long = { ...ofCode, html_url: 'javascript:alert(1)', most_recent_instance: { message: { text: 'x'.repeat(5000) } } }
  const [alert] = read(long)
  assert.deepEqual([alert?.says.length, alert?.url, alert?.where], [300, undefined, undefined])
})
