/** What verify() can find. One table: nothing else names a kind of tampering. */
export const tamperings = {
  edited: 'the text of an entry is not the one that was written',
  inserted: 'an entry was added that was never written',
  deleted: 'entries are missing',
  reordered: 'entries stand in another order than they were written',
  truncated: 'the log ends before a signed checkpoint',
  rewritten: 'entries fit one another, but not the checkpoint that was signed over them',
  'checkpoint-forged': 'a checkpoint bears a signature that is not ours',
  'checkpoint-removed': 'a checkpoint is in one of the two places only',
  'wrong-key': 'a checkpoint was signed with another key',
  'anchor-missing': 'there is no anchor to compare with',
  'anchor-damaged': 'the anchor cannot be read',
  'anchor-swapped': 'the anchor belongs to another log',
  'store-missing': 'the log cannot be read',
} as const

export type TamperingKind = keyof typeof tamperings

export interface Tampering {
  readonly kind: TamperingKind
  /** The entries concerned; both 0 where it is not about entries. */
  readonly from: number
  readonly to: number
  readonly detail: string
}

export const tampering = (kind: TamperingKind, from: number, to: number, detail: string): Tampering => ({
  kind,
  from,
  to,
  detail,
})
