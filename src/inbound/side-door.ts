/** The other things that are served at our address: the same check at the door, and then a handler of its own. */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { asRefusal, type Refusal } from '../pipeline/refusal.ts'
import { writeMessage } from '../protocol/json-rpc.ts'
import type { HostCheck } from './host-check.ts'
import { corsFor } from './http-headers.ts'
import { headersOf, refusalResponse, statusOf } from './refuse.ts'

export interface SideDoor {
  serves(path: string): boolean
  /** `remote`: where it came from, past trusted proxies. */
  handle(request: IncomingMessage, response: ServerResponse, remote: string | undefined): Promise<void>
}

export interface SideDoorOptions {
  readonly hosts: Pick<HostCheck, 'admit'>
  side(): SideDoor | undefined
  readonly main: RequestListener
  failed(error: unknown): void
  turnedAway(refusal: Refusal, remote: string | undefined): void
}

export const withSideDoor =
  ({ hosts, side, main, failed, turnedAway }: SideDoorOptions): RequestListener =>
  (request, response) => {
    const path = (request.url ?? '/').split('?', 1)[0] as string
    const door = side()
    if (!door?.serves(path)) return main(request, response)
    let remote: string | undefined
    try {
      const visitor = hosts.admit(request.headers as Readonly<Record<string, string>>, request.socket.remoteAddress)
      const { origin } = visitor
      remote = visitor.remote
      if (request.method === 'OPTIONS' && origin !== undefined) return preflighted(response, origin)
    } catch (error) {
      const refusal = asRefusal(error)
      turnedAway(refusal, request.socket.remoteAddress)
      response.writeHead(statusOf(refusal, 'modern'), { 'content-type': 'application/json', ...headersOf(refusal) })
      response.end(JSON.stringify(writeMessage(refusalResponse(refusal, undefined, undefined, 'modern'))))
      return
    }
    door.handle(request, response, remote).catch((error: unknown) => {
      failed(error)
      if (!response.headersSent) response.writeHead(500, { 'content-type': 'text/plain' })
      response.end()
    })
  }

function preflighted(response: ServerResponse, origin: string): void {
  response.writeHead(204, {
    ...corsFor(origin),
    'access-control-allow-methods': 'GET, POST',
    'access-control-allow-headers': 'authorization, content-type, dpop, mcp-protocol-version',
    'access-control-max-age': '600',
  })
  response.end()
}
