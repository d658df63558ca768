/** The part of the configuration that says how callers prove who they are. */
import { z } from 'zod'

/** Also the middle of a key, `sk_<id>_…`, so it has no underscore. */
export const keyIdSchema = z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, {
  error: 'must be 1 to 32 of a-z, 0-9 and "-", beginning with a letter; write for example ci',
})

const apiKeySchema = z.strictObject({
  id: keyIdSchema,
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, {
      error: 'is not a SHA-256 in 64 lower-case hexadecimal digits; make one with: sekisho keys new ID',
    })
    .describe('SHA-256 of the key; the key itself is never kept'),
})

export const identitySchema = z
  .discriminatedUnion('mode', [
    z.strictObject({ mode: z.literal('anonymous') }),
    z.strictObject({ mode: z.literal('api-keys'), keys: z.array(apiKeySchema).min(1).readonly() }),
  ])
  .readonly()
export type IdentityConfig = z.output<typeof identitySchema>
