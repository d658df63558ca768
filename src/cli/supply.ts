/** `sekisho supply`: what the gateway and its servers are made of, and whether that is still what it should be. */
import { Command } from 'commander'
import { supplySbom } from './supply-sbom.ts'

export const supplyCommand = (): Command =>
  new Command('supply').description('what takes part, and whether it may').addCommand(supplySbom())
