/** The way out of the sandboxes of one server: the proxy on its socket, and what a process inside needs to find it. */
import { chmodSync, rmSync } from 'node:fs'
import { extname, join } from 'node:path'
import type { Mount } from '../profile.ts'
import { type EgressOptions, egressProxy } from './proxy.ts'
import { newSocketFolder } from './socket-folder.ts'

const inside = '/run/sekisho'
const socket = `${inside}/egress.sock`
/** The sandbox has a loopback to itself, where no port is taken. */
const port = 3128
/** Beside this file; in the published package it is JavaScript. Inside it stands alone, so its name says that it is a module. */
const script = join(import.meta.dirname, `forwarder${extname(import.meta.filename)}`)
const scriptInside = `${inside}/forwarder.m${extname(import.meta.filename).slice(1)}`

/** What it is to a sandbox. */
export interface WayOut {
  readonly mounts: readonly Mount[]
  readonly environment: Readonly<Record<string, string>>
  /** What stands before the server's own command. */
  readonly command: readonly string[]
}
export interface Egress extends WayOut {
  close(): Promise<void>
}

/** `path`: the socket outside. `hosts` as the configuration has them, for what the server may reach without the proxy. */
export function wayOut(path: string, hosts: readonly string[]): WayOut {
  const at = `http://127.0.0.1:${port}`
  // Its own loopback is behind no proxy, unless it is the outer one that is meant.
  const direct = hosts.some((host) => /^(localhost|127\.|\[::1\])/i.test(host)) ? '' : 'localhost,127.0.0.1,[::1]'
  const settings = { HTTP_PROXY: at, HTTPS_PROXY: at, NO_PROXY: direct }
  const lowerCase = Object.entries(settings).map(([name, value]) => [name.toLowerCase(), value])
  return {
    mounts: [
      { path: `${inside}/node`, source: process.execPath, writable: false },
      { path: scriptInside, source: script, writable: false },
      { path: socket, source: path, writable: false },
    ],
    // Node looks at the variables only when told to.
    environment: { ...settings, ...Object.fromEntries(lowerCase), NODE_USE_ENV_PROXY: '1' },
    command: [`${inside}/node`, '--disable-warning=ExperimentalWarning', scriptInside, socket, String(port)],
  }
}

export async function openEgress(options: EgressOptions, hosts: readonly string[]): Promise<Egress> {
  const folder = newSocketFolder()
  const path = join(folder, 'egress.sock')
  const server = egressProxy(options)
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => {
        rmSync(folder, { recursive: true, force: true })
        resolve()
      })
      for (const connection of open) connection.destroy()
    })
  const open = new Set<{ destroy(): void }>()
  server.on('connection', (connection) => {
    open.add(connection)
    connection.once('close', () => open.delete(connection))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, resolve)
  })
  server.unref()
  chmodSync(path, 0o600)
  return { ...wayOut(path, hosts), close }
}
