/**
 * What one step costs by itself, in this process: the median of many, after warm-up. A step that has a target says so.
 */

import { plainPrincipal } from '../src/pipeline/parcel.ts'
import { compilePolicy } from '../src/policy/policy.ts'

export interface Micro {
  readonly step: string
  readonly micros: number
  readonly targetMicros: number
}

export function measureMicro(): Micro[] {
  return [
    {
      step: 'a decision among 10,000 rules, about a name never seen before',
      micros: medianMicros(301, tenThousandRules()),
      targetMicros: 1000,
    },
  ]
}

function tenThousandRules(): (n: number) => void {
  const rules = Array.from({ length: 10_000 }, (_, at) => ({
    effect: at % 2 ? ('deny' as const) : ('allow' as const),
    server: '*',
    tools: [`tool_${at}_*`],
    prompts: [],
    resources: [],
    asks: [],
  }))
  const policy = compilePolicy({ roles: { r: rules }, bindings: [{ role: 'r', anonymous: true }] })
  const caller = plainPrincipal('anonymous', 'anonymous')
  return (n) => void policy.decide(caller, 'files', 'tool', `stranger_${n}`, 'read')
}

function medianMicros(times: number, step: (n: number) => void): number {
  const took: number[] = []
  for (let n = -times; n < times; n++) {
    const start = performance.now()
    step(n)
    if (n >= 0) took.push((performance.now() - start) * 1000)
  }
  return took.sort((a, b) => a - b)[times >> 1] as number
}
