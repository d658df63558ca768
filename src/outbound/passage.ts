import { Stop, unlessStopped } from '../lib/stop.ts'
import type { Flow } from '../pipeline/exchange.ts'
import type { Cleared, Judgement } from '../pipeline/judge.ts'
import type { Parcel } from '../pipeline/parcel.ts'
import type { Lease } from './leases.ts'
import type { TaskOwners } from './task-owners.ts'

/** What a passage needs of its server. */
export interface Lessor {
  begin(call: Cleared, answers: readonly Cleared[], stop: Stop): Promise<{ readonly flow: Flow; readonly lease: Lease }>
  end(lease: Lease): void
  /** What a link threw, in terms of the server. */
  explained(error: unknown): unknown
  readonly underWay: Set<Stop>
  readonly tasks: TaskOwners
}

/**
 * One call on its way through a server. Written by hand where a generator would read better, because every message of
 * every server passes here: it takes a lease, hands on what the link yields, and gives the lease back, once.
 */
export class Passage implements Flow {
  readonly #server: Lessor
  readonly #call: Cleared
  readonly #answers: readonly Cleared[]
  readonly #outer: Stop
  readonly #stop = new Stop()
  readonly #relay = (): void => this.#stop.stop(this.#outer.reason)
  #begun: { readonly flow: Flow; readonly lease: Lease } | undefined
  #over = false

  constructor(server: Lessor, call: Cleared, answers: readonly Cleared[], stop: Stop) {
    this.#server = server
    this.#call = call
    this.#answers = answers
    this.#outer = stop
    stop.onStop(this.#relay)
    server.underWay.add(this.#stop)
  }

  async next(answer?: Judgement): Promise<IteratorResult<Parcel, unknown>> {
    if (this.#over) return { done: true, value: undefined }
    try {
      this.#begun ??= await this.#server.begin(this.#call, this.#answers, this.#stop)
      const { tasks } = this.#server
      const { flow } = this.#begun
      // A link that waits for something nobody can stop does not keep the call: it ends by itself, later.
      let step = await unlessStopped(this.#stop, flow.next(answer))
      while (!step.done && !tasks.mayHear(step.value)) step = await unlessStopped(this.#stop, flow.next())
      if (step.done) this.#end()
      else step.value = tasks.note(step.value)
      return step
    } catch (error) {
      void this.#begun?.flow.return()
      this.#end()
      throw this.#server.explained(error)
    }
  }

  async return(): Promise<unknown> {
    if (this.#over) return undefined
    const begun = this.#begun
    this.#end()
    return begun?.flow.return()
  }

  #end(): void {
    if (this.#over) return
    this.#over = true
    this.#outer.offStop(this.#relay)
    this.#server.underWay.delete(this.#stop)
    if (this.#begun) this.#server.end(this.#begun.lease)
  }
}
