/**
 * Our line in a hook of git, before whatever stood there. The hook that was there is kept beside ours under another name, as it is, and
 * is run after it; taking ours away puts it back, byte for byte. Only in a folder of this repository alone: a folder of hooks that is
 * shared or committed belongs to others.
 */
import { createHash } from 'node:crypto'
import { chmodSync, existsSync, lstatSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import type { Git } from '../../outbound/git/git.ts'

export const hookNames = ['pre-commit', 'pre-push'] as const
export type HookName = (typeof hookNames)[number]

export interface HookDone {
  readonly hook: HookName
  readonly file: string
  readonly did: 'installed' | 'updated' | 'already there' | 'removed' | 'not there'
  /** Whether a hook of somebody else runs after ours, or was put back. */
  readonly other: boolean
}

const keptAs = (file: string): string => `${file}.before-sekisho`
const mark = '# sekisho-hook '
const title =
  '# Looks for secrets. Written by: sekisho supply secrets --install-hook; taken away by: --uninstall-hook. Do not edit.\n'

/** Throws where hooks are not of this repository alone, before anything is changed. */
export async function hooksFolder(git: Git, folder: string): Promise<string> {
  const ask = async (what: readonly string[]): Promise<string> =>
    resolve(folder, (await git(['rev-parse', ...what])).toString('utf8').replace(/\r?\n$/, ''))
  const [hooks, own] = [await ask(['--git-path', 'hooks']), await ask(['--git-common-dir'])]
  if (relative(own, hooks) === 'hooks') return hooks
  throw refused(
    `the hooks of this repository are in ${hooks}, which is not of this repository alone`,
    'write "sekisho supply secrets --staged" into its pre-commit by hand, and "sekisho supply secrets --pre-push" into its pre-push',
  )
}

/** `command`: what starts this program, and its words. */
export function installHook(hooks: string, hook: HookName, command: readonly string[]): HookDone {
  const file = join(hooks, hook)
  const kept = keptAs(file)
  const text = hookText(hook, command)
  const before = ours(file)
  if (before === 'edited') throw edited(file)
  if (before === 'another' && lstat(kept) !== undefined)
    throw refused(
      `${kept} is there already, and ${file} is not ours`,
      'look at both, and put together by hand what belongs together',
    )
  if (before !== 'another' && before !== 'none' && before === text)
    return { hook, file, did: 'already there', other: existsSync(kept) }
  mkdirSync(hooks, { recursive: true })
  const fresh = `${file}.sekisho-new`
  writeFileSync(fresh, text, { mode: 0o755 })
  chmodSync(fresh, 0o755)
  if (before === 'another') renameSync(file, kept)
  renameSync(fresh, file)
  return {
    hook,
    file,
    did: before === 'none' || before === 'another' ? 'installed' : 'updated',
    other: lstat(kept) !== undefined,
  }
}

export function uninstallHook(hooks: string, hook: HookName): HookDone {
  const file = join(hooks, hook)
  const kept = keptAs(file)
  const other = lstat(kept) !== undefined
  const before = ours(file)
  if (before === 'edited') throw edited(file)
  if (before === 'another') return { hook, file, did: 'not there', other: true }
  // Also where a change stopped half way, and only the other's is left under our name for it.
  if (other) renameSync(kept, file)
  else if (before !== 'none') rmSync(file)
  return { hook, file, did: before === 'none' && !other ? 'not there' : 'removed', other }
}

const lstat = (file: string) => lstatSync(file, { throwIfNoEntry: false })

/** Our own text; `edited` where others have changed it since. */
function ours(file: string): string | 'none' | 'another' | 'edited' {
  const stat = lstat(file)
  if (stat === undefined) return 'none'
  if (!stat.isFile()) return 'another'
  const text = readFileSync(file, 'utf8')
  const [, digest, body = ''] = new RegExp(`^#!/bin/sh\\n${mark}([0-9a-f]{64})\\n([\\s\\S]*)$`).exec(text) ?? []
  if (digest === undefined) return text.includes(mark) ? 'edited' : 'another'
  return digest === digestOf(body) ? text : 'edited'
}

const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex')
const refused = (why: string, fix: string): Error => Object.assign(new Error(why), { fix })
const edited = (file: string): Error =>
  refused(
    `${file} is ours, and was edited since`,
    `take our lines out by hand; what was there before is ${keptAs(file)}, if there was any`,
  )

const word = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`

/** POSIX shell. What git writes to `pre-push` is read by ours and by the other, to the byte; a hook that may not be run is none. */
function hookText(hook: HookName, command: readonly string[]): string {
  const run = command.map(word).join(' ')
  const next = '"$0.before-sekisho"'
  const lines =
    hook === 'pre-commit'
      ? [`${run} </dev/null || exit $?`, `[ ! -x ${next} ] || exec ${next} "$@"`]
      : [
          'lines=$(cat; printf x)',
          `printf %s "\${lines%x}" | ${run} -- "$@" || exit $?`,
          `[ ! -x ${next} ] || printf %s "\${lines%x}" | ${next} "$@"`,
        ]
  const body = `${title}${lines.join('\n')}\n`
  return `#!/bin/sh\n${mark}${digestOf(body)}\n${body}`
}
