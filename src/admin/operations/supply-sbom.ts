import type { Config } from '../../config/schema.ts'
import { cycloneDx, type SbomOptions } from '../../trust/supply/sbom.ts'
import { inventoryOf } from '../inventory-of.ts'

/** The bill of materials of a gateway, CycloneDX in JSON. The same configuration and lock files give the same bytes. */
export const supplySbom = async (config: Config, lockFiles: readonly string[], options: SbomOptions): Promise<string> =>
  cycloneDx(await inventoryOf(config, lockFiles), options)
