/**
 * A legacy server's standing stream: for a legacy client as it is, for a modern client's `subscriptions/listen` as an
 * acknowledged, filtered stream with `resources/subscribe` behind it.
 */
import type { Stop } from '../lib/stop.ts'
import type { JsonObject } from '../lib/strict-json.ts'
import type { Cleared } from '../pipeline/judge.ts'
import { Refusal } from '../pipeline/refusal.ts'
import { isObject, type Notification, textOf } from '../protocol/json-rpc.ts'
import type { LegacyLink } from './legacy-link.ts'
import type { Parcels } from './link.ts'
import { noticeParcel, replyParcel } from './parcels.ts'

export function legacyStream(link: LegacyLink, call: Cleared, initialized: JsonObject, stop: Stop): Parcels {
  return call.origin.era === 'legacy' ? relayed(link, call, stop) : listened(link, call, initialized, stop)
}

async function* relayed(link: LegacyLink, call: Cleared, stop: Stop): Parcels {
  for await (const message of await link.events(stop)) {
    if (message.kind === 'notification') {
      if (message.method === 'notifications/progress') continue // belongs to a request, never to a standing stream
      const notice = noticeParcel(call, link.options.methods, message)
      if (notice) yield notice
    } else if (message.kind === 'request') {
      const ask = await link.question(call, message)
      if (ask) await link.answer(message.id, yield ask)
    }
  }
}

/** Which filter field lets a notice through (2026-07-28, Subscriptions, Notification Filter). */
const wantedBy: Readonly<Record<string, string>> = {
  'notifications/tools/list_changed': 'toolsListChanged',
  'notifications/prompts/list_changed': 'promptsListChanged',
  'notifications/resources/list_changed': 'resourcesListChanged',
}

const urisMax = 256

async function* listened(link: LegacyLink, call: Cleared, initialized: JsonObject, stop: Stop): Parcels {
  const { methods } = link.options
  const honoured = honour(call.body['notifications'], initialized['capabilities'])
  const uris = honoured['resourceSubscriptions'] as readonly string[] | undefined
  if (uris && uris.length > urisMax)
    throw new Refusal('INVALID_PARAMS', { detail: `"resourceSubscriptions" has more than ${urisMax} addresses` })
  const events = await link.events(stop)
  try {
    for (const uri of uris ?? []) {
      if (stop.stopped) return
      await link.follow(uri, call)
    }
    const params = { notifications: honoured }
    const acknowledged = noticeParcel(call, methods, {
      kind: 'notification',
      method: 'notifications/subscriptions/acknowledged',
      params,
    })
    if (acknowledged) yield acknowledged
    for await (const message of events) {
      if (message.kind === 'request') await link.answer(message.id, undefined)
      if (message.kind !== 'notification' || !wants(honoured, uris, message)) continue
      const notice = noticeParcel(call, methods, message)
      if (notice) yield notice
    }
    yield replyParcel(call, methods, 'result', { resultType: 'complete' })
  } finally {
    await events.return()
    await link.unfollow(call)
  }
}

function wants(honoured: JsonObject, uris: readonly string[] | undefined, { method, params }: Notification): boolean {
  if (method === 'notifications/resources/updated') return uris?.includes(textOf(params['uri'])) ?? false
  const field = wantedBy[method]
  return field !== undefined && honoured[field] === true
}

/** The subset of the filter that a legacy server with these capabilities can serve. */
function honour(filter: unknown, capabilities: unknown): JsonObject {
  const asked = isObject(filter) ? filter : {}
  const has = (group: string, feature: string): boolean => {
    const offered = isObject(capabilities) ? capabilities[group] : undefined
    return isObject(offered) && offered[feature] === true
  }
  const uris = asked['resourceSubscriptions']
  return {
    ...(asked['toolsListChanged'] === true && has('tools', 'listChanged') && { toolsListChanged: true }),
    ...(asked['promptsListChanged'] === true && has('prompts', 'listChanged') && { promptsListChanged: true }),
    ...(asked['resourcesListChanged'] === true && has('resources', 'listChanged') && { resourcesListChanged: true }),
    ...(Array.isArray(uris) &&
      has('resources', 'subscribe') && { resourceSubscriptions: uris.filter((uri) => typeof uri === 'string') }),
  }
}
