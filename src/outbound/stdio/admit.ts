/**
 * Asked before every start of a local server: may it be started, and as what? Whoever answers may put a verified copy in place of the
 * command, and look once more when the program has loaded and says its first word.
 */
import type { Readable } from 'node:stream'
import type { SpawnOptions } from './spawn.ts'

/** Throws a Refusal. Undefined: as it is. */
export type Admit = (server: string, asked: SpawnOptions) => Promise<Admitted | undefined>

export interface Admitted {
  readonly command: readonly string[]
  /** Put over the environment of the child. */
  readonly env: Readonly<Record<string, string>>
  /** Rejects with a Refusal for what was touched while it started. */
  confirm(): Promise<void>
}

/** Hands on what a child says; its first word only after `confirm`, and nothing when that rejects. */
export function heard(
  stream: Readable,
  confirm: (() => Promise<void>) | undefined,
  each: (chunk: Buffer) => void,
  refused: (reason: unknown) => void,
): void {
  if (confirm === undefined) return void stream.on('data', each)
  stream.once('data', (first: Buffer) => {
    stream.pause()
    confirm().then(
      () => {
        each(first)
        stream.on('data', each)
        stream.resume()
      },
      (reason) => {
        refused(reason)
        stream.resume()
      },
    )
  })
}
