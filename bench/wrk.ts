/** A second opinion on the load generator: the upstream alone, called by wrk and by ours, small results at c=16. */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { sizes } from './cases.ts'
import type { Generator } from './generator.ts'
import type { Ground } from './started.ts'
import { echoCall } from './wire.ts'

const seconds = 2

function wrkCallsPerSecond({ scratch, upstreamUrl }: Ground): number | 'not installed' | 'failed' {
  const { headers, body } = echoCall('modern', sizes.small, null)
  const lua = Object.entries(headers).map(([name, value]) => `wrk.headers['${name}'] = '${value}'`)
  const path = join(scratch, 'call.lua')
  writeFileSync(path, [`wrk.method = 'POST'`, `wrk.body = '${body(1)}'`, ...lua].join('\n'))
  try {
    const out = execFileSync('wrk', ['-t1', '-c16', `-d${seconds}s`, '-s', path, upstreamUrl], { encoding: 'utf8' })
    return Number(/Requests\/sec:\s*([\d.]+)/.exec(out)?.[1])
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'not installed' : 'failed'
  }
}

/** One sentence for the report. */
export async function generatorCeiling(ground: Ground, generator: Generator): Promise<string> {
  await generator.warm({ url: ground.upstreamUrl, token: null, era: 'modern', bytes: sizes.small, concurrency: 16 }, 1)
  const ours = await generator.measure(seconds)
  await generator.close()
  const theirs = wrkCallsPerSecond(ground)
  const said = typeof theirs === 'string' ? `wrk ${theirs}` : `wrk ${theirs.toFixed(0)} calls/s (checks nothing)`
  return `load generator's ceiling, upstream alone, small, c=16, modern: ours ${ours.callsPerSecond.toFixed(0)} calls/s, ${said}`
}
