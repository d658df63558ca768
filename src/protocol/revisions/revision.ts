/** What the gateway has to know of one revision of MCP. A revision is a folder beside this file. */
export interface Revision {
  readonly version: string
  readonly era: 'legacy' | 'modern'
  /** JSON-RPC batches must be accepted (only 2025-03-26; removed in 2025-06-18). */
  readonly batches: boolean
  /** A server may let a client go in the middle of an answer, and it comes back with Last-Event-ID (from 2025-11-25). */
  readonly polling: boolean
  /** Requests after initialize carry MCP-Protocol-Version (from 2025-06-18). */
  readonly versionHeader: boolean
}
