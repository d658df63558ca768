/**
 * Why the vault says no. Each says what, where and what to do; none holds a value, a key or the name of an owner. `fix` is
 * apart from the message, as in every refusal that a person reads.
 */
class VaultError extends Error {
  readonly fix: string
  constructor(message: string, fix: string) {
    super(message)
    this.fix = fix
  }
}

/** A record that does not open although its key is there: edited, cut short, or moved from another place. */
export class VaultRecordBroken extends VaultError {
  override readonly name = 'VaultRecordBroken'
  /** As `sekisho vault list` shows it. */
  readonly record: string
  constructor(record: string, where: string) {
    super(
      `the vault record ${record} (${where}) was changed outside the vault and does not open`,
      'restore the store from a copy, or store the value again (for a token: connect again); sekisho vault verify lists every such record',
    )
    this.record = record
  }
}

/** The key that records were sealed with is not there, or what stands in its place is another one. */
export class VaultKeyMissing extends VaultError {
  override readonly name = 'VaultKeyMissing'
}

/** The key is known and may not be used: disabled, forbidden, or already in use where a new one is needed. */
export class VaultKeyRefused extends VaultError {
  override readonly name = 'VaultKeyRefused'
}

/** The place of the key does not answer now; the same may succeed later. */
export class VaultUnavailable extends VaultError {
  override readonly name = 'VaultUnavailable'
}
