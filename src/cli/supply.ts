/** `sekisho supply`: what the gateway and its servers are made of, and whether that is what was reviewed. One file for each subcommand. */
import { Command } from 'commander'
import { supplyCheck, supplyWatch } from './supply/check.ts'
import { supplyAttest, supplyCode } from './supply/code.ts'
import { supplySarif, supplySubmit } from './supply/github.ts'
import { lockCommand } from './supply/lock.ts'
import { supplySbom } from './supply/sbom.ts'
import { supplySecrets } from './supply/secrets.ts'
import { verifyCommand } from './supply/verify.ts'

const commands = [
  lockCommand,
  verifyCommand,
  supplySbom,
  supplyCheck,
  supplyWatch,
  supplyAttest,
  supplySecrets,
  supplyCode,
  supplySarif,
  supplySubmit,
]

export function supplyCommand(): Command {
  const supply = new Command('supply').description('what servers are made of, and whether that is what was reviewed')
  for (const command of commands) supply.addCommand(command())
  return supply
}
