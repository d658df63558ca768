/**
 * What a package does while it is installed: scripts of npm that run by themselves, read as text. One that fetches something and
 * runs it, or hides what it runs, is how most poisoned packages begin.
 */
import type { Finding } from '../../pipeline/guard.ts'

/** Those that run when somebody else installs the package (npm documentation, "Life Cycle Operation Order"). */
const automatic = ['preinstall', 'install', 'postinstall', 'prepare', 'preuninstall', 'postuninstall'] as const
const textMax = 20_000

const rules: readonly (readonly [rule: string, severity: Finding['severity'], pattern: RegExp, what: string])[] = [
  [
    'supply/install-download-run',
    'critical',
    /\b(?:curl|wget|fetch|iwr|invoke-webrequest)\b[^|;&\n]{0,500}\|\s*(?:sudo\s+)?(?:ba|z|da|k)?sh\b/i,
    'runs what it downloads',
  ],
  [
    'supply/install-download-run',
    'critical',
    /\b(?:iex|invoke-expression)\b|\b(?:ba|z)?sh\s+(?:-c\s+)?["']?[$<(]{1,2}\s*\(?\s*(?:curl|wget)\b/i,
    'runs what it downloads',
  ],
  [
    'supply/install-eval',
    'critical',
    /\b(?:node|bun|deno)\s+(?:-e|--eval|-p|--print|eval)\b[^\n]{0,2000}\b(?:https?\b|child_process|eval\s*\(|Buffer\.from|atob|net\b)/i,
    'runs code that is written into the script',
  ],
  [
    'supply/install-eval',
    'critical',
    /\bpython[\d.]*\s+-c\b[^\n]{0,2000}\b(?:exec|eval|urllib|requests|socket|subprocess|os\.system)\b/i,
    'runs code that is written into the script',
  ],
  [
    'supply/install-hidden',
    'critical',
    /\bbase64\s+(?:-d|-D|--decode)\b|\bcertutil\b|(?:\\x[0-9a-f]{2}){8}|powershell[^\n]{0,200}\s-e(?:nc|ncodedcommand)?\s/i,
    'hides what it runs',
  ],
  [
    'supply/install-secrets',
    'critical',
    /(?:~|\$HOME|%USERPROFILE%)[\\/]?\.?[\\/]?\.(?:ssh|aws|npmrc|netrc|kube|docker|gnupg)\b|\/etc\/passwd|\bprintenv\b|\benv\s*\|/i,
    'reads secrets of the machine',
  ],
  ['supply/install-download', 'high', /\b(?:curl|wget|invoke-webrequest|iwr|bitsadmin)\b|https?:\/\//i, 'downloads something'],
  [
    'supply/install-shell-profile',
    'high',
    /\.(?:bashrc|zshrc|profile|bash_profile)\b|\bcrontab\b|\bsystemctl\b|\blaunchctl\b|\bschtasks\b/i,
    'stays on the machine',
  ],
  [
    'supply/install-remove',
    'high',
    /\brm\s+-[a-z]*r[a-z]*f?[a-z]*\s+(?:[/~]|\$HOME)|\bdel\s+\/[sfq]/i,
    'removes files outside of the package',
  ],
]

/** Findings about `scripts` of a package.json; a script that only builds is a fact, not a finding. */
export function judgeScripts(scripts: Readonly<Record<string, unknown>>): readonly Finding[] {
  return automatic.flatMap((name): Finding[] => {
    const text = scripts[name]
    if (typeof text !== 'string') return []
    if (text.length > textMax) return [found('supply/install-hidden', 'high', `"${name}" has more than ${textMax} characters`)]
    const seen = new Set<string>()
    const findings = rules.flatMap(([rule, severity, pattern, what]) =>
      seen.has(what) || !pattern.test(text) ? [] : (seen.add(what), [found(rule, severity, `"${name}" ${what}`)]),
    )
    const isWorse = findings.some(({ rule }) => rule === 'supply/install-download-run')
    return isWorse ? findings.filter(({ rule }) => rule !== 'supply/install-download') : findings
  })
}

const found = (rule: string, severity: Finding['severity'], evidence: string): Finding => ({
  ...{ rule, severity, evidence, owasp: 'MCP04', requirement: 'SUP-C1' },
})
