/**
 * A standing stream of a server, and on it what the gateway has to say itself: that a list is another one now for whoever reads it
 * here, because somebody has decided about it, though the server has changed nothing. A client that keeps lists would not ask again.
 */
import { Queue } from '../lib/queue.ts'
import type { Flow } from '../pipeline/exchange.ts'
import type { Judgement } from '../pipeline/judge.ts'
import type { Parcel } from '../pipeline/parcel.ts'
import { isObject } from '../protocol/json-rpc.ts'
import type { MethodTable } from '../protocol/methods.ts'
import { noticeParcel } from './parcels.ts'

/** `notifications/tools/list_changed` and its like. */
export type ListChanged = `notifications/${'tools' | 'prompts' | 'resources'}/list_changed`

/** More than there are kinds of lists is never waiting: the same said twice is said once. */
const waitingMax = 3

export class Announcements {
  readonly #streams = new Set<Queue<ListChanged>>()

  tell(changed: ListChanged): void {
    for (const stream of this.#streams) if (stream.weight < waitingMax) stream.push(changed, 1)
  }

  /** `flow`: of a call that opens a standing stream. */
  on(flow: Flow, call: Parcel, methods: MethodTable): Flow {
    const queue: Queue<ListChanged> = new Queue(() => this.#streams.delete(queue))
    this.#streams.add(queue)
    return new Announced(flow, queue, call, methods)
  }
}

type Step = IteratorResult<Parcel, unknown>

class Announced implements Flow {
  readonly #flow: Flow
  readonly #queue: Queue<ListChanged>
  readonly #call: Parcel
  readonly #methods: MethodTable
  /** What a modern client was promised (2026-07-28, Subscriptions); a legacy client is told everything. */
  #honoured: unknown
  #theirs: Promise<Step> | undefined
  #ours: Promise<IteratorResult<ListChanged, undefined>> | undefined

  constructor(flow: Flow, queue: Queue<ListChanged>, call: Parcel, methods: MethodTable) {
    this.#flow = flow
    this.#queue = queue
    this.#call = call
    this.#methods = methods
  }

  async next(answer?: Judgement): Promise<Step> {
    if (this.#theirs === undefined) {
      this.#theirs = this.#flow.next(answer)
      this.#theirs.catch(() => this.#queue.return())
    }
    for (;;) {
      this.#ours ??= this.#queue.next()
      const first = await Promise.race([this.#theirs.then((step) => ({ step })), this.#ours.then(({ value }) => ({ value }))])
      if ('step' in first) return this.#passed(first.step)
      this.#ours = undefined
      if (first.value === undefined) return this.#passed(await this.#theirs)
      const notice =
        this.#mayHear(first.value) &&
        noticeParcel(this.#call, this.#methods, { kind: 'notification', method: first.value, params: {} })
      if (notice) return { done: false, value: notice }
    }
  }

  async return(): Promise<unknown> {
    await this.#queue.return()
    return this.#flow.return()
  }

  #passed(step: Step): Step {
    this.#theirs = undefined
    if (step.done) void this.#queue.return()
    else if (step.value.method === 'notifications/subscriptions/acknowledged') this.#honoured = step.value.body['notifications']
    return step
  }

  #mayHear(changed: ListChanged): boolean {
    if (this.#call.origin.era === 'legacy') return true
    const field = changed.replace(/^notifications\/(\w+)\/list_changed$/, '$1ListChanged')
    return isObject(this.#honoured) && this.#honoured[field] === true
  }
}
