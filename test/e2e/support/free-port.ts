import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'

/** For what has to be known before it listens, or comes back to where it was. */
export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}
