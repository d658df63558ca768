/** The same client through Sekisho: the suite's server becomes the upstream, and the client is sent to the gateway. */
import { play } from './client.ts'
import { startSekisho } from './sekisho.ts'

// The suite ends a client that takes too long; the gateway must go with it.
process.once('SIGTERM', () => process.exit(143))

const sekisho = await startSekisho(process.argv.at(-1)!, process.env['SEKISHO_LOG_FILE'])
try {
  await play(sekisho.endpoint)
} finally {
  await sekisho.stop()
}
