/** `sekisho pins`: what servers say of themselves, what was approved of it, and what waits for a decision. */
import { Command, Option } from 'commander'
import { type Accepted, definitionKinds, pinsAcceptServer, pinsDecide, pinsRollback } from '../admin/operations/pins-decide.ts'
import { type PinDecision, pinsHistory } from '../admin/operations/pins-history.ts'
import { type PinRow, pinsList } from '../admin/operations/pins-list.ts'
import { pinsLook } from '../admin/operations/pins-look.ts'
import { pinsReseal } from '../admin/operations/pins-reseal.ts'
import { type PinsShown, pinsShow, type VersionShown } from '../admin/operations/pins-show.ts'
import { type PinsAtHand, withPins } from '../admin/with-pins.ts'
import type { DefinitionKind } from '../trust/definition.ts'
import type { Change } from '../trust/diff.ts'
import { operator } from './operator.ts'
import { exportCommand, signCommand } from './pins/signed.ts'
import { shared, type WhoseOptions, whoseOf } from './pins/whose.ts'
import { told } from './problems.ts'
import { jsonLine, plain, type Style, styled, table } from './table.ts'

interface Options extends WhoseOptions {
  readonly all?: true
  readonly server?: true
  readonly look?: true
  readonly kind?: DefinitionKind
  readonly digest?: string
  readonly reason?: string
  readonly state?: string
}

export function pinsCommand(): Command {
  const decide = (wish: 'approve' | 'reject' | 'revoke', description: string): Command =>
    withVersion(shared(`${wish} <server> [names...]`, description))
      .option('-a, --all', wish === 'revoke' ? 'everything that is approved' : 'everything that waits for a decision')
      .action((server: string, names: string[], options: Options) => decideAbout(wish, server, names, options))
  return new Command('pins')
    .description('what servers say of themselves: see what changed, approve it or not')
    .addCommand(
      shared('list [server]', 'every name, what waits for a decision first')
        .option('-s, --state <state>', 'only these: new, approved, changed, rejected or revoked')
        .action(list),
    )
    .addCommand(
      shared('show <server> [name]', 'every version, what it changed, and what a model reads')
        .option(
          '--look',
          'ask the server first what it says of itself now, before a client may; it is started or called for that',
        )
        .action(show),
    )
    .addCommand(
      decide('approve', 'from now on this may be listed and called').option(
        '--server',
        'the server itself: it was moved, or is started in another way',
      ),
    )
    .addCommand(decide('reject', 'this is kept back for good'))
    .addCommand(decide('revoke', 'this was approved, and is no longer'))
    .addCommand(
      withKind(shared('rollback <server> <name>', 'back to the version that was approved before'))
        .option('-r, --reason <text>', 'why, for the record')
        .action(rollback),
    )
    .addCommand(shared('history <server> [name]', 'every decision, the newest first').action(history))
    .addCommand(
      shared(
        'reseal',
        'after somebody without our key has written into the store: all of it is held, and then decided about anew',
      )
        .option('-r, --reason <text>', 'why, for the record')
        .action(reseal),
    )
    .addCommand(exportCommand())
    .addCommand(signCommand())
}

const withKind = (command: Command): Command =>
  command.addOption(new Option('-k, --kind <kind>', 'where a name is of more than one kind').choices(definitionKinds))

const withVersion = (command: Command): Command =>
  withKind(command)
    .option('-d, --digest <beginning>', 'one version, by the beginning of its digest')
    .option('-r, --reason <text>', 'why, for the record')

const withHand = (options: Options, work: (hand: PinsAtHand) => Promise<{ readonly json: unknown; readonly text: string }>) =>
  told(
    options.config,
    () =>
      withPins(whoseOf(options), async (hand) => {
        const { tampered } = hand.book
        if (tampered !== undefined)
          process.stderr.write(`${styled('red', 'warning', process.stderr)} in the store, ${tampered}\n`)
        const { json, text } = await work(hand)
        process.stdout.write(options.json ? jsonLine(json) : text)
      }),
    { json: options.json },
  )

