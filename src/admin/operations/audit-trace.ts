import type { Trace } from '../../audit/passage.ts'
import { trace } from '../../audit/search.ts'

export type { Trace } from '../../audit/passage.ts'

export interface AuditTraceOptions {
  readonly path: string
  /** The id in a refusal's message, in a log line or in the SIEM (`externalId`). */
  readonly exchange: string
}

/** Everything that one exchange left in the log. */
export const auditTrace = ({ path, exchange }: AuditTraceOptions): Trace => trace(path, exchange)
