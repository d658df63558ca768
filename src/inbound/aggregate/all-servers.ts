/**
 * The door to all servers: one message becomes one corridor for each server it concerns, and their answers one answer.
 * Every server is asked in its own exchange, with its own decision and its own record; a server that fails or refuses is
 * missing from a list, and the others are there.
 */

import { charsOf } from '../../lib/chars.ts'
import { uniqueName } from '../../lib/random.ts'
import { inTime, Stop, unlessStopped } from '../../lib/stop.ts'
import type { JsonObject } from '../../lib/strict-json.ts'
import { type Frame, type Reply, silent } from '../../pipeline/exchange.ts'
import { type Cleared, rewritten } from '../../pipeline/judge.ts'
import type { Parcel } from '../../pipeline/parcel.ts'
import { asRefusal, Refusal } from '../../pipeline/refusal.ts'
import type { Method, MethodTable } from '../../protocol/methods.ts'
import { modern } from '../../protocol/revisions/index.ts'
import { addressed } from './address.ts'
import { mergedHandshake, mergedList, type Part } from './merge.ts'
import { Names } from './names.ts'
import type { List } from './places.ts'
import { renamed } from './rename.ts'
import { Acknowledgement, subscription } from './subscription.ts'

export interface AllServersOptions {
  readonly methods: MethodTable
  /** Of all pages of one server's list together; a server that has more to say is left out. */
  readonly listCharsMax: number
  /** The servers that the sender of this frame may use at all; throws UNAUTHENTICATED. */
  reachable(frame: Frame): Promise<readonly string[]> | readonly string[]
  /** The corridor. */
  pass(frame: Frame, reply: Reply): Promise<void>
}

const pagesMax = 100
/** `tasks/list` is a list for nobody but us: who may see a task is not policy's to decide (outbound/task-owners.ts). */
const tasks: List = { items: 'tasks', key: 'taskId', concerns: 'task' }
/** How long one server may keep the others' lists waiting, and how much of that its question to the client may take. */
const patienceMs = 10_000
const answerMsMax = 5000

export class AllServers {
  readonly #options: AllServersOptions
  readonly #names = new Names()

  constructor(options: AllServersOptions) {
    this.#options = options
  }

  async pass(frame: Frame, reply: Reply): Promise<void> {
    const row = this.#options.methods(frame.message.method)
    // Refused there, in writing and to the sender, and not once for each server and to nobody.
    if (row === undefined || (row.reply === undefined && frame.message.kind === 'request'))
      return this.#options.pass(frame, reply)
    const whole = new Stop()
    try {
      await this.#spread({ ...frame, whole }, reply, row)
    } catch (error) {
      await this.#options.pass({ ...frame, fault: asRefusal(error) }, reply)
    } finally {
      whole.stop('answered')
    }
  }

  async #spread(frame: Frame, reply: Reply, row: Method): Promise<void> {
    if (row.subject) {
      const { server, params } = addressed(this.#names, row, frame.message.params)
      return this.#options.pass(sub(frame, server, params), this.#prefixing(server, reply))
    }
    const servers = await this.#options.reachable(frame)
    if (servers.length === 0) throw new Refusal('POLICY_DENIED', { detail: 'any server', fix: 'Ask your operator for a role.' })
    const list = frame.message.method === 'tasks/list' ? tasks : row.list
    if (list) return this.#list(frame, reply, servers, list)
    if (row.reply === 'catalog') return this.#handshake(frame, reply, servers)
    if (row.reply === undefined) return this.#everyone(frame, servers)
    if (frame.message.method === 'subscriptions/listen' || frame.act) return this.#stream(frame, reply, servers)
    return this.#first(frame, reply, servers)
  }

