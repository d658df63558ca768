import { isAbsolute, relative } from 'node:path'
import type { Config } from '../../config/schema.ts'
import type { Component } from '../../trust/supply/inventory-component.ts'
import { cycloneDx, type SbomOptions } from '../../trust/supply/sbom.ts'
import { spdx } from '../../trust/supply/spdx.ts'
import { type Besides, inventoryOf } from '../inventory-of.ts'

export interface SbomAsked extends SbomOptions {
  readonly format: 'cyclonedx' | 'spdx'
  /** Of the configuration: files are named from there. */
  readonly folder: string
  readonly at: number
}

/** The bill of materials of a gateway, in JSON. The same configuration and files give the same bytes on every machine. */
export async function supplySbom(config: Config, besides: Besides, { format, folder, ...options }: SbomAsked): Promise<string> {
  const fromFolder = ({ file, ...one }: Component): Component =>
    file === undefined ? one : { ...one, file: isAbsolute(file) ? relative(folder, file) : file }
  const inventory = (await inventoryOf(config, besides)).map(fromFolder)
  return format === 'spdx' ? spdx(inventory, { at: options.at, namespace: options.serialNumber }) : cycloneDx(inventory, options)
}