const reseal = (options: Options): Promise<void> =>
  withHand(options, async (hand) => {
    const pins = await pinsReseal(hand, operator(), options.reason)
    const held = pins.filter(({ standing }) => standing === 'held').length
    const next = 'look at them, and approve what is as it should be: sekisho pins list'
    return { json: { held, kept: pins.length - held }, text: `${styled('yellow', 'held')}  ${held} definitions; ${next}\n` }
  })
const list = (server: string | undefined, options: Options): Promise<void> =>
  withHand(options, async (hand) => {
    const rows = pinsList(hand, server).filter(({ state }) => options.state === undefined || state === options.state)
    return { json: rows, text: listText(rows) }
  })
const show = (server: string, name: string | undefined, options: Options): Promise<void> =>
  withHand(options, async (hand) => {
    const shown = pinsShow(options.look ? await pinsLook(hand, server, operator()) : hand, server, name)
    return { json: shown, text: shownText(shown, name !== undefined) }
  })
const decideAbout = (wish: 'approve' | 'reject' | 'revoke', server: string, names: string[], options: Options): Promise<void> =>
  withHand(options, async (hand) => {
    const { kind, digest, reason, all } = options
    if (wish === 'approve' && options.server === true) {
      const accepted = await pinsAcceptServer(hand, server, operator(), reason)
      return { json: { server, ...accepted }, text: acceptedText(server, accepted) + (accepted.isProposed ? somebodyElse : '') }
    }
    const by = operator()
    const { pins, accepted } = await pinsDecide(hand, { server, wish, names, all: all === true, kind, digest, by, reason })
    const lines = pins.map((pin) => [mark(pin.standing), pin.kind, plain(pin.name), styled('gray', pin.digest.slice(0, 12))])
    const isProposed = accepted?.isProposed === true || pins.some(({ standing }) => standing === 'proposed')
    const waits = isProposed ? somebodyElse : all === true && wish === 'revoke' ? revokedText(server, pins.length) : ''
    const json = [...(accepted ? [{ kind: 'server', server, ...accepted }] : []), ...pins.map(({ text: _, ...pin }) => pin)]
    return { json, text: (accepted ? acceptedText(server, accepted) : '') + table(lines) + waits }
  })
const somebodyElse = 'somebody else has to approve it now\n'
const revokedText = (server: string, count: number): string =>
  `${count === 1 ? '1 approval' : `${count} approvals`} of ${server} ${count === 1 ? 'was' : 'were'} taken back; nothing of it may be called\n`
function acceptedText(server: string, { before, now, isProposed }: Accepted): string {
  const was = before === undefined ? '' : `, which was ${plain(before)}`
  return `${mark(isProposed ? 'proposed' : 'approved')}  ${server} is ${plain(now)}${was}\n`
}
const rollback = (server: string, name: string, options: Options): Promise<void> =>
  withHand(options, async (hand) => {
    const { text: _, ...before } = await pinsRollback(hand, {
      server,
      name,
      kind: options.kind,
      by: operator(),
      reason: options.reason,
    })
    return {
      json: before,
      text: `${styled('green', 'approved')}  ${plain(name)} is again ${before.digest.slice(0, 12)}, of ${new Date(before.seenAt).toISOString()}\n`,
    }
  })
const history = (server: string, name: string | undefined, options: Options): Promise<void> =>
  withHand(options, async (hand) => {
    const rows = await pinsHistory(hand, server, name)
    return { json: rows, text: historyText(rows) }
  })

const styles: Readonly<Record<string, Style>> = {
  approved: 'green',
  changed: 'red',
  held: 'yellow',
  new: 'yellow',
  proposed: 'yellow',
  rejected: 'gray',
  revoked: 'gray',
}
const mark = (state: string): string => styled(styles[state] ?? 'bold', state)
const titles = (...words: readonly string[]): readonly string[] => words.map((word) => styled('bold', word))

function listText(rows: readonly PinRow[]): string {
  if (rows.length === 0) return 'nothing: no server has been listed through the gateway yet\n'
  const cells = rows.map((row) => [
    mark(row.state),
    row.server,
    row.kind,
    plain(row.name),
    `${row.versions}`,
    styled('gray', row.at),
    plain(row.by),
    plain(row.reason),
  ])
  return table([titles('STATE', 'SERVER', 'KIND', 'NAME', 'VERSIONS', 'AT', 'BY', 'REASON'), ...cells])
}

