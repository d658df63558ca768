/** What the main thread and the worker say to each other. Entries cross as text: one string of lines, nothing to clone deeply. */
import type { LedgerOptions, LogFault } from './ledger.ts'

export type Cursors = readonly (readonly [sink: string, seq: number])[]

export type WorkerOptions = LedgerOptions

export type ToWorker =
  | { readonly kind: 'append'; readonly lines: string }
  | { readonly kind: 'checkpoint'; readonly time: string; readonly cursors: Cursors }
  | { readonly kind: 'read'; readonly after: number; readonly limit: number }
  | { readonly kind: 'close'; readonly time: string; readonly cursors: Cursors }

export type FromWorker =
  | { readonly kind: 'opened'; readonly size: number; readonly cursors: Cursors }
  | { readonly kind: 'appended' }
  | { readonly kind: 'entries'; readonly texts: readonly string[]; readonly last: number }
  | { readonly kind: 'closed' }
  | { readonly kind: 'failed'; readonly reason: string; readonly fault: LogFault }
