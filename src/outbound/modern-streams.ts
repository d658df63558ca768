/** The standing stream of a legacy session in front of a modern server: `subscriptions/listen`, opened anew when the resources change. */
import type { Stop } from '../lib/stop.ts'
import type { Cleared } from '../pipeline/judge.ts'
import type { Parcel } from '../pipeline/parcel.ts'
import { Refusal } from '../pipeline/refusal.ts'
import { metaKeys, metaOf } from '../protocol/revisions/2026-07-28/meta.ts'
import { untimed } from './flight.ts'
import type { Parcels } from './link.ts'
import type { ModernLink } from './modern-link.ts'
import { noticeParcel } from './parcels.ts'

interface Interest {
  readonly uris: Set<string>
  /** Ends the present listening, so that another begins with the new resources. */
  renew: () => void
}

const allLists = { toolsListChanged: true, promptsListChanged: true, resourcesListChanged: true }

export class Subscriptions {
  readonly #interests = new Map<string, Interest>()

  /** `resources/subscribe` and `resources/unsubscribe` of a legacy client. */
  change(call: Parcel): void {
    const { uris, renew } = this.#interestOf(call)
    const uri = call.subject as string
    if (call.method === 'resources/subscribe') uris.add(uri)
    else uris.delete(uri)
    renew()
  }

  forget(call: Parcel): void {
    this.#interests.delete(keyOf(call))
  }

  /** Notices until the signal. A server that cannot listen leaves the stream open and silent. */
  async *stream(link: ModernLink, call: Cleared, stop: Stop): Parcels {
    const interest = this.#interestOf(call)
    while (!stop.stopped) {
      const again = new Promise<'renewed'>((resolve) => {
        interest.renew = () => resolve('renewed')
      })
      const listening = yield* this.#listen(link, call, interest, again, stop)
      if (!listening) await Promise.race([again, stopped(stop)])
    }
  }

  async *#listen(link: ModernLink, call: Cleared, interest: Interest, again: Promise<'renewed'>, stop: Stop): Parcels<boolean> {
    const notifications = { ...allLists, ...(interest.uris.size > 0 && { resourceSubscriptions: [...interest.uris] }) }
    const flight = link.fly(call, 'subscriptions/listen', { notifications }, untimed)
    const abort = (): void => flight.abort(stop.reason)
    stop.onStop(abort)
    void again.then(() => flight.abort(new Refusal('CANCELLED')))
    try {
      for (;;) {
        const message = await flight.next()
        if (message.kind === 'response') return false
        if (message.kind !== 'notification' || message.method === 'notifications/subscriptions/acknowledged') continue
        const { [metaKeys.subscriptionId]: _, ...meta } = metaOf(message.params)
        const { _meta, ...params } = message.params
        const notice = noticeParcel(call, link.options.methods, {
          ...message,
          params: Object.keys(meta).length > 0 ? { ...params, _meta: meta } : params,
        })
        if (notice) yield notice
      }
    } catch (error) {
      if (stop.stopped) throw error
      return error instanceof Refusal && error.code === 'CANCELLED'
    } finally {
      stop.offStop(abort)
      await flight.close()
    }
  }

  #interestOf(call: Parcel): Interest {
    const key = keyOf(call)
    let interest = this.#interests.get(key)
    if (!interest) this.#interests.set(key, (interest = { uris: new Set(), renew: () => undefined }))
    return interest
  }
}

const keyOf = (call: Parcel): string => `${call.principal.id}\n${call.origin.session}`

const stopped = (stop: Stop): Promise<void> => new Promise((resolve) => stop.onStop(resolve))
