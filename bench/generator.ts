/** The handle on the load generator's process: one command at a time, one reply each. */
import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'
import type { Command, Measured, Reply, Target } from './load.ts'

export class Generator {
  readonly #child: ChildProcess = fork(join(import.meta.dirname, 'load.ts'), { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })

  async #ask(command: Command): Promise<Reply> {
    const { promise, resolve, reject } = Promise.withResolvers<Reply>()
    const ended = () => reject(new Error('the load generator ended'))
    this.#child.once('message', resolve).once('exit', ended)
    try {
      this.#child.send(command)
      const reply = await promise
      if ('failed' in reply) throw new Error(reply.failed)
      return reply
    } finally {
      this.#child.off('message', resolve).off('exit', ended)
    }
  }

  /** Aims at a target (new connections, the session it already has) and runs it warm. */
  async warm(target: Target, seconds: number): Promise<Measured> {
    return ((await this.#ask({ do: 'warm', target, seconds })) as { measured: Measured }).measured
  }

  /** Measures the target that was warmed last. */
  async measure(seconds: number): Promise<Measured> {
    return ((await this.#ask({ do: 'measure', seconds })) as { measured: Measured }).measured
  }

  async openStreams(url: string, token: string | null, count: number): Promise<{ opened: number; refused: string | null }> {
    return (await this.#ask({ do: 'streams', url, token, count })) as { opened: number; refused: string | null }
  }

  async close(): Promise<void> {
    await this.#ask({ do: 'close' })
  }

  end(): void {
    this.#child.disconnect()
  }
}