function historyText(rows: readonly PinDecision[]): string {
  if (rows.length === 0) return 'nothing was decided yet\n'
  const cells = rows.map(({ at, standing, kind, name, digest, by, reason }) => [
    styled('gray', at),
    mark(standing),
    kind,
    plain(name),
    styled('gray', digest.slice(0, 12)),
    plain(by),
    plain(reason),
  ])
  return table([titles('AT', 'DECISION', 'KIND', 'NAME', 'VERSION', 'BY', 'REASON'), ...cells])
}

function shownText({ server, identity, configured, manifest, versions }: PinsShown, isWhole: boolean): string {
  const signed = manifest
    ? `${manifest.counts ? styled('green', 'manifest') : styled('red', 'manifest refused')}  ${plain(manifest.says)}\n`
    : ''
  const isMoved = identity !== undefined && configured !== undefined && identity !== configured
  const moved = isMoved ? movedText(server, identity, configured) : ''
  const some = isWhole ? versions : versions.filter(({ standing }) => standing === 'held' || standing === 'proposed')
  if (some.length === 0)
    return `${signed}${moved}nothing of ${server} waits for a decision; ${versions.length} versions are known\n`
  return signed + moved + some.map((version) => versionText(version, server, isWhole)).join('\n')
}

const movedText = (server: string, before: string, now: string): string =>
  `${styled('red', 'changed')}  the server was ${plain(before)}, and is ${plain(now)} now\n` +
  `  to see what it says of itself, before anybody may call it: sekisho pins show ${server} --look\n` +
  `  to take it for the same, and with it all that waits: sekisho pins approve ${server} --all\n`

const gradeStyles = { high: 'red', medium: 'yellow', low: 'cyan', cosmetic: 'gray' } as const

function versionText(version: VersionShown, server: string, isWhole: boolean): string {
  const { kind, name, digest, standing, by, seenAt, reason, changes, findings, definition } = version
  const head = `${mark(standing)}  ${styled('bold', `${kind} ${plain(name)}`)}  ${styled('gray', `${digest.slice(0, 12)}  seen ${seenAt}`)}`
  const why = `  by ${plain(by)}${reason === '' ? '' : `: ${plain(reason)}`}`
  const found = findings.filter((one) => !reason.includes(one)).map((one) => [styled('red', 'scan'), plain(one)])
  const lines = [...found, ...(changes?.flatMap(changeLines) ?? [])]
  const diff = lines.length === 0 ? '' : table(lines, '  ')
  const body = isWhole ? `${indented(JSON.stringify(definition, undefined, 2))}\n` : ''
  const isWaiting = standing === 'held' || standing === 'proposed'
  const next = isWaiting
    ? `  sekisho pins approve ${server} ${quoted(name)}   or: sekisho pins reject ${server} ${quoted(name)}\n`
    : ''
  return `${head}\n${why}\n${diff}${body}${next}`
}
const changeLines = ({ grade, says, was, now }: Change): readonly (readonly string[])[] => [
  [styled(gradeStyles[grade], grade), plain(says)],
  ...(was === undefined ? [] : [['', styled('red', `- ${oneLine(was)}`)]]),
  ...(now === undefined ? [] : [['', styled('green', `+ ${oneLine(now)}`)]]),
]
const oneLine = (text: string): string => visible(text.replace(/[\n\r\t]+/g, ' '))
const quoted = (name: string): string => (/^[\w.:/-]+$/.test(name) ? name : `'${plain(name).replaceAll("'", '?')}'`)
/** What a model reads, with whatever cannot be seen made visible. */
const indented = (text: string): string =>
  text
    .split('\n')
    .map((line) => `    ${visible(line)}`)
    .join('\n')
const visible = (line: string): string =>
  line.replace(/[\p{Cf}\p{Cc}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/gu, (sign) =>
    styled('red', `⟦U+${(sign.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}⟧`),
  )
