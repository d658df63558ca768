/** `sekisho supply lock`: writes down, byte for byte, what may run. */
import { dirname, join, relative, resolve } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import { configuredEnquiry } from '../../admin/configured-enquiry.ts'
import { type Locked, supplyLock } from '../../admin/operations/supply-lock.ts'
import { readEnvironment } from '../../config/environment.ts'
import { loadConfig } from '../../config/load.ts'
import { told } from '../problems.ts'
import { progressLine } from '../progress.ts'
import { span } from '../span.ts'
import { jsonLine, plain, styled, table } from '../table.ts'

interface Options {
  readonly config: string
  readonly sign?: string
  readonly valid?: number
  readonly pinTls?: true
  readonly serverJson?: string
  readonly offline?: true
  readonly registry?: string
  readonly json?: true
}

export function lockCommand(): Command {
  return new Command('lock')
    .description('write what is installed for servers into sekisho.lock, and keep copies that they then run from')
    .argument('[server...]', 'only these; without any, all of them, and what has left the configuration leaves the lock')
    .option('-c, --config <file>', 'the configuration', './sekisho.yaml')
    .option('--sign <key>', 'sign it with this Ed25519 private key (PEM)')
    .option('--valid <span>', 'how long the signature holds: 90d, 12h (default: until the lock changes)', span)
    .option('--pin-tls', 'connect to remote servers, and lock the key of their certificate')
    .option('--server-json <file>', 'what the MCP registry says of the one server that is named; it has to be what is installed')
    .option('--offline', 'ask no registry; what is at hand is verified all the same')
    .option('--registry <url>', 'the registry to ask (default: npm_config_registry, or the public one)', origin)
    .option('--json', 'machine-readable')
    .action((servers: string[], options: Options) => told(options.config, () => lock(servers, options), options))
}

async function lock(
  servers: readonly string[],
  { config: file, sign, valid, pinTls, serverJson, offline, registry, json }: Options,
): Promise<void> {
  const config = await loadConfig(file, undefined, { secrets: 'leave' })
  const folder = dirname(resolve(file))
  const lockFile = config.supply.lock ?? join(folder, 'sekisho.lock')
  const { variables } = readEnvironment()
  const progress = progressLine('locking', 'packages')
  const done = await supplyLock({
    config,
    folder: dirname(lockFile),
    lockFile,
    store: config.supply.store,
    servers,
    variables,
    sign: sign === undefined ? undefined : { keyFile: sign, validMs: valid },
    enquire: configuredEnquiry({ offline: offline === true, registry, proxy: config.proxy, variables }).enquire,
    pinTls,
    serverJson,
    progress: progress.show,
  }).finally(() => progress.clear())
  process.stdout.write(
    json ? jsonLine(done) : lockedText(done, relative('', lockFile) || lockFile, config.supply.lock === undefined),
  )
}

function lockedText({ servers, removed, weaker, signed, lostSignature }: Locked, file: string, isUnused: boolean): string {
  const rows = servers.map(({ id, entry, changed, rights }) => {
    const packages = 'packages' in entry ? Object.values(entry.packages) : []
    const scripts = packages.filter(({ installScripts }) => installScripts).length
    const what =
      'package' in entry ? entry.package : entry.kind === 'image' ? entry.image : entry.kind === 'remote' ? entry.url : 'files'
    const notes = [
      packages.length > 1 ? `${packages.length} packages` : '',
      scripts > 0 ? `${scripts} with install scripts` : '',
      'platform' in entry && entry.platform !== undefined ? `only on ${entry.platform}` : '',
      rights.length > 0 ? styled('yellow', `with more of this machine: ${rights.map(plain).join(', ')}`) : '',
    ]
    return [id, changed ? styled('yellow', 'locked') : styled('gray', 'as before'), plain(what), notes.filter(Boolean).join(', ')]
  })
  const gone = removed.map((id) => [id, styled('red', 'removed'), '', ''])
  const lines = [
    ...weaker.map((one) => `${styled('yellow', 'warning')}  ${plain(one.package)}: ${plain(one.why)}`),
    `${file}: ${signed === undefined ? 'not signed' : `signed with the key ${signed}`}`,
    ...(lostSignature
      ? [`${styled('yellow', 'warning')}  it was signed before; sign it with: sekisho supply lock --sign KEY.pem`]
      : []),
    ...(isUnused ? ['the gateway does not ask for it yet; say so in the configuration: supply: { lock: sekisho.lock }'] : []),
  ]
  return `${table([...rows, ...gone])}${lines.join('\n')}\n`
}

export function origin(text: string): string {
  if (/^https?:$/.test(URL.canParse(text) ? new URL(text).protocol : '')) return text
  throw new InvalidArgumentError('It is the URL of a registry, such as https://registry.npmjs.org.')
}
