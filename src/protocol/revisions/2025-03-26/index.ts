import type { Revision } from '../revision.ts'

export const revision: Revision = {
  version: '2025-03-26',
  era: 'legacy',
  batches: true,
  polling: false,
  versionHeader: false,
}
