/** `guards:` how much each guard counts, by server and leg. Enforcing is the default, and silence never loosens it. */
import { z } from 'zod'
import { anyGlob } from '../lib/glob.ts'
import { type Mode, modes } from '../pipeline/guard.ts'
import type { Bench } from '../pipeline/judge.ts'
import type { Stages } from '../pipeline/stages.ts'
import { type Leg, legs } from '../protocol/methods.ts'

export const guardNames = ['limits', 'policy', 'trust', 'identity'] as const satisfies readonly (keyof Stages)[]

export const guardModeSchema = z
  .strictObject({
    guard: z.enum(guardNames),
    mode: z.enum(modes),
    servers: z.array(z.string().min(1)).min(1).readonly().default(['*']).describe('Patterns of server ids'),
    legs: z.array(z.enum(legs)).min(1).readonly().optional().describe('Default: every leg'),
  })
  .readonly()
export type GuardMode = z.output<typeof guardModeSchema>

/** The mode of a guard by server and leg. Answers are remembered: server ids are the operator's own and few. */
export function guardModes(entries: readonly GuardMode[]): Bench['mode'] {
  const latestFirst = entries.map((entry) => ({ ...entry, matches: anyGlob(entry.servers) })).reverse()
  if (latestFirst.length === 0) return () => 'enforce'
  const known = new Map<string, Mode>()
  return (guard: string, server: string, leg: Leg) => {
    const key = `${guard} ${leg} ${server}`
    let mode = known.get(key)
    if (mode === undefined) {
      const entry = latestFirst.find((one) => one.guard === guard && one.matches(server) && (one.legs?.includes(leg) ?? true))
      mode = entry?.mode ?? 'enforce'
      if (known.size < 10_000) known.set(key, mode)
    }
    return mode
  }
}
