import type { Revision } from '../revision.ts'

export const revision: Revision = {
  version: '2024-11-05',
  era: 'legacy',
  batches: false,
  polling: false,
  versionHeader: false,
}
