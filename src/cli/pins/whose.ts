/** Options of all of `sekisho pins`: whose pins, the gateway's or those of the local guards. */
import { resolve } from 'node:path'
import { Command } from 'commander'
import type { Whose } from '../../admin/with-pins.ts'
import { readEnvironment } from '../../config/environment.ts'

export interface WhoseOptions {
  readonly config: string
  readonly local?: true
  readonly data?: string
  readonly json?: true
}

export const shared = (usage: string, description: string): Command =>
  usage
    .split(' ')
    .slice(1)
    .reduce((command, argument) => command.argument(argument), new Command(usage.split(' ', 1)[0]))
    .description(description)
    .option('-c, --config <file>', 'the configuration', './sekisho.yaml')
    .option('-l, --local', 'of servers that were started with `sekisho run`')
    .option('--data <folder>', 'where `sekisho run` keeps what it remembers; says --local')
    .option('--json', 'machine-readable')

export const whoseOf = ({ config, local, data }: WhoseOptions): Whose => {
  if (local === undefined && data === undefined) return { config }
  return { data: resolve(data ?? readEnvironment().dataFolder ?? '.sekisho') }
}
