/** The kill switch of a server: thrown by an operator in any process, obeyed by every running gateway within a second. */
export interface DisabledServer {
  readonly id: string
  /** Milliseconds since 1970. */
  readonly at: number
  /** Who did it, as the operator's tool knows them: `cli:alice`. */
  readonly by: string
  readonly reason: string
}

/** One throw of a switch, either way. */
export interface Switching extends DisabledServer {
  readonly seq: number
  readonly to: 'disabled' | 'enabled'
}

/** Kept in a store, so that it survives a restart and reaches other processes. */
export interface ServerSwitches {
  disableServer(id: string, by: string, reason: string): Promise<void>
  /** False when it was not disabled. */
  enableServer(id: string, by: string): Promise<boolean>
  disabledServers(): Promise<readonly DisabledServer[]>
  /** What is not in the audit log yet, oldest first. The gateway owns the log, so it writes down what others have switched. */
  unrecorded(): Promise<readonly Switching[]>
  /** Said of everything up to `seq`, once it is in the audit log. */
  recorded(seq: number): Promise<void>
  /** Calls back after every change, whichever process made it. Returns the way to stop. */
  watch(changed: () => void): () => void
}
