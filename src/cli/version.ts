import { Command } from 'commander'
import { version } from '../lib/version.ts'
import { legacyVersions, modernVersions } from '../protocol/revisions/index.ts'

/** What is tested, works by construction, and does not: said plainly, because a guard that half works is worse than none. */
const platforms: Readonly<Record<string, string>> = {
  linux: 'tested: every feature, in continuous integration',
  darwin: 'expected to work, not tested: same process groups and file permissions as Linux',
  win32: 'not tested: servers are stopped without their process group, and key files are not checked for who can read them',
}

export function versionCommand(): Command {
  return new Command('version')
    .description('print the version, the protocol revisions served, and what works on this platform')
    .option('--platform', 'what works on this platform')
    .option('--json', 'for machines')
    .action((options: { platform?: boolean; json?: boolean }) => {
      const platform = { name: process.platform, state: platforms[process.platform] ?? 'not tested' }
      const facts = { version, node: process.versions.node, protocol: [...modernVersions, ...legacyVersions], platform }
      if (options.json) console.log(JSON.stringify(facts))
      else if (options.platform) console.log(`${platform.name}: ${platform.state}`)
      else
        console.log(
          `sekisho ${version}, Node ${facts.node}, MCP ${facts.protocol.join(' ')}\n${platform.name}: ${platform.state}`,
        )
    })
}
