import type { Revision } from '../revision.ts'

export const revision: Revision = {
  version: '2025-06-18',
  era: 'legacy',
  batches: false,
  polling: false,
  versionHeader: true,
}
