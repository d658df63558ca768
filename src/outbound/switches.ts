/** The kill switch of a server: thrown by an operator in any process, obeyed by every running gateway within a second. */
export interface DisabledServer {
  readonly id: string
  /** Milliseconds since 1970. */
  readonly at: number
  /** Who did it, as the operator's tool knows them: `cli:alice`. */
  readonly by: string
  readonly reason: string
}

/** Kept in a store, so that it survives a restart and reaches other processes. Each throw leaves an act for the audit log. */
export interface ServerSwitches {
  disableServer(id: string, by: string, reason: string): Promise<void>
  /** False when it was not disabled. */
  enableServer(id: string, by: string): Promise<boolean>
  disabledServers(): Promise<readonly DisabledServer[]>
  /** Calls back after every change, whichever process made it. Returns the way to stop. */
  watch(changed: () => void): () => void
}
