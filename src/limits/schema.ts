/**
 * The part of the configuration that says how much is too much. A rate or a concurrency that is not limited says so with
 * the word `unlimited`; only the principal and its streams have limits by default.
 */
import { z } from 'zod'

const unlimited = 'unlimited'
const perMinuteMax = 10_000_000
type Amount = number | typeof unlimited

/** How often one caller may call: a steady rate, what may come at once, and what may be under way at once. */
export interface Measure {
  readonly perMinute: Amount
  /** At most this many at once after a pause. */
  readonly burst: number
  readonly concurrent: Amount
}

/** One schema for a number or a word, so that an error says both. */
const amount = (max: number) =>
  z
    .custom<Amount>(
      (value) => value === unlimited || (Number.isInteger(value) && (value as number) >= 1 && (value as number) <= max),
      {
        error: `must be a whole number from 1 to ${max}, or the word ${unlimited}; write for example 600`,
      },
    )
    .meta({ anyOf: [{ type: 'integer', minimum: 1, maximum: max }, { const: unlimited }] })

const measure = (defaults: { perMinute: Amount; concurrent: Amount }) =>
  z
    .strictObject({
      perMinute: amount(perMinuteMax).default(defaults.perMinute),
      burst: z.int().min(1).max(perMinuteMax).optional().describe('Default: 100, or perMinute when that is less'),
      concurrent: amount(100_000).default(defaults.concurrent),
    })
    .transform(({ perMinute, burst, concurrent }, context): Measure => {
      if (burst !== undefined && perMinute === unlimited)
        context.addIssue({
          code: 'custom',
          path: ['burst'],
          message: 'means nothing without "perMinute"',
          params: { fix: 'give both, or neither' },
        })
      return { perMinute, burst: burst ?? (perMinute === unlimited ? 1 : Math.min(100, perMinute)), concurrent }
    })
    .prefault({})

const bytes = z.int().min(1024).max(1_073_741_824)

export const limitsSchema = z
  .strictObject({
    bodyBytesMax: bytes.default(4_194_304),
    resultBytesMax: bytes.default(10_485_760),
    depthMax: z.int().min(4).max(512).default(64).describe('Levels of nesting in a message'),
    batchMax: z.int().min(1).max(1000).default(50).describe('Messages in one batch (2025-03-26)'),
    guardTimeoutMs: z.int().min(10).max(60_000).default(5000).describe('A check that takes longer means no'),
    principal: measure({ perMinute: 600, concurrent: 32 }).describe('Each caller, over everything'),
    stream: measure({ perMinute: 600, concurrent: 1000 }).describe('Standing streams of each caller'),
    server: measure({ perMinute: unlimited, concurrent: unlimited }).describe('Each caller on each server'),
    tool: measure({ perMinute: unlimited, concurrent: unlimited }).describe('Each caller on each tool'),
  })
  .readonly()
  .prefault({})
export type LimitsConfig = z.output<typeof limitsSchema>
