/** `sekisho pins export` and `sekisho pins sign`: what is approved as a file that people review, keep in git and sign. */
import { Command } from 'commander'
import { type MadeManifest, pinsExport } from '../../admin/operations/pins-export.ts'
import { pinsSign } from '../../admin/operations/pins-sign.ts'
import { withPins } from '../../admin/with-pins.ts'
import { writeWhole } from '../../admin/write-whole.ts'
import { told } from '../problems.ts'
import { span } from '../span.ts'
import { jsonLine, plain, styled } from '../table.ts'
import { shared, type WhoseOptions, whoseOf } from './whose.ts'

interface Signing {
  readonly sign?: string
  readonly valid?: number
  readonly identity?: string
  readonly output?: string
  readonly json?: true
}

const identityHelp = 'what the server is called in it, where that is not where it stands; see `identity` of the configuration'

const signing = (command: Command): Command =>
  command
    .option('--valid <span>', 'how long the signature holds: 90d, 12h (default: until another takes its place)', span)
    .option('--identity <text>', identityHelp)
    .option('-o, --output <file>', 'write it there')

export const exportCommand = (): Command =>
  signing(
    shared('export <server>', 'write what is approved as a file to review, keep in git and sign').option(
      '--sign <key>',
      'sign it with this Ed25519 private key (PEM)',
    ),
  ).action((server: string, options: Signing & WhoseOptions) =>
    told(
      options.config,
      () =>
        withPins(whoseOf(options), async (hand) => {
          await given(await pinsExport(hand, server, signingOf(options)), options)
        }),
      options,
    ),
  )

export const signCommand = (): Command =>
  signing(
    new Command('sign')
      .description('sign a file of `sekisho pins export`, or what a server answers to tools/list')
      .argument('<file>', 'the file')
      .requiredOption('--sign <key>', 'the Ed25519 private key (PEM)')
      .option('--json', 'machine-readable'),
  ).action((file: string, options: Signing & { readonly sign: string }) =>
    told('', async () => given(await pinsSign(file, { ...signingOf(options), keyFile: options.sign }), options), options),
  )

const signingOf = ({ sign, valid, identity }: Signing) => ({ keyFile: sign, validMs: valid, identity })

/** What the scan says goes beside it: whoever signs answers for it. */
async function given({ text, manifest, key, grave }: MadeManifest, { output, json }: Signing): Promise<void> {
  for (const { severity, rule, evidence } of json ? [] : grave)
    process.stderr.write(`${styled('red', severity, process.stderr)} ${rule}: ${plain(evidence)}\n`)
  if (output === undefined) return void process.stdout.write(text)
  await writeWhole(output, text)
  const { server, identity, exp, definitions } = manifest
  const expires = exp === undefined ? undefined : new Date(exp * 1000).toISOString()
  if (json) {
    const findings = grave.map(({ rule, severity, kind, name, evidence }) => ({ rule, severity, kind, name, evidence }))
    return void process.stdout.write(
      jsonLine({ file: output, server, identity, definitions: definitions.length, key, expires, findings }),
    )
  }
  const end = expires === undefined ? '' : ` until ${expires}`
  const count = definitions.length === 1 ? '1 definition' : `${definitions.length} definitions`
  const signed = key === undefined ? 'not signed; sign it with: sekisho pins sign' : `signed with the key ${key}${end}`
  process.stdout.write(`${styled('green', 'written')}  ${plain(output)}: ${count} of ${plain(identity)}, ${signed}\n`)
}
