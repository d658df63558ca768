import { readDocument } from '../../config/document.ts'
import { checkConfig, type LoadOptions } from '../../config/load.ts'
import { type Problem, pathText } from '../../config/problem.ts'
import type { Config } from '../../config/schema.ts'
import { systemClock } from '../../lib/clock.ts'
import { configuredApprovals } from '../configured-approvals.ts'

export interface ConfigReport {
  readonly file: string
  readonly valid: boolean
  readonly problems: readonly Problem[]
  /** What would not keep it from starting. */
  readonly warnings: readonly Problem[]
  /** The document, for excerpts. */
  readonly text: string
  readonly servers: number
}

/**
 * Says whether the gateway would start with the configuration in `file`, and if not, why not. With a manifest that does not count
 * it would start, and hold back all of its server: that is a problem too, so that a pipeline stops at it.
 */
export async function configCheck(file: string, options?: LoadOptions): Promise<ConfigReport> {
  const { config, problems, warnings, text } = await checkConfig(file, undefined, options)
  const signed =
    config === undefined || options?.secrets === 'leave' ? { problems: [], warnings: [] } : await manifestsIn(config, text)
  return {
    file,
    valid: config !== undefined && signed.problems.length === 0,
    problems: [...problems, ...signed.problems],
    warnings: [...warnings, ...signed.warnings],
    text,
    servers: Object.keys(config?.servers ?? {}).length,
  }
}

/** How long before its end a manifest is spoken of: from then on everything of its server is held. */
const soonMs = 14 * 86_400_000

async function manifestsIn(config: Config, text: string): Promise<Record<'problems' | 'warnings', readonly Problem[]>> {
  const document = readDocument(text)
  const now = systemClock.now()
  const problems: Problem[] = []
  const warnings: Problem[] = []
  for (const [id, one] of await configuredApprovals(config)) {
    const path = ['pins', 'manifests', id, 'file']
    const problem = (message: string, fix: string): Problem => ({
      path: pathText(path),
      ...document.place(path, 'value'),
      message,
      fix,
    })
    if (one.outcome === 'refused')
      problems.push(problem(`names ${one.file}, which ${one.why}; nothing is approved by it`, one.fix))
    else if (one.expiresAt - now < soonMs)
      warnings.push(
        problem(
          `counts until ${new Date(one.expiresAt).toISOString()}; from then on everything of "${id}" is held`,
          'review it and sign it again: sekisho pins sign FILE --sign KEY.pem --valid 90d',
        ),
      )
  }
  return { problems, warnings }
}
