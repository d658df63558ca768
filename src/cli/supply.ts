/** `sekisho supply`: what the gateway and its servers are made of, and whether that is still what it should be. */
import { Command } from 'commander'
import { supplyCheck, supplyWatch } from './supply-check.ts'
import { supplyAttest, supplyCode } from './supply-code.ts'
import { supplySarif, supplySubmit } from './supply-github.ts'
import { supplySbom } from './supply-sbom.ts'
import { supplySecrets } from './supply-secrets.ts'

const commands = [supplySbom, supplyCheck, supplyWatch, supplyAttest, supplySecrets, supplyCode, supplySarif, supplySubmit]

export function supplyCommand(): Command {
  const supply = new Command('supply').description('what takes part, and whether it may')
  for (const command of commands) supply.addCommand(command())
  return supply
}
