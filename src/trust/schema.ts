/** The part of the configuration that says what becomes of definitions that nobody has approved yet. */
import { z } from 'zod'

const path = z.string().min(1)
const manifestSchema = z
  .strictObject({
    file: path.describe('What is approved, signed: written by `sekisho pins export` and `sekisho pins sign`'),
    keys: z.array(path).min(1).readonly().describe('Ed25519 public keys (PEM); one of them has to have signed it'),
    identity: z.string().min(1).optional().describe('What the manifest calls the server, where that is not where it stands'),
  })
  .readonly()

export const pinsSchema = z
  .strictObject({
    firstUse: z
      .enum(['approve', 'hold'])
      .default('approve')
      .describe('A server that is seen for the first time: approve what the scan finds harmless, or hold all for a person'),
    additions: z
      .enum(['approve', 'hold'])
      .default('hold')
      .describe('A tool or prompt that a known server has added since: the same choice'),
    cosmetic: z
      .enum(['approve', 'hold'])
      .default('approve')
      .describe('A change of white space, capitals or closing punctuation alone, in a description or title'),
    changed: z
      .enum(['block', 'hold'])
      .default('block')
      .describe('A call of something that is held back: refuse it, or ask a person where one can be asked'),
    twoPeople: z.boolean().default(false).describe('One person proposes an approval, and another approves'),
    recheckSeconds: z
      .int()
      .min(0)
      .max(86_400)
      .default(60)
      .describe('How long a list that was read counts, before a call has it read again'),
    manifests: z
      .record(z.string(), manifestSchema)
      .default({})
      .describe('By the id of a server: the signed list of what is approved of it; nothing else is, but by a person'),
  })
  .prefault({})
  .readonly()
export type PinsConfig = z.output<typeof pinsSchema>
export type ManifestConfig = z.output<typeof manifestSchema>
