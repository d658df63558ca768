/**
 * Something that was done to the state of the gateway and has to stand in its audit log. The log has one writer, the running
 * gateway; whoever else acts leaves this in the store, in the transaction of the change itself.
 */
export interface Act {
  /** A stable word: `server.disabled`, `vault.rotated`, `tokens.revoked`. */
  readonly action: string
  /** Who did it: `cli:alice`, or a principal. */
  readonly by: string
  /** Milliseconds since 1970. */
  readonly at: number
  readonly server?: string | undefined
  /** What else there is to know; may be empty. */
  readonly detail: string
}