  async #list(frame: Frame, reply: Reply, servers: readonly string[], list: List): Promise<void> {
    if (frame.message.params['cursor'] !== undefined)
      throw new Refusal('INVALID_PARAMS', { detail: 'the cursor is none of ours: this list comes whole' })
    const gathered = await fewAtATime(servers, (server) => soon(frame, (own) => this.#pages(own, reply, server)))
    const parts = gathered.flatMap(({ parts }) => parts)
    const cleared = gathered.find(({ last }) => last)?.last
    if (!cleared) throw gathered[0]?.refusal ?? new Refusal('INTERNAL')
    await reply.deliver(
      rewritten(cleared, { member: 'result', body: mergedList(this.#names, list, parts, frame.origin.era === 'modern') }),
    )
  }

  /** All pages of one server. A server without such a list (an error) contributes none. */
  async #pages(frame: Frame, reply: Reply, server: string): Promise<{ parts: Part[]; last?: Cleared; refusal?: Refusal }> {
    const parts: Part[] = []
    let last: Cleared | undefined
    let cursor: unknown
    let chars = 0
    for (let page = 0; page < pagesMax; page++) {
      const params = cursor === undefined ? frame.message.params : { ...frame.message.params, cursor: cursor as string }
      const { result, refusal } = await this.#ask(sub(frame, server, params), reply)
      if (refusal) return { parts, refusal, ...(last && { last }) }
      last = result ?? last
      if (result?.member !== 'result') break
      chars += charsOf(result.body, this.#options.listCharsMax)
      if (chars > this.#options.listCharsMax)
        return { parts: [], refusal: new Refusal('RESULT_TOO_LARGE', { detail: this.#options.listCharsMax }) }
      parts.push({ server, body: result.body })
      cursor = result.body['nextCursor']
      if (cursor === undefined) break
    }
    return { parts, ...(last && { last }) }
  }

  async #handshake(frame: Frame, reply: Reply, servers: readonly string[]): Promise<void> {
    const answers = await fewAtATime(servers, (server) =>
      soon(frame, async (own) => ({ server, ...(await this.#ask(sub(own, server), reply)) })),
    )
    const good = answers.filter(({ result }) => result?.member === 'result')
    const cleared = good[0]?.result
    if (!cleared)
      throw (
        answers.find(({ refusal }) => refusal)?.refusal ?? new Refusal('UPSTREAM_UNAVAILABLE', { detail: servers.join('", "') })
      )
    const parts = good.map(({ server, result }) => ({ server, body: result?.body ?? {} }))
    const modernEra = frame.origin.era === 'modern'
    const body = mergedHandshake(parts, modernEra ? modern.version : frame.origin.version, modernEra)
    await reply.deliver(rewritten(cleared, { body }))
  }

  async #everyone(frame: Frame, servers: readonly string[]): Promise<void> {
    await fewAtATime(servers, (server) => this.#options.pass(sub(frame, server), silent))
  }

  /** A request that concerns every server alike (`ping`, `logging/setLevel`): the first answer is the answer. */
  async #first(frame: Frame, reply: Reply, servers: readonly string[]): Promise<void> {
    const answers = await fewAtATime(servers, (server) => soon(frame, (own) => this.#ask(sub(own, server), reply)))
    const result =
      answers.find((answer) => answer.result?.member === 'result')?.result ?? answers.find((answer) => answer.result)?.result
    if (result) await reply.deliver(result)
    else throw answers[0]?.refusal ?? new Refusal('INTERNAL')
  }

  /** Standing streams of all servers in one. A modern one is acknowledged once, with what any server honours. */
  async #stream(frame: Frame, reply: Reply, servers: readonly string[]): Promise<void> {
    const acknowledging =
      frame.message.method === 'subscriptions/listen' ? new Acknowledgement(servers.length, reply, this.#names) : undefined
    let end: Cleared | undefined
    let refused: Refusal | undefined
    const streams = servers.map(async (server) => {
      const inner = this.#prefixing(server, reply)
      /** It has acknowledged, or never will: each server says so once, and before that its notices are left out. */
      let spoken = acknowledging === undefined
      const speak = (parcel?: Cleared): Promise<Parcel | undefined> | undefined => {
        if (spoken) return undefined
        spoken = true
        return acknowledging?.add(server, parcel)
      }
      await this.#options.pass(sub(frame, server, subscription(this.#names, server, frame.message.params)), {
        deliver: (parcel) => {
          if (acknowledging && parcel.method === 'notifications/subscriptions/acknowledged') return speak(parcel)
          if (parcel.leg === 'result') {
            end = parcel
            return speak()
          }
          if (!spoken) return undefined
          return acknowledging?.sent === false ? acknowledging.done.then(() => inner.deliver(parcel)) : inner.deliver(parcel)
        },
        refuse: (refusal) => {
          refused ??= refusal
          void speak()
        },
      })
    })
    await Promise.all(streams)
    acknowledging?.close()
    if (end) await reply.deliver(end)
    else if (!frame.stop.stopped) reply.refuse(refused ?? new Refusal('UPSTREAM_UNAVAILABLE', { detail: servers.join('", "') }))
  }

  /** One server's part of an answer. What it asks meanwhile is put to a client that can answer at once; lists have no `input_required`. */
  async #ask(frame: Frame, reply: Reply): Promise<{ result?: Cleared; refusal?: Refusal }> {
    const answer: { result?: Cleared; refusal?: Refusal } = {}
    await this.#options.pass(frame, {
      deliver: (parcel) => {
        if (parcel.leg === 'ask' && frame.origin.era === 'legacy')
          return answered(frame, this.#prefixing(frame.server ?? '', reply).deliver(parcel))
        if (parcel.leg === 'result' || parcel.leg === 'catalog') answer.result = parcel
        return undefined
      },
      refuse: (refusal) => {
        answer.refusal = refusal
      },
    })
    return answer
  }

  #prefixing(server: string, reply: Reply): Reply {
    return {
      deliver: (parcel) => reply.deliver(renamed(this.#names, server, parcel)),
      refuse: (refusal) => reply.refuse(refusal),
    }
  }
}

const sub = (frame: Frame, server: string, params: JsonObject = frame.message.params): Frame => ({
  ...frame,
  exchange: uniqueName(),
  server,
  message: { ...frame.message, params },
})

/** How many servers are asked at the same time for one message. */
const atATime = 16

/** What `run` gives for each, in order. */
async function fewAtATime<T, R>(items: readonly T[], run: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  const left = items.entries()
  const work = async (): Promise<void> => {
    for (const [at, item] of left) results[at] = await run(item)
  }
  await Promise.all(Array.from({ length: atATime }, work))
  return results
}

const soon = <T>(frame: Frame, run: (frame: Frame) => Promise<T>): Promise<T> =>
  inTime(
    patienceMs,
    () => new Refusal('UPSTREAM_TIMEOUT', { detail: patienceMs }),
    (stop) => run({ ...frame, stop }),
    frame.stop,
  )
/** Undefined when the client takes too long: the server is told so, and can finish its part. */
const answered = (frame: Frame, answer: ReturnType<Reply['deliver']>): ReturnType<Reply['deliver']> =>
  answer &&
  inTime(
    answerMsMax,
    () => new Refusal('CANCELLED'),
    (stop) => unlessStopped(stop, answer),
    frame.stop,
  ).catch(() => undefined)
