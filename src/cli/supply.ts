/** `sekisho supply`: what servers are made of, and whether it is what was reviewed. One file for each subcommand. */
import { Command } from 'commander'
import { lockCommand } from './supply/lock.ts'
import { verifyCommand } from './supply/verify.ts'

export function supplyCommand(): Command {
  return new Command('supply')
    .description('what servers are made of, and whether that is what was reviewed')
    .addCommand(lockCommand())
    .addCommand(verifyCommand())
}
