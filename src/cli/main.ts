#!/usr/bin/env node
/** The command line: one file for each command. `ls src/cli` is the help text; only the command that is asked for is loaded. */
import { Command } from 'commander'

const commands: Readonly<Record<string, () => Promise<Command>>> = {
  start: async () => (await import('./start.ts')).startCommand(),
  run: async () => (await import('./run.ts')).runCommand(),
  check: async () => (await import('./check.ts')).checkCommand(),
  init: async () => (await import('./init.ts')).initCommand(),
  servers: async () => (await import('./servers.ts')).serversCommand(),
  policy: async () => (await import('./policy.ts')).policyCommand(),
  keys: async () => (await import('./keys.ts')).keysCommand(),
  audit: async () => (await import('./audit.ts')).auditCommand(),
  version: async () => (await import('./version.ts')).versionCommand(),
}

const asked = process.argv[2] ?? ''
const load = Object.hasOwn(commands, asked) ? [commands[asked]] : Object.values(commands)
const program = new Command('sekisho')
  .description('The security gateway for the Model Context Protocol')
  .showHelpAfterError('(see: sekisho help)')
for (const command of load) program.addCommand(await (command as () => Promise<Command>)())
if (asked === '-v' || asked === '--version') process.argv[2] = 'version'
await program.parseAsync()
