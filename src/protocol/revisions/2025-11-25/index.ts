import type { Revision } from '../revision.ts'

export const revision: Revision = {
  version: '2025-11-25',
  era: 'legacy',
  batches: false,
  polling: true,
  versionHeader: true,
}
