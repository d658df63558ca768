/**
 * The suite's authorization scenarios against our own authorization server, with an identity provider behind it that is shaped
 * like Entra. Where the suite prints a URL for a person to open, a person opens it, agrees and logs in.
 */

import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { openHouse } from '../e2e/support/sso-house.ts'
import { Yard } from '../e2e/support/yard.ts'
import { type Outcome, runAuthorizationSuite } from './suite.ts'

const clientId = 'conformance'

/** `directory` receives the suite's files. */
export async function meetAuthorizationServer(directory: string): Promise<Outcome> {
  const yard = new Yard()
  const port = await freePort()
  const clients = [{ id: clientId, name: 'Conformance suite', redirectUris: [`http://127.0.0.1:${port}/callback`] }]
  const house = await openHouse(yard, { identity: { registration: { clients } } })
  const person = house.person('reader@contoso.test')
  const opened = new Set<string>()
  /** What the suite has printed so far; its tests wait until the person is back. */
  const read = async (output: string): Promise<void> => {
    for (const [url] of output.matchAll(/https?:\/\/[^\s'"]+\/oauth\/authorize\?[^\s'"]+/g)) {
      if (opened.has(url)) continue
      opened.add(url)
      const { url: back, pages } = await person.visit(url)
      if (back === undefined) throw new Error(`the person got stuck at ${pages.at(-1)?.title}`)
      await (await fetch(back)).text()
    }
  }
  try {
    const target = { url: house.url, clientId, resource: `${house.url}/notes/mcp`, port }
    return await runAuthorizationSuite(target, directory, read)
  } finally {
    await house.close()
    await yard.close()
  }
}

function freePort(): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>()
  const server = createServer().listen(0, '127.0.0.1', () => {
    const { port } = server.address() as AddressInfo
    server.close(() => resolve(port))
  })
  return promise
}
