/** The part of the configuration that says where state is kept. */
import { z } from 'zod'

const prefix = 'sqlite:'

export const storeSchema = z
  .string()
  .refine((url) => url.startsWith(prefix) && url.length > prefix.length && !url.includes('\0'), {
    error: 'is not a store we know',
    params: { fix: 'write sqlite:PATH' },
  })
  .default('sqlite:./data/sekisho.db')

/** The file of an embedded store, or undefined for one in memory. */
export function storePath(url: string): string | undefined {
  const path = url.slice(prefix.length)
  return path === ':memory:' ? undefined : path
}
/** The same store with its file given by another path. */
export const storeUrl = (path: string): string => `${prefix}${path}`
