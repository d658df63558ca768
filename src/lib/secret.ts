/**
 * A secret on its way from the configuration to a child or an upstream. It prints as the reference it came from, so that
 * a log, an error or a dump of the configuration shows where the secret is kept and never what it is.
 */
import { inspect } from 'node:util'
import { z } from 'zod'

export class Secret {
  /** `env:NAME` or `file:PATH`. */
  readonly reference: string
  readonly #value: string | undefined
  constructor(reference: string, value?: string) {
    this.reference = reference
    this.#value = value
  }
  get isResolved(): boolean {
    return this.#value !== undefined
  }
  /** The secret itself. Throws when the configuration was loaded without its secrets. */
  reveal(): string {
    if (this.#value === undefined) throw new Error(`the secret ${this.reference} has not been resolved`)
    return this.#value
  }
  toString(): string {
    return `[${this.reference}]`
  }
  toJSON(): string {
    return this.toString()
  }
  [inspect.custom](): string {
    return this.toString()
  }
}

/** A secret in a document: where it is kept, never what it is. Resolved by config/resolve-secrets.ts. */
export const secretReference = z
  .string()
  .refine((value) => /^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$/.test(value), {
    error: 'must say where the secret is kept, and is something else',
    params: { fix: 'write env:NAME or file:PATH' },
  })
  .transform((reference) => new Secret(reference))
