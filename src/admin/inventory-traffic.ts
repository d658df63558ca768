/** Hosts that servers in a sandbox reached for and were kept from, out of the audit log. */
import { existsSync } from 'node:fs'
import { search } from '../audit/search.ts'
import type { ReachedFor } from '../trust/supply/inventory-traffic.ts'

/** The latest: a server in a loop writes one a minute. */
const entriesMax = 10_000

/** Rejects where there is no log: then nobody knows what was reached for. */
export function trafficIn(log: string): readonly ReachedFor[] {
  if (!existsSync(log))
    throw Object.assign(new Error(`there is no log at ${log}`), {
      fix: 'look at traffic after the gateway has run, or leave --traffic out',
    })
  return search(log, { text: 'server.egress.refused', limit: entriesMax }).flatMap((passage) => {
    if (passage.kind !== 'operator' || passage.action !== 'server.egress.refused') return []
    const [, host, port] = /^(.+):(\d{1,5})$/.exec(passage.subject ?? '') ?? []
    // What could not be read as host and port was recorded as what it was.
    if (host === undefined || Number(port) === 0 || passage.server === undefined) return []
    return [{ host, port: Number(port), server: passage.server }]
  })
}
