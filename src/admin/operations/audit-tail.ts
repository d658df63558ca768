import type { Entry } from '../../audit/entry.ts'
import { type TailOptions, tail } from '../../audit/tail.ts'

export type { Entry } from '../../audit/entry.ts'

/** The end of the log, and what is added to it while it is followed. */
export const auditTail = ({ path, ...options }: TailOptions & { readonly path: string }): AsyncGenerator<Entry, void, void> =>
  tail(path, options)
