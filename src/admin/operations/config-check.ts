import { readDocument } from '../../config/document.ts'
import { checkConfig, type LoadOptions } from '../../config/load.ts'
import { type Problem, pathText } from '../../config/problem.ts'
import type { Config } from '../../config/schema.ts'
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
  const unsigned = config === undefined || options?.secrets === 'leave' ? [] : await manifestProblems(config, text)
  return {
    file,
    valid: config !== undefined && unsigned.length === 0,
    problems: [...problems, ...unsigned],
    warnings,
    text,
    servers: Object.keys(config?.servers ?? {}).length,
  }
}

async function manifestProblems(config: Config, text: string): Promise<readonly Problem[]> {
  const document = readDocument(text)
  return [...(await configuredApprovals(config))].flatMap(([id, one]) => {
    if (one.outcome === 'verified') return []
    const path = ['pins', 'manifests', id, 'file']
    const message = `names ${one.file}, which ${one.why}; nothing is approved by it`
    return [{ path: pathText(path), ...document.place(path, 'value'), message, fix: one.fix }]
  })
}
