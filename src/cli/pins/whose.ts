/** Options of all of `sekisho pins`: whose pins, the gateway's or those of the local guards. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { Command } from 'commander'
import { localKeyFile, type Whose } from '../../admin/with-pins.ts'
import { readEnvironment } from '../../config/environment.ts'

export interface WhoseOptions {
  readonly config: string
  readonly local?: true
  readonly data?: string
  readonly json?: true
}

const usual = './sekisho.yaml'

export const shared = (usage: string, description: string): Command =>
  usage
    .split(' ')
    .slice(1)
    .reduce((command, argument) => command.argument(argument), new Command(usage.split(' ', 1)[0]))
    .description(description)
    .option('-c, --config <file>', 'the configuration', usual)
    .option('-l, --local', 'of servers that were started with `sekisho run`')
    .option('--data <folder>', 'where `sekisho run` keeps what it remembers; says --local')
    .option('--json', 'machine-readable')

/** Throws an Error where there is no configuration here and whoever asks can only mean the local guards. */
export const whoseOf = ({ config, local, data }: WhoseOptions): Whose => {
  const folder = resolve(data ?? readEnvironment().dataFolder ?? '.sekisho')
  if (local !== undefined || data !== undefined) return { data: folder }
  if (config === usual && !existsSync(usual) && existsSync(localKeyFile(folder)))
    throw Object.assign(new Error(`there is no ${usual} here, so no gateway whose pins these are`), {
      fix: 'say --local for servers that were started with `sekisho run`, or name the configuration with --config',
    })
  return { config }
}
