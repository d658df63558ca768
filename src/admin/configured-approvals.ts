/**
 * The signed manifests of a configuration, read and verified. One that is missing, broken or signed by somebody else is no error
 * here: nothing is approved by it, and whoever runs the gateway is told why.
 */
import { readFile, stat } from 'node:fs/promises'
import type { Config } from '../config/schema.ts'
import { type Clock, systemClock } from '../lib/clock.ts'
import { whereabouts } from '../outbound/schema.ts'
import { type Approvals, type ApprovalsByServer, refused, verified } from '../trust/approvals/approvals.ts'
import { manifestBytesMax, readManifest } from '../trust/approvals/manifest.ts'
import { ApprovalsRefused } from '../trust/approvals/refused.ts'
import { verifyManifest } from '../trust/approvals/signature.ts'
import type { ManifestConfig } from '../trust/schema.ts'
import { teamKey } from './team-keys.ts'

export async function configuredApprovals(
  { pins, servers }: Pick<Config, 'pins' | 'servers'>,
  clock: Clock = systemClock,
): Promise<ApprovalsByServer> {
  const read = Object.entries(pins.manifests).flatMap(([id, manifest]) => {
    const server = servers[id]
    return server === undefined ? [] : [approvalsIn(id, manifest, whereabouts(server), clock)]
  })
  return new Map(await Promise.all(read))
}

async function approvalsIn(
  id: string,
  { file, keys: keyFiles, identity }: ManifestConfig,
  standsAt: string,
  clock: Clock,
): Promise<readonly [string, Approvals]> {
  try {
    const text = await manifestIn(file)
    const keys = await Promise.all(keyFiles.map((key) => teamKey(key, `pins.manifests.${id}.keys`).catch(unusable)))
    const signed = readManifest(text)
    const key = await verifyManifest(signed, { keys, identity: identity ?? standsAt, clock })
    return [id, verified(file, key, signed.manifest)]
  } catch (error) {
    if (!(error instanceof ApprovalsRefused)) throw error
    return [id, refused(file, error)]
  }
}

/** Rejects with {@link ApprovalsRefused}. */
export async function manifestIn(file: string): Promise<string> {
  try {
    const facts = await stat(file)
    if (!facts.isFile()) throw new ApprovalsRefused('is not a file', 'name a file')
    if (facts.size > manifestBytesMax)
      throw new ApprovalsRefused(`is larger than ${manifestBytesMax} bytes`, 'look what it is; then write it again')
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(file))
  } catch (error) {
    if (error instanceof ApprovalsRefused) throw error
    const { code = 'not UTF-8' } = error as NodeJS.ErrnoException
    throw code === 'ENOENT'
      ? new ApprovalsRefused('is not there', 'bring it back, or write it with: sekisho pins export SERVER --sign KEY.pem -o FILE')
      : new ApprovalsRefused(`cannot be read (${code})`, 'check the path, the file and its permissions')
  }
}

const unusable = (error: Error): never => {
  const { code } = error as NodeJS.ErrnoException
  const why = code === undefined ? error.message : `a key that is named for it cannot be read (${code})`
  throw new ApprovalsRefused(`cannot be verified: ${why}`, 'name Ed25519 public keys in PEM')
}
