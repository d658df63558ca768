/** One HTTP request that was let in at the door, and how a message in it becomes a frame. */
import { uniqueName } from '../lib/random.ts'
import type { Stop } from '../lib/stop.ts'
import type { Credentials, Frame } from '../pipeline/exchange.ts'
import type { Origin } from '../pipeline/parcel.ts'
import type { Notification, Request } from '../protocol/json-rpc.ts'
import type { Arrival, Departure } from './arrival.ts'

export interface Visit {
  readonly arrival: Arrival
  readonly departure: Departure
  /** The address of the sender, as far as we believe what is said of it. */
  readonly remote: string | undefined
  /** Undefined: the door to all servers. */
  readonly server: string | undefined
  readonly credentials: Credentials
  /** What lets the web page that sent this read the answer; empty for everybody else. */
  readonly cors: Readonly<Record<string, string>>
}

export function frameOf(
  visit: Visit,
  message: Request | Notification,
  origin: Omit<Origin, 'door' | 'remote'>,
  stop: Stop,
): Frame {
  const { arrival, server, remote, credentials } = visit
  return {
    exchange: uniqueName(),
    message,
    server,
    headers: arrival.headers,
    credentials,
    origin: { ...origin, door: arrival.door, remote },
    stop,
  }
}
