import { checkConfig, type LoadOptions } from '../../config/load.ts'
import type { Problem } from '../../config/problem.ts'

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

/** Says whether the gateway would start with the configuration in `file`, and if not, why not. */
export async function configCheck(file: string, options?: LoadOptions): Promise<ConfigReport> {
  const { config, problems, warnings, text } = await checkConfig(file, undefined, options)
  return { file, valid: config !== undefined, problems, warnings, text, servers: Object.keys(config?.servers ?? {}).length }
}
