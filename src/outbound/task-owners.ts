/**
 * Whose task is it? A task id is a handle that the server mints (SEP-2663), and possession of it is no authentication: what
 * one principal was given, no other may ask for (CVE-2026-52870). Kept in this process, for the latest tasks; an id that
 * nobody was given here is the server's to judge.
 */

import { hash } from 'node:crypto'
import type { JsonObject } from '../lib/strict-json.ts'
import { type Parcel, type Principal, sealed } from '../pipeline/parcel.ts'
import { Refusal } from '../pipeline/refusal.ts'
import { isObject } from '../protocol/json-rpc.ts'

const ownersMax = 100_000
const idCharsMax = 128
/** A server may choose ids of any length; a long one is kept as its digest. */
const keyOf = (id: string): string => (id.length <= idCharsMax ? id : hash('sha256', id, 'hex'))

export class TaskOwners {
  readonly #owners = new Map<string, string>()

  /** Throws INVALID_PARAMS, as for a task that does not exist. */
  admit({ concerns, subject, body, principal }: Parcel): void {
    const asked = concerns === 'task' ? [subject] : listened(body)
    if (asked.some((id) => this.#isAnothers(id, principal)))
      throw new Refusal('INVALID_PARAMS', { detail: 'there is no such task' })
  }

  /** False for a notice of a task that somebody else was given. */
  mayHear({ leg, concerns, subject, principal }: Parcel): boolean {
    return leg !== 'notice' || concerns !== 'task' || !this.#isAnothers(subject, principal)
  }

  /**
   * Notes the task that a result hands out, under whoever it goes to; the first keeps it. Asking for a task does not make it
   * one's own. A list of tasks comes back without those of others: a server that knows us as one caller lists them all.
   */
  note(parcel: Parcel): Parcel {
    const { member, method, concerns, body, principal } = parcel
    if (member !== 'result' || concerns === 'task') return parcel
    if (method === 'tasks/list') return this.#withoutOthers(parcel)
    const task = isObject(body['task']) ? body['task'] : body
    const id = task['taskId']
    if (typeof id !== 'string' || this.#owners.has(keyOf(id))) return parcel
    const [oldest] = this.#owners.keys()
    if (this.#owners.size >= ownersMax && oldest !== undefined) this.#owners.delete(oldest)
    this.#owners.set(keyOf(id), principal.holder)
    return parcel
  }

  #withoutOthers(parcel: Parcel): Parcel {
    const { body, principal } = parcel
    const { tasks } = body
    if (!Array.isArray(tasks)) return parcel
    const own = tasks.filter((task) => !isObject(task) || !this.#isAnothers(task['taskId'], principal))
    return sealed({ ...parcel, body: { ...body, tasks: own } })
  }

  #isAnothers(id: unknown, { holder }: Principal): boolean {
    const owner = typeof id === 'string' ? this.#owners.get(keyOf(id)) : undefined
    return owner !== undefined && owner !== holder
  }
}

/** The tasks that a `subscriptions/listen` wants to hear of. */
function listened({ notifications }: JsonObject): readonly unknown[] {
  const ids = isObject(notifications) ? notifications['taskIds'] : undefined
  return Array.isArray(ids) ? ids : []
}
