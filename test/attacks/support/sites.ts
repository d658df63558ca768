/** Web sites of other people, all on one port: each has a name, pages, and a memory of what it was asked for. */
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { CertificateAuthority } from '../../stand-ins/certificates.ts'

export interface Sites {
  readonly port: number
  /** What the browser said of where it came from, newest last. */
  readonly referrers: readonly string[]
  /** `https://attacker.test:PORT` */
  at(name: string, path?: string): string
  /** What is served at a path of a site; everything else is an empty page. */
  put(name: string, path: string, body: string, headers?: Readonly<Record<string, string>>): void
  /** What a site was asked for, newest last. */
  asked(name: string): readonly URL[]
  forget(): void
  close(): Promise<void>
}

export async function startSites(certificates: CertificateAuthority): Promise<Sites> {
  const pages = new Map<string, { readonly body: string; readonly headers: Readonly<Record<string, string>> }>()
  const asked: URL[] = []
  const referrers: string[] = []
  const server = createServer(certificates.issue('sites'), (request, response) => {
    const url = new URL(request.url ?? '/', `https://${request.headers.host}`)
    if (url.pathname !== '/favicon.ico') asked.push(url)
    if (request.headers.referer !== undefined) referrers.push(request.headers.referer)
    const { body, headers } = pages.get(`${url.hostname} ${url.pathname}`) ?? { body: '<title>empty</title>', headers: {} }
    response.writeHead(200, { 'content-type': 'text/html', 'cache-control': 'no-store', ...headers }).end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    port,
    referrers,
    at: (name, path = '/') => `https://${name}:${port}${path}`,
    put: (name, path, body, headers = {}) => void pages.set(`${name} ${path}`, { body, headers }),
    asked: (name) => asked.filter(({ hostname }) => hostname === name),
    forget: () => {
      asked.length = 0
      referrers.length = 0
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
