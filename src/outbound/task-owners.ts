/**
 * Whose task is it? A task id is a handle that the server mints (SEP-2663), and possession of it is no authentication: what
 * one principal was given, no other may ask for (CVE-2026-52870). Kept in this process, for the latest tasks; an id that
 * nobody was given here is the server's to judge.
 */

import type { Parcel } from '../pipeline/parcel.ts'
import { Refusal } from '../pipeline/refusal.ts'
import { isObject } from '../protocol/json-rpc.ts'

const ownersMax = 100_000

export class TaskOwners {
  readonly #owners = new Map<string, string>()

  /** Throws INVALID_PARAMS, as for a task that does not exist. */
  admit({ concerns, subject, principal }: Parcel): void {
    if (concerns !== 'task' || subject === undefined) return
    const owner = this.#owners.get(subject)
    if (owner !== undefined && owner !== principal.id) throw new Refusal('INVALID_PARAMS', { detail: 'there is no such task' })
  }

  /** Notes the task that a result speaks of, under whoever it goes to; the first keeps it. */
  note({ member, body, principal }: Parcel): void {
    if (member !== 'result') return
    const task = isObject(body['task']) ? body['task'] : body
    const id = task['taskId']
    if (typeof id !== 'string' || this.#owners.has(id)) return
    const [oldest] = this.#owners.keys()
    if (this.#owners.size >= ownersMax && oldest !== undefined) this.#owners.delete(oldest)
    this.#owners.set(id, principal.id)
  }
}
