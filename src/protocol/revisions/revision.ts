/** What the gateway has to know of one revision of MCP. A revision is a folder beside this file. */
export interface Revision {
  readonly version: string
  readonly era: 'legacy' | 'modern'
  /** JSON-RPC batches must be accepted (only 2025-03-26; removed in 2025-06-18). */
  readonly batches: boolean
  /** Requests after initialize carry MCP-Protocol-Version (from 2025-06-18). */
  readonly versionHeader: boolean
}
