/** `sekisho init`: a first configuration, by answering three questions. */
import { writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { cancel, confirm, intro, isCancel, note, outro, select, text } from '@clack/prompts'
import { Command } from 'commander'
import { keyNew, type NewKey } from '../admin/operations/key-new.ts'
import { exampleServer, keyIdFault, type Starter, type StarterServer, serverIdFault, starterConfig } from '../config/starter.ts'
import { told } from './problems.ts'

interface Options {
  config: string
  yes?: true
  json?: true
}

export function initCommand(): Command {
  return new Command('init')
    .description('write a first configuration')
    .option('-c, --config <file>', 'where to', './sekisho.yaml')
    .option('-y, --yes', 'ask nothing: an example server, for this machine, reading only')
    .option('--json', 'machine-readable; asks nothing either')
    .action((options: Options) => told(options.config, () => init(options), options))
}

async function init({ config: file, yes, json }: Options): Promise<void> {
  const isAsking = !yes && !json
  if (isAsking && !process.stdin.isTTY) throw new Error('there is no terminal to ask on; this asks nothing: sekisho init --yes')
  const starter = isAsking ? await interview() : defaults
  if (starter === undefined) return stopped()
  if (!(await write(file, starterConfig(starter), isAsking))) throw new Error(`${file} exists, and is left as it is`)
  const next = 'Next: sekisho check, then sekisho start'
  if (json) process.stdout.write(`${JSON.stringify({ file, written: true })}\n`)
  else if (isAsking) outro(`${file} is written. ${next}`)
  else process.stdout.write(`${file} is written. ${next}\n`)
}

const defaults: Starter = { servers: [exampleServer], callers: 'anonymous', access: 'read' }

/** False when the file is there already and nobody agreed to replace it. */
async function write(file: string, content: string, isAsking: boolean): Promise<boolean> {
  try {
    await writeFile(file, content, { flag: 'wx', mode: 0o600 })
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') throw new Error(`there is no folder ${dirname(resolve(file))}; make it first`)
    if (code !== 'EEXIST') throw error
  }
  if (!isAsking || (await confirm({ message: `${file} exists. Replace it?`, initialValue: false })) !== true) return false
  await writeFile(file, content)
  return true
}

function stopped(): void {
  cancel('Nothing was written.')
  process.exitCode = 1
}

class Stopped extends Error {}
const answered = <Answer>(answer: Answer): Exclude<Answer, symbol> => {
  if (isCancel(answer)) throw new Stopped()
  return answer as Exclude<Answer, symbol>
}

/** Undefined when it was broken off. */
async function interview(): Promise<Starter | undefined> {
  try {
    intro('Sekisho: a checkpoint for MCP')
    const servers: StarterServer[] = []
    do servers.push(await askServer(servers.map(({ id }) => id)))
    while (answered(await confirm({ message: 'Another server?', initialValue: false })))
    const callers = await askCallers()
    const access = answered(
      await select<Starter['access']>({
        message: 'What may they do?',
        options: [
          { value: 'read', label: 'Read only', hint: 'tools named read_*, list_*, get_*, search_*' },
          { value: 'everything', label: 'Everything', hint: 'every tool of every server' },
        ],
      }),
    )
    return { servers, callers, access }
  } catch (error) {
    if (error instanceof Stopped) return undefined
    throw error
  }
}

async function askServer(taken: readonly string[]): Promise<StarterServer> {
  const kind = answered(
    await select({
      message: 'Where is the server?',
      options: [
        { value: 'command', label: 'On this machine', hint: 'started with a command' },
        { value: 'url', label: 'Elsewhere', hint: 'reached by a URL' },
      ],
    }),
  )
  const id = answered(
    await text({
      message: 'A short name for it',
      placeholder: 'files',
      validate: (value = '') => (taken.includes(value) ? 'That name is taken' : serverIdFault(value)),
    }),
  )
  if (kind === 'url') {
    const isUrl = (value = '') =>
      /^https:\/\/|^http:\/\/(localhost|127\.|\[::1\])/.test(value) && URL.canParse(value) ? undefined : 'An https URL, please'
    return { id, url: answered(await text({ message: 'Its URL', placeholder: 'https://crm.example.com/mcp', validate: isUrl })) }
  }
  const command = answered(
    await text({
      message: 'Its command; no shell reads it',
      placeholder: exampleServer.command?.join(' ') ?? '',
      validate: (value = '') => (value.trim() === '' ? 'A command, please' : undefined),
    }),
  )
  return { id, command: words(command) }
}

/** Words of a command line, with quotes around those that have spaces. */
const words = (line: string): string[] =>
  [...line.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(([, double, single, bare]) => double ?? single ?? bare ?? '')

async function askCallers(): Promise<Starter['callers']> {
  const who = answered(
    await select({
      message: 'Who may use the gateway?',
      options: [
        { value: 'anonymous', label: 'Everyone on this machine', hint: 'it listens on 127.0.0.1 only' },
        { value: 'keys', label: 'Holders of an API key' },
      ],
    }),
  )
  if (who === 'anonymous') return 'anonymous'
  const id = answered(
    await text({
      message: 'A name for the first key',
      placeholder: 'ci',
      validate: (value = '') => keyIdFault(value),
    }),
  )
  const made: NewKey = await keyNew(id)
  note(made.key, 'The key. It is shown this once')
  return [{ id, sha256: made.sha256 }]
}
