import { resolve } from 'node:path'
import { gitIn } from '../../outbound/git/git.ts'
import { type HookDone, type HookName, hooksFolder, installHook, uninstallHook } from '../git/hook.ts'

export interface HookOptions {
  readonly remove: boolean
  /** What starts this program. */
  readonly launcher: readonly string[]
  readonly allow: string | undefined
  readonly certain: boolean
}

/** Puts the look for secrets before what a repository's hooks do, or takes it away. Whatever else stands there stays as it is. */
export async function secretHooks(
  folder: string,
  hooks: readonly HookName[],
  { remove, launcher, allow, certain }: HookOptions,
): Promise<readonly HookDone[]> {
  const at = await hooksFolder(gitIn(folder), folder)
  const options = [...(certain ? ['--certain'] : []), ...(allow === undefined ? [] : ['--allow', resolve(folder, allow)])]
  const words = { 'pre-commit': '--staged', 'pre-push': '--pre-push' } as const
  return hooks.map((hook) =>
    remove ? uninstallHook(at, hook) : installHook(at, hook, [...launcher, 'supply', 'secrets', words[hook], ...options]),
  )
}
