import type { Revision } from '../revision.ts'

export const revision: Revision = {
  version: '2026-07-28',
  era: 'modern',
  batches: false,
  polling: false,
  versionHeader: true,
}
