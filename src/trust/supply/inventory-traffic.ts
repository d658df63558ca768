/** Components that nobody declared, and that somebody uses: hosts that servers reached for (SUP-R1). */
import type { Component } from './inventory-component.ts'

export interface ReachedFor {
  /** A name or an address; a server chose it. */
  readonly host: string
  readonly port: number
  /** Which server it was. */
  readonly server: string
}

const isHost = (text: string): boolean =>
  text.length <= 253 && /^[a-z0-9]([a-z0-9_.-]*[a-z0-9])?$|^\[?[0-9a-f:.]+\]?$/i.test(text)

/** One for each host, in the order of their names. */
export function undeclaredComponents(inventory: readonly Component[], reached: readonly ReachedFor[]): readonly Component[] {
  const hosts = undeclaredHosts(inventory, reached.map(({ host }) => host.toLowerCase()).filter(isHost))
  return hosts.map((host) => {
    const times = reached.filter((one) => one.host.toLowerCase() === host)
    const ports = [...new Set(times.map(({ port }) => port))].sort((a, b) => a - b)
    return {
      kind: 'api',
      name: host,
      seen: ['traffic'],
      usedBy: [...new Set(times.map(({ server }) => server))].sort(),
      dependsOn: [],
      gaps: [`undeclared: reached for at port ${ports.slice(0, 8).join(', ')}, and kept back`],
    }
  })
}

/** Hosts that were called and that no component names: somebody uses what nobody declared. */
function undeclaredHosts(inventory: readonly Component[], hosts: readonly string[]): readonly string[] {
  const known = new Set(inventory.flatMap(({ url }) => (url === undefined ? [] : new URL(url).hostname)))
  return [...new Set(hosts)].filter((host) => !known.has(host)).sort()
}
