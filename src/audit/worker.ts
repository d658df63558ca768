/** The thread that owns the audit log's file. It does as it is told, one message at a time; after a failure it does nothing more. */
import { parentPort, workerData } from 'node:worker_threads'
import { Ledger, LogRefused } from './ledger.ts'
import type { FromWorker, ToWorker, WorkerOptions } from './messages.ts'

const port = parentPort
if (port === null) throw new Error('worker.ts runs as a worker thread')
const say = (message: FromWorker): void => port.postMessage(message)
const failure = (error: unknown): FromWorker => ({
  kind: 'failed',
  reason: error instanceof Error ? error.message : String(error),
  fault: error instanceof LogRefused ? error.fault : 'unwritable',
})

function serve(ledger: Ledger, message: ToWorker): FromWorker | undefined {
  switch (message.kind) {
    case 'append':
      ledger.append(message.lines)
      return { kind: 'appended' }
    case 'checkpoint':
      ledger.checkpoint(message.time, message.cursors)
      return undefined
    case 'read': {
      const rows = ledger.store.after(message.after, message.limit)
      return { kind: 'entries', texts: rows.map((row) => row.text), last: rows.at(-1)?.seq ?? message.after }
    }
    case 'close':
      ledger.checkpoint(message.time, message.cursors)
      ledger.close()
      return { kind: 'closed' }
  }
}

try {
  const ledger = Ledger.open(workerData as WorkerOptions)
  port.on('message', (message: ToWorker) => {
    try {
      const answer = serve(ledger, message)
      if (answer !== undefined) say(answer)
      if (answer?.kind === 'closed') port.close()
    } catch (error) {
      say(failure(error))
      port.close()
    }
  })
  say({ kind: 'opened', size: ledger.size, cursors: ledger.store.cursors() })
} catch (error) {
  say(failure(error))
}
