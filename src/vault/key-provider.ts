/**
 * Where the keys come from that wrap the records' own keys. A provider never hands such a key out; a remote one never has it.
 * It also never replaces one: a key that cannot be found is an error, because another in its place would open nothing.
 */

/** One version of a provider's key, as the store remembers it. */
export interface KeyDescription {
  /** Begins with the provider's kind: `passphrase:2`. */
  readonly id: string
  /** JSON; whatever the provider needs to find the key again. */
  readonly parameters: string
}

export interface KeyProvider {
  /** Where that key is kept, for messages: `the key file …`. Never the key. */
  place(id: string): string
  /** Whether a key with this id could be one of this provider's. */
  owns(id: string): boolean
  /** A key that none of `known` is. Rejects with VaultKeyRefused, and what to do, where an operator has to make it. */
  make(known: readonly KeyDescription[]): Promise<KeyDescription>
  /** `binding` is part of what is protected, and has to be the same for {@link unwrap}. */
  wrap(key: KeyDescription, secret: Uint8Array, binding: string): Promise<Uint8Array>
  /**
   * The secret, or undefined where it was not wrapped by this key for this binding. Rejects with VaultKeyMissing,
   * VaultKeyRefused or VaultUnavailable where there is no telling. Wipe it after use.
   */
  unwrap(key: KeyDescription, wrapped: Uint8Array, binding: string): Promise<Buffer | undefined>
  /** Said once nothing is wrapped with it any more. */
  forget(id: string): Promise<void>
}
