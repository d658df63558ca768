/** The revisions the gateway serves, newest first, and how a legacy version is negotiated. */
import { revision as r20241105 } from './2024-11-05/index.ts'
import { revision as r20250326 } from './2025-03-26/index.ts'
import { revision as r20250618 } from './2025-06-18/index.ts'
import { revision as r20251125 } from './2025-11-25/index.ts'
import { revision as r20260728 } from './2026-07-28/index.ts'
import type { Revision } from './revision.ts'

export type { Revision } from './revision.ts'
export type Era = Revision['era']

export const modern = r20260728
const legacy = [r20251125, r20250618, r20250326, r20241105] as const
export const revisions: readonly Revision[] = [modern, ...legacy]
export const legacyVersions: readonly string[] = legacy.map((revision) => revision.version)
/** What a legacy server is offered where the client is not of its era. */
export const newestLegacy = r20251125.version
export const modernVersions: readonly string[] = [modern.version]
/** Assumed where a legacy HTTP request names none (2025-06-18 transports, Protocol Version Header). */
export const assumedVersion = r20250326.version

export const revisionOf = (version: unknown): Revision | undefined => revisions.find((revision) => revision.version === version)

/** The answer to `initialize` with this version: itself if we serve it, 2024-11-05 for its predecessor, else our newest. */
export function negotiate(requested: unknown): Revision {
  if (requested === '2024-10-07') return r20241105
  const known = revisionOf(requested)
  return known?.era === 'legacy' ? known : r20251125
}

/** A date at or after the first modern revision: its sender speaks the modern era, whether or not we serve the version. */
export const isModernVersion = (version: string): boolean => /^\d{4}-\d{2}-\d{2}$/.test(version) && version >= modern.version
