/** The part of the configuration that says which servers may be started: those of a lock, and whose word the lock has to bear. */
import { z } from 'zod'

const file = z.string().min(1)

export const admissionShape = {
  lock: file.optional().describe('What may run as which server; made by: sekisho supply lock. Without it, all start as they are'),
  require: z
    .enum(['locked', 'any'])
    .default('locked')
    .describe('locked: what the lock does not name is not started. any: it is; what the lock names is compared all the same'),
  keys: z.array(file).default([]).readonly().describe('PEM files of Ed25519 public keys; one of them must have signed the lock'),
  store: file.default('.sekisho/store').describe('Where copies of what was locked are kept, from which servers then run'),
}
