#!/usr/bin/env node
/** The command line: one file for each command. `ls src/cli` is the help text; only the command that is asked for is loaded. */
import { Command } from 'commander'

const nodeMin = 24
if (Number.parseInt(process.versions.node, 10) < nodeMin) {
  process.stderr.write(`sekisho needs Node ${nodeMin} or later, and this is ${process.version}\n`)
  process.exit(1)
}
/** Nobody reads any more, as in `| head`: that is an end. What serves (`start`, `run`) has an end of its own. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  if (process.listenerCount('SIGTERM') === 0) process.exit()
})

const commands: Readonly<Record<string, () => Promise<Command>>> = {
  start: async () => (await import('./start.ts')).startCommand(),
  run: async () => (await import('./run.ts')).runCommand(),
  check: async () => (await import('./check.ts')).checkCommand(),
  init: async () => (await import('./init.ts')).initCommand(),
  servers: async () => (await import('./servers.ts')).serversCommand(),
  policy: async () => (await import('./policy.ts')).policyCommand(),
  keys: async () => (await import('./keys.ts')).keysCommand(),
  idp: async () => (await import('./idp.ts')).idpCommand(),
  tokens: async () => (await import('./tokens.ts')).tokensCommand(),
  consents: async () => (await import('./consents.ts')).consentsCommand(),
  sessions: async () => (await import('./sessions.ts')).sessionsCommand(),
  vault: async () => (await import('./vault.ts')).vaultCommand(),
  supply: async () => (await import('./supply.ts')).supplyCommand(),
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
