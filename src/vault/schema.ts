/** The part of the configuration that says where our own key is kept. */
import { z } from 'zod'

export const vaultSchema = z
  .strictObject({
    keyFile: z
      .string()
      .min(1)
      .optional()
      .describe('32 bytes that only we may read; made on the first start; default beside the store'),
  })
  .prefault({})
