/** The standing stream of a legacy session in front of a modern server: `subscriptions/listen`, opened anew when the resources change. */
import { Backoff } from '../lib/backoff.ts'
import { Stop } from '../lib/stop.ts'
import type { Cleared } from '../pipeline/judge.ts'
import type { Parcel } from '../pipeline/parcel.ts'
import { Refusal } from '../pipeline/refusal.ts'
import { metaKeys, metaOf } from '../protocol/revisions/2026-07-28/meta.ts'
import { untimed } from './flight.ts'
import type { Parcels } from './link.ts'
import type { ModernLink } from './modern-link.ts'
import { noticeParcel } from './parcels.ts'
import { WireError } from './wire.ts'

interface Interest {
  readonly uris: Set<string>
  /** Ends the present listening, so that another begins with the new resources. */
  renew: () => void
}

/** An answer to our own request, and what belongs to a request, never to a standing stream. */
const notForStreams = new Set(['notifications/subscriptions/acknowledged', 'notifications/progress'])

const allLists = { toolsListChanged: true, promptsListChanged: true, resourcesListChanged: true }

const urisMax = 256
const uriCharsMax = 1024
const sessionsMax = 1000

export class Subscriptions {
  readonly #interests = new Map<string, Interest>()

  /** `resources/subscribe` and `resources/unsubscribe` of a legacy client. */
  change(call: Parcel): void {
    const { uris, renew } = this.#interestOf(call)
    const uri = call.subject as string
    if (call.method === 'resources/subscribe') {
      if (uris.size >= urisMax || uri.length > uriCharsMax)
        throw new Refusal('RATE_LIMITED', {
          detail: `at most ${urisMax} subscriptions in a session, to short addresses`,
          fix: 'Unsubscribe first.',
        })
      uris.add(uri)
    } else uris.delete(uri)
    renew()
  }

  forget(call: Parcel): void {
    this.#interests.delete(keyOf(call))
  }

  /**
   * Notices until it is stopped or the connection is gone. A listening that ends is begun again; a server that cannot
   * listen leaves the stream open and silent.
   */
  async *stream(link: ModernLink, call: Cleared, stop: Stop): Parcels {
    const interest = this.#interestOf(call)
    const backoff = new Backoff()
    let gone = false
    void link.closed.then(() => {
      gone = true
    })
    while (!stop.stopped) {
      const turn = new Stop()
      const stopped = (): void => turn.stop(stop.reason)
      interest.renew = () => turn.stop(new Refusal('CANCELLED'))
      stop.onStop(stopped)
      try {
        yield* this.#listen(link, call, interest.uris, backoff, turn)
        await backoff.wait(turn)
      } catch (error) {
        if (stop.stopped || gone) throw error
        await (isUnable(error) ? new Promise<void>((resolve) => turn.onStop(resolve)) : backoff.wait(turn))
      } finally {
        stop.offStop(stopped)
      }
    }
  }

  async *#listen(link: ModernLink, call: Cleared, uris: ReadonlySet<string>, backoff: Backoff, stop: Stop): Parcels {
    const notifications = { ...allLists, ...(uris.size > 0 && { resourceSubscriptions: [...uris] }) }
    const flight = link.fly(call, 'subscriptions/listen', { notifications }, untimed)
    flight.heed(stop)
    try {
      for (;;) {
        const message = await flight.next()
        if (message.kind === 'response' && message.body['code'] === -32601)
          throw new Refusal('UNKNOWN_METHOD', { detail: 'subscriptions/listen' })
        if (message.kind === 'response') return
        if (message.kind !== 'notification') continue
        backoff.succeeded()
        if (notForStreams.has(message.method)) continue
        const { [metaKeys.subscriptionId]: _, ...meta } = metaOf(message.params)
        const { _meta, ...params } = message.params
        const notice = noticeParcel(call, link.options.methods, {
          ...message,
          params: Object.keys(meta).length > 0 ? { ...params, _meta: meta } : params,
        })
        if (notice) yield notice
      }
    } finally {
      await flight.close()
    }
  }

  #interestOf(call: Parcel): Interest {
    const key = keyOf(call)
    let interest = this.#interests.get(key)
    if (interest) return interest
    const [oldest] = this.#interests.keys()
    if (this.#interests.size >= sessionsMax && oldest !== undefined) this.#interests.delete(oldest)
    this.#interests.set(key, (interest = { uris: new Set(), renew: () => undefined }))
    return interest
  }
}

const keyOf = (call: Parcel): string => `${call.principal.holder}\n${call.origin.session}`

/** The server has no subscriptions, which asking again does not change. */
const isUnable = (error: unknown): boolean =>
  (error instanceof Refusal && error.code === 'UNKNOWN_METHOD') || (error instanceof WireError && error.status === 405)
