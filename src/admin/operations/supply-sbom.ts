import { isAbsolute, relative } from 'node:path'
import type { Config } from '../../config/schema.ts'
import type { Component } from '../../trust/supply/inventory-component.ts'
import { cycloneDx, type SbomOptions } from '../../trust/supply/sbom.ts'
import { type Besides, inventoryOf } from '../inventory-of.ts'

/**
 * The bill of materials of a gateway, CycloneDX in JSON. The same configuration and files give the same bytes on every machine:
 * files are named from `folder`, that of the configuration.
 */
export async function supplySbom(
  config: Config,
  besides: Besides,
  { folder, ...options }: SbomOptions & { readonly folder: string },
): Promise<string> {
  const fromFolder = ({ file, ...one }: Component): Component =>
    file === undefined ? one : { ...one, file: isAbsolute(file) ? relative(folder, file) : file }
  return cycloneDx((await inventoryOf(config, besides)).map(fromFolder), options)
}
