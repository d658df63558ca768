/** What others did and left for the log: whoever acts, with or without a running gateway, one place remembers it for us. */
import type { Act } from '../lib/act.ts'
import type { Audit } from './audit.ts'

/** Kept by storage/. */
export interface UnrecordedActs {
  /** An act that is no change of the store. A change notes itself, in its own transaction. */
  note(act: Act): Promise<void>
  /** What is not in the audit log yet, oldest first. */
  unrecorded(): Promise<readonly (Act & { readonly seq: number })[]>
  /** Said of everything up to `seq`, once it is in the audit log. */
  recorded(seq: number): Promise<void>
}

/** Writes down what is left to write down. One at a time: two at once would write it twice. */
export async function recordActs(acts: UnrecordedActs, { event }: Pick<Audit, 'event'>): Promise<void> {
  for (const { seq, action, by, at, server, detail } of await acts.unrecorded()) {
    const said = [`at ${new Date(at).toISOString()}`, detail].filter(Boolean).join(': ')
    await event({ action, principal: by, server, detail: said })
    await acts.recorded(seq)
  }
}
