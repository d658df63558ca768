/** `sekisho supply secrets`: in files, in what is about to be committed or pushed, and as a hook of git that asks before that. */
import { readFile } from 'node:fs/promises'
import { text as allOf } from 'node:stream/consumers'
import { Command, Option } from 'commander'
import { secretHooks } from '../../admin/operations/supply-secrets-hook.ts'
import { type SecretsReported, supplySecretsFound } from '../../admin/operations/supply-secrets-report.ts'
import { told } from '../problems.ts'
import { jsonLine, plain, styled, table } from '../table.ts'
import { thisProgram } from '../this-program.ts'

interface Options {
  readonly staged?: true
  readonly prePush?: true
  readonly installHook?: true
  readonly uninstallHook?: true
  readonly allow?: string
  readonly certain?: true
  readonly json?: true
}

export const supplySecrets = (): Command =>
  new Command('secrets')
    .description('secrets in files, or in what git is about to take; exit code 1 when there are any')
    .argument('[paths...]', 'what to read; with --pre-push, what git tells the hook: the remote')
    .option('--staged', 'what the next commit would add')
    .option('--pre-push', 'what a push would send; reads what git tells its hook on stdin')
    .option('--install-hook', 'look at every commit and push of this repository; with --staged or --pre-push only at that')
    .addOption(new Option('--uninstall-hook', 'take that away again').conflicts('installHook'))
    .option('--allow <file>', 'SHA-256 digests of what may stand there, one a line')
    .option('--certain', 'only what is told by its form')
    .option('--json', 'machine-readable')
    .action((paths: readonly string[], options: Options) =>
      told('', () => (options.installHook || options.uninstallHook ? hook(paths, options) : look(paths, options)), {
        json: options.json,
        exitCode: 2,
      }),
    )

/** As grep: 1 is found, and 2 that something could not be read. */
async function look(paths: readonly string[], { staged, prePush, allow, certain, json }: Options): Promise<void> {
  if (staged && (prePush || paths.length > 0)) throw new Error('--staged stands alone: it is about the next commit')
  if (!staged && !prePush && paths.length === 0) throw new Error('name what to read: paths, --staged or --pre-push')
  const what = staged
    ? ({ kind: 'staged' } as const)
    : prePush
      ? ({ kind: 'pushed', lines: await allOf(process.stdin), remote: paths[0] } as const)
      : ({ kind: 'paths', paths } as const)
  const allowed = allow === undefined ? [] : (await readFile(allow, 'utf8')).match(/^[0-9a-f]{64}\b/gm)
  const report = await supplySecretsFound(what, process.cwd(), { allowed: new Set(allowed), certain: certain === true })
  process.exitCode = report.found.length > 0 ? 1 : report.unread.length > 0 ? 2 : 0
  process.stdout.write(json ? jsonLine(report) : reportText(report, what.kind !== 'paths'))
}

async function hook(paths: readonly string[], { staged, prePush, uninstallHook, allow, certain, json }: Options): Promise<void> {
  if (paths.length > 0) throw new Error('a hook looks at what git takes; leave the paths out')
  const both = !staged && !prePush
  const hooks = [...(staged || both ? (['pre-commit'] as const) : []), ...(prePush || both ? (['pre-push'] as const) : [])]
  const done = await secretHooks(process.cwd(), hooks, {
    remove: uninstallHook === true,
    launcher: thisProgram(),
    ...{ allow, certain: certain === true },
  })
  const rows = done.map(({ hook: name, file, did, other }) => [
    styled(did === 'not there' ? 'yellow' : 'green', did),
    name,
    plain(file),
    other ? (did === 'removed' ? 'the hook that was there before is back' : 'before the hook that was there') : '',
  ])
  process.stdout.write(json ? jsonLine(done) : table(rows))
}

function reportText({ files, found, unread }: SecretsReported, isHook: boolean): string {
  const rows = found.map(({ commit, file, line, column, name, certainty, rule, sha256 }) => [
    styled('bold', plain(`${commit === undefined ? '' : `${commit.slice(0, 12)} `}${file}:${line}:${column}`)),
    styled(certainty === 'certain' ? 'red' : 'yellow', name),
    certainty,
    styled('gray', rule),
    styled('gray', sha256),
  ])
  const lost = unread.map(({ path, why }) => [styled('yellow', 'not read'), plain(path), plain(why)])
  const places = new Map(found.map(({ name, rotatedAt }) => [name, rotatedAt]))
  const rotate = [...places].map(([name, at]) => [styled('green', 'rotate'), name, at])
  const end =
    found.length === 0
      ? styled('green', 'no secrets')
      : styled('red', found.length === 1 ? '1 secret' : `${found.length} secrets`)
  const advice =
    isHook && found.length > 0
      ? 'Nothing has left this machine yet: take it out. What is none: write sekisho:allow-secret on its line, or its digest into a file for --allow.\n'
      : ''
  return `${table(rows)}${table(lost)}${table(rotate)}${end}  ${files === 1 ? '1 file' : `${files} files`}\n${advice}`
}
