/**
 * Where ids stand that lead back to one server: the table by which they are given its prefix on the way out, and by which it
 * is taken off on the way in. What a client sends as the subject of a request stands in protocol/methods.ts.
 */
import type { Parcel } from '../../pipeline/parcel.ts'
import type { Leg, Method } from '../../protocol/methods.ts'

/** What an id is of: each has its own way to be shown (names.ts). `words` are read by people: by voices.ts. */
export type Kind = 'name' | 'uri' | 'template' | 'task' | 'words'
/** A kind, and the path to the id in a body; `*` is every element of a list. */
export type Place = readonly [kind: Kind, ...path: readonly string[]]
export type List = NonNullable<Method['list']>

const task: readonly Place[] = [
  ['task', 'taskId'],
  ['task', 'task', 'taskId'],
  ['task', '_meta', 'io.modelcontextprotocol/related-task', 'taskId'],
]
const content = (...path: readonly string[]): readonly Place[] => [
  ['uri', ...path, 'uri'],
  ['uri', ...path, 'resource', 'uri'],
]
const result: readonly Place[] = [
  ...task,
  ...content('content', '*'),
  ...content('messages', '*', 'content'),
  ['uri', 'contents', '*', 'uri'],
]
/** A task that is completed comes with the result of the call it was made of (SEP-2663). */
const completed = result.map(([kind, ...path]): Place => [kind, 'result', ...path])

const byLeg: Readonly<Partial<Record<Leg, readonly Place[]>>> = {
  // Who answers a question has to know who asks (2025-11-25 and 2026-07-28 elicitation, "make it clear which server is requesting").
  ask: [['words', 'message']],
  result: [...result, ...completed],
  notice: [['uri', 'uri'], ...task, ...completed],
}

const byKey: Readonly<Record<string, Kind>> = { name: 'name', uri: 'uri', uriTemplate: 'template', taskId: 'task' }

/** In the entries of a list. MCP Apps: a tool names the resource that shows it, which has moved with the tool. */
export const entryPlaces = ({ items, key }: List): readonly Place[] => [
  [byKey[key] ?? 'name', items, '*', key],
  ['uri', items, '*', '_meta', 'ui', 'resourceUri'],
]

/** In what a server says. */
export const placesOf = ({ leg, list }: Parcel): readonly Place[] => (list ? entryPlaces(list) : (byLeg[leg] ?? []))

/** The lists of ids in the filter of a subscription, and in its acknowledgement. */
export const subscribed: Readonly<Record<string, Kind>> = { resourceSubscriptions: 'uri', taskIds: 'task' }
